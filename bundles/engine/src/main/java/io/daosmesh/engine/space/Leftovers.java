package io.daosmesh.engine.space;

import io.daosmesh.engine.history.Part;
import io.daosmesh.engine.shard.Access;
import io.daosmesh.engine.shard.PoolShard;
import io.daosmesh.engine.shard.ShardAddress;
import io.daosmesh.engine.shard.TargetContext;
import io.daosmesh.engine.turn.Done;
import io.daosmesh.engine.turn.StagedOp;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.VosRecord;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.placement.ShardGroup;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Deletes what an earlier stay of a group has left on a target that is about to pull it. Since then others may have
 * punched it and dropped data and punch alike, and no pull would ever hide it again. What is prepared stays: its outcome
 * is open. Owner: target loop.
 */
public final class Leftovers {
    private static final int STEP_RECORDS = 1024;
    private static final int STEP_VISITS = 4096;

    private final TargetContext context;
    private final PoolShard shard;
    private final Access access;
    private final Wanted wanted;
    private final Done done;
    private final Deque<byte[]> prefixes;
    /** Of the present step; what they own is free again after a restart. */
    private final List<byte[]> damaged = new ArrayList<>();

    /**
     * What is to go.
     *
     * @param dkeys all of the group if empty
     * @param epoch committed records at or below it
     */
    public record Wanted(ShardAddress address, List<byte[]> dkeys, long epoch) {}

    private Leftovers(TargetContext context, PoolShard shard, Access access, Wanted wanted, Done done) {
        this.context = context;
        this.shard = shard;
        this.access = access;
        this.wanted = wanted;
        this.done = done;
        this.prefixes = new ArrayDeque<>(part().prefixes());
    }

    /** Remembers before anything else that the part has to be pulled. STALE when the target does not pull it at the map version. */
    public static void clear(TargetContext context, PoolShard shard, Access access, Wanted wanted, Done done) {
        new Leftovers(context, shard, access, wanted, done).open();
    }

    private Part part() {
        return new Part(wanted.address.groupPrefix(), wanted.dkeys);
    }

    /** Behind what is on its way to the index now. */
    private void open() {
        Fault f = refusal();
        if (f != null) {
            done.done(f);
            return;
        }
        StagedOp op = new StagedOp(true);
        List<byte[]> scopes = part().scopes();
        int version = shard.mapVersion();
        shard.holdings().open(scopes, op);
        shard.changes().note(scopes, op);
        context.turns().stage(op, fault -> {
            if (fault != null) {
                done.done(fault);
                return;
            }
            shard.changes().onDurable(scopes, version, op);
            step(null);
        });
    }

    /** @param from where the first prefix goes on; null = at its beginning */
    private void step(byte @Nullable [] from) {
        Fault f = refusal();
        if (f != null) {
            done.done(f);
            return;
        }
        List<VosRecord> records = new ArrayList<>();
        damaged.clear();
        byte[] next;
        try {
            next = collect(from, records);
        } catch (FaultException e) {
            shard.writer().keep(records);
            done.done(e.fault());
            return;
        }
        if (next == null) prefixes.remove();
        boolean isLast = prefixes.isEmpty();
        if (records.isEmpty() && damaged.isEmpty() && isLast) {
            done.done(null);
            return;
        }
        StagedOp op = new StagedOp(true);
        for (VosRecord r : records) op.batch().delete(r.key());
        for (byte[] key : damaged) op.batch().delete(key);
        context.turns().stage(op, fault -> {
            if (fault == null) shard.writer().release(records);
            else shard.writer().keep(records);
            if (fault != null || isLast) done.done(fault);
            else step(next);
        });
    }

    private @Nullable Fault refusal() {
        Fault f = access.stale(wanted.address.mapVersion());
        if (f == null) f = shard.refusal();
        if (f != null) return f;
        ShardGroup g = shard.group(wanted.address.oid(), wanted.address.group());
        boolean isMissing = g.isAvailable() && g.missing().contains(shard.myId());
        return isMissing ? null : Fault.of(FaultCode.STALE, "this target does not pull the group");
    }

    /** Where the first prefix goes on; null = its end was reached. */
    private byte @Nullable [] collect(byte @Nullable [] from, List<VosRecord> into) {
        byte[] group = wanted.address.groupPrefix();
        try (KvCursor c = context.kv().cursor(KvRange.prefix(prefixes.getFirst()))) {
            if (from != null) c.seek(from);
            for (int visited = 0; c.next(); visited++) {
                byte[] key = c.key();
                if (into.size() == STEP_RECORDS || visited == STEP_VISITS) return key;
                boolean isOpen = shard.dtx().epochs(Keys.scope(group, key)).contains(Keys.epoch(key));
                if (Keys.epoch(key) > wanted.epoch || isOpen) continue;
                VosRecord r = Deletion.decode(context, shard, c);
                if (r == null) damaged.add(key);
                else if (shard.writer().claim(r)) into.add(r);
            }
            return null;
        }
    }
}
