package io.daosmesh.engine.space;

import io.daosmesh.engine.dtx.DtxEntry;
import io.daosmesh.engine.shard.PoolShard;
import io.daosmesh.engine.shard.TargetContext;
import io.daosmesh.engine.turn.Done;
import io.daosmesh.engine.turn.StagedOp;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.VosRecord;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Deletes every record under some prefixes with their prepared DTXs and gives the space back, in steps that leave the loop
 * to others. Starts behind what is on its way to the index now. Owner: target loop.
 */
public final class Deletion {
    private static final int STEP_RECORDS = 1024;
    /** With those that another operation deletes already. */
    private static final int STEP_VISITS = 4096;

    private final TargetContext context;
    private final PoolShard shard;
    private final ArrayDeque<byte[]> prefixes;
    private final Predicate<byte[]> isDoomed;
    private final Done done;
    /** Where the first prefix goes on: what lies before is deleted, and would be looked at again and again. */
    private byte @Nullable [] at;

    private Deletion(
            TargetContext context, PoolShard shard, List<byte[]> prefixes, Predicate<byte[]> isDoomed, Done done) {
        this.context = context;
        this.shard = shard;
        this.prefixes = new ArrayDeque<>(prefixes);
        this.isDoomed = isDoomed;
        this.done = done;
    }

    public static void start(TargetContext context, PoolShard shard, List<byte[]> prefixes, Done done) {
        start(context, shard, prefixes, p -> true, done);
    }

    /** @param isDoomed asked again before each step: a prefix that is wanted again is left alone from then on */
    public static void start(
            TargetContext context, PoolShard shard, List<byte[]> prefixes, Predicate<byte[]> isDoomed, Done done) {
        shard.writer().beginDeleting();
        Deletion d = new Deletion(context, shard, prefixes, isDoomed, fault -> {
            shard.writer().endDeleting();
            done.done(fault);
        });
        // an empty operation is done when everything staged before it is
        context.turns().stage(new StagedOp(false), fault -> d.dropPrepared());
    }

    private void dropPrepared() {
        prefixes.removeIf(isDoomed.negate());
        StagedOp op = new StagedOp(true);
        List<DtxEntry> dropped = new ArrayList<>();
        for (DtxEntry e : shard.dtx().prepared()) {
            boolean isInside = prefixes.stream().anyMatch(e::isUnder);
            if (!isInside || !e.isDurable() || e.isSettling() || e.isLed()) continue;
            dropped.add(e);
            op.batch().delete(Keys.dtx(shard.pool(), e.id()));
        }
        context.turns().stage(op, fault -> {
            if (fault != null) {
                done.done(fault);
                return;
            }
            step(() -> dropped.forEach(shard.dtx()::remove));
        });
    }

    /** @param afterwards runs when all records are gone: until then they stay invisible */
    private void step(Runnable afterwards) {
        StagedOp op = new StagedOp(true);
        List<VosRecord> records = new ArrayList<>();
        try {
            collect(op, records);
        } catch (FaultException e) {
            // the index cannot be read: whoever waits has to hear of it
            shard.writer().keep(records);
            done.done(e.fault());
            return;
        }
        boolean isLast = prefixes.isEmpty();
        context.turns().stage(op, fault -> {
            if (fault != null) {
                shard.writer().keep(records);
                done.done(fault);
                return;
            }
            shard.writer().release(records);
            if (!isLast) {
                step(afterwards);
            } else {
                afterwards.run();
                done.done(null);
            }
        });
    }

    private void collect(StagedOp op, List<VosRecord> records) {
        byte[] first = prefixes.peekFirst();
        prefixes.removeIf(isDoomed.negate());
        if (first != prefixes.peekFirst()) at = null;
        int visited = 0;
        while (!prefixes.isEmpty()) {
            byte[] prefix = prefixes.getFirst();
            byte[] from = at;
            at = null;
            try (KvCursor c = context.kv().cursor(KvRange.prefix(prefix))) {
                if (from != null) c.seek(from);
                while (c.next()) {
                    if (records.size() == STEP_RECORDS || visited++ == STEP_VISITS) {
                        at = c.key();
                        return;
                    }
                    VosRecord r = decode(context, shard, c);
                    if (r != null && !shard.writer().claim(r)) continue;
                    if (r != null) records.add(r);
                    op.batch().delete(c.key());
                }
            }
            prefixes.removeFirst();
        }
    }

    /** Null for a damaged record: it goes like the others, what it owned is free again after a restart. */
    static @Nullable VosRecord decode(TargetContext context, PoolShard shard, KvCursor c) {
        try {
            return VosRecord.decode(c.key(), c.value());
        } catch (FaultException e) {
            if (e.code() != FaultCode.DF_INVAL) throw e;
            context.host().onDamage(shard.pool(), e.fault());
            return null;
        }
    }
}
