package io.daosmesh.engine.write;

import io.daosmesh.engine.dtx.DtxEntry;
import io.daosmesh.engine.dtx.DtxTable;
import io.daosmesh.engine.shard.Access;
import io.daosmesh.engine.shard.PoolShard;
import io.daosmesh.engine.shard.TargetContext;
import io.daosmesh.engine.turn.StagedOp;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.VosRecord;
import io.daosmesh.model.id.DtxId;
import java.util.ArrayList;
import java.util.List;

/** Applies the outcome of DTXs to this target. Owner: target loop. */
public final class Outcomes {
    /** Old committed entries dropped at once, in each tick of 50 ms: 20,000/s, more than a target can commit. */
    static final int EXPIRED_MAX = 1024;
    /** When fewer were to be dropped: a batch for a few would cost as much. */
    private static final long EXPIRY_PAUSE_NS = 5_000_000_000L;

    private final TargetContext context;
    private final PoolShard shard;
    private final Access access;
    private long nextExpiryNs;

    public Outcomes(TargetContext context, PoolShard shard, Access access) {
        this.nextExpiryNs = context.nowNs();
        this.context = context;
        this.shard = shard;
        this.access = access;
    }

    /**
     * The DTXs are committed; their entries are no longer prepared. Not synced: the members can be asked again.
     *
     * @param isByAll every member of their time has them; else those of an older map count as changes of this one, because who
     *     has left may have gone without them
     */
    void commit(List<DtxEntry> entries, boolean isByAll) {
        if (entries.isEmpty()) return;
        StagedOp op = new StagedOp(false);
        long hlc = context.host().hlcNow();
        for (DtxEntry e : entries) {
            DtxTable.Committed d = e.committed();
            shard.dtx().startCommit(d);
            op.batch().put(Keys.dtx(shard.pool(), d.id()), DtxEntry.encodeCommitted(d, hlc));
        }
        int version = shard.mapVersion();
        List<byte[]> late = entries.stream()
                .filter(e -> !isByAll && e.mapVersion() < version)
                .flatMap(e -> e.scopes().stream())
                .toList();
        shard.changes().note(late, op);
        shard.counters().dtxCommits.add(entries.size());
        context.turns().stage(op, fault -> {
            // on a fault the store has failed for good and the entries stay where they are found
            if (fault != null) return;
            for (DtxEntry e : entries) shard.dtx().endCommit(e.committed(), context.nowNs());
            shard.changes().onDurable(late, version, op);
        });
    }

    /** Forgets committed DTXs that nobody asks for any more. */
    public void onTick() {
        long now = context.nowNs();
        if (now - nextExpiryNs < 0) return;
        List<DtxId> old = shard.dtx().takeExpired(now, EXPIRED_MAX);
        if (old.size() < EXPIRED_MAX) nextExpiryNs = now + EXPIRY_PAUSE_NS;
        if (old.isEmpty()) return;
        StagedOp op = new StagedOp(false);
        for (DtxId id : old) op.batch().delete(Keys.dtx(shard.pool(), id));
        context.turns().stage(op, fault -> {});
    }

    /** A prepared entry of this target becomes visible. */
    void commitEntry(DtxEntry entry) {
        shard.dtx().remove(entry);
        commit(List.of(entry), false);
        access.wake(entry);
    }

    /** Removes a durable prepared entry with its records. */
    void abort(DtxEntry entry) {
        if (entry.isSettling()) return;
        entry.setSettling(true);
        shard.counters().dtxAborts.increment();
        StagedOp op = new StagedOp(true);
        List<VosRecord> records = dropInto(op, entry);
        op.batch().delete(Keys.dtx(shard.pool(), entry.id()));
        context.turns().stage(op, fault -> {
            entry.setSettling(false);
            if (fault != null) {
                shard.writer().keep(records);
                return;
            }
            shard.writer().release(records);
            shard.dtx().remove(entry);
            access.wake(entry);
        });
    }

    /** Deletes an entry's records; answers them for releasing their space when durable. */
    List<VosRecord> dropInto(StagedOp op, DtxEntry entry) {
        List<VosRecord> records = new ArrayList<>();
        for (byte[] key : entry.recordKeys()) {
            byte[] value = context.kv().get(key);
            if (value == null) continue;
            VosRecord r = VosRecord.decode(key, value);
            if (!shard.writer().claim(r)) continue;
            records.add(r);
            op.batch().delete(key);
        }
        return records;
    }
}
