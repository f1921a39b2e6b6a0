package io.daosmesh.engine.space;

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
import java.util.ArrayList;
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
    private final ShardAddress address;
    private final long epoch;
    private final Done done;

    private Leftovers(
            TargetContext context, PoolShard shard, Access access, ShardAddress address, long epoch, Done done) {
        this.context = context;
        this.shard = shard;
        this.access = access;
        this.address = address;
        this.epoch = epoch;
        this.done = done;
    }

    /** Committed records of the group at or below the epoch; STALE when the target does not pull it at the map version. */
    public static void clear(
            TargetContext context, PoolShard shard, Access access, ShardAddress address, long epoch, Done done) {
        Leftovers l = new Leftovers(context, shard, access, address, epoch, done);
        // behind what is on its way to the index now
        context.turns().stage(new StagedOp(false), fault -> l.step(address.groupPrefix()));
    }

    private void step(byte[] from) {
        Fault f = refusal();
        if (f != null) {
            done.done(f);
            return;
        }
        List<VosRecord> records = new ArrayList<>();
        byte[] next;
        try {
            next = collect(from, records);
        } catch (FaultException e) {
            shard.writer().keep(records);
            done.done(e.fault());
            return;
        }
        if (records.isEmpty() && next == null) {
            done.done(null);
            return;
        }
        StagedOp op = new StagedOp(true);
        for (VosRecord r : records) op.batch().delete(r.key());
        context.turns().stage(op, fault -> {
            if (fault == null) shard.writer().release(records);
            else shard.writer().keep(records);
            if (fault != null || next == null) done.done(fault);
            else step(next);
        });
    }

    private @Nullable Fault refusal() {
        Fault f = access.stale(address.mapVersion());
        if (f == null) f = shard.refusal();
        if (f != null) return f;
        ShardGroup g = shard.group(address.oid(), address.group());
        boolean isMissing = g.isAvailable() && g.missing().contains(shard.myId());
        return isMissing ? null : Fault.of(FaultCode.STALE, "this target does not pull the group");
    }

    /** Where the next step starts; null = the end was reached. */
    private byte @Nullable [] collect(byte[] from, List<VosRecord> into) {
        byte[] group = address.groupPrefix();
        try (KvCursor c = context.kv().cursor(KvRange.prefix(group))) {
            c.seek(from);
            for (int visited = 0; c.next(); visited++) {
                byte[] key = c.key();
                if (into.size() == STEP_RECORDS || visited == STEP_VISITS) return key;
                VosRecord r = VosRecord.decode(key, c.value());
                boolean isOpen = shard.dtx().epochs(Keys.scope(group, key)).contains(r.epoch());
                if (r.epoch() <= epoch && !isOpen && shard.writer().claim(r)) into.add(r);
            }
            return null;
        }
    }
}
