package io.daosmesh.engine.object;

import io.daosmesh.engine.dtx.DtxEntry;
import io.daosmesh.engine.dtx.DtxTable;
import io.daosmesh.engine.target.StagedOp;
import io.daosmesh.engine.vos.ByteKey;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.VosRecord;
import io.daosmesh.model.id.DtxId;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Applies the outcome of DTXs to this target. Owner: target loop. */
final class Outcomes {
    /** Old committed entries dropped with each batch of new ones: more than one each, so that the table shrinks. */
    private static final int EXPIRED_PER_BATCH = 1024;

    private final Env env;

    Outcomes(Env env) {
        this.env = env;
    }

    /** The DTXs are committed; their entries are no longer prepared. Not synced: the members can be asked again. */
    void commit(PoolShard s, List<DtxTable.Committed> dtxs) {
        if (dtxs.isEmpty()) return;
        StagedOp op = new StagedOp(false);
        long hlc = env.host().hlcNow();
        for (DtxTable.Committed d : dtxs) {
            s.dtx().startCommit(d);
            op.batch().put(Keys.dtx(s.pool(), d.id()), DtxEntry.encodeCommitted(d, hlc));
        }
        for (DtxId old : s.dtx().takeExpired(env.nowNs(), EXPIRED_PER_BATCH))
            op.batch().delete(Keys.dtx(s.pool(), old));
        s.counters().dtxCommits.addAndGet(dtxs.size());
        env.turns().stage(op, fault -> {
            // on a fault the store has failed for good and the entries stay where they are found
            if (fault == null) for (DtxTable.Committed d : dtxs) s.dtx().endCommit(d, env.nowNs());
        });
    }

    /** A prepared entry of this target becomes visible. */
    void commitEntry(PoolShard s, DtxEntry entry) {
        s.dtx().remove(entry);
        commit(s, List.of(entry.committed()));
        wake(s, entry);
    }

    /** Removes a durable prepared entry with its records. */
    void abort(PoolShard s, DtxEntry entry) {
        if (entry.isSettling()) return;
        entry.setSettling(true);
        s.counters().dtxAborts.incrementAndGet();
        StagedOp op = new StagedOp(true);
        List<VosRecord> records = dropInto(s, op, entry);
        op.batch().delete(Keys.dtx(s.pool(), entry.id()));
        env.turns().stage(op, fault -> {
            entry.setSettling(false);
            if (fault != null) {
                s.writer().keep(records);
                return;
            }
            s.writer().release(records);
            s.dtx().remove(entry);
            wake(s, entry);
        });
    }

    /** Deletes an entry's records; answers them for releasing their space when durable. */
    List<VosRecord> dropInto(PoolShard s, StagedOp op, DtxEntry entry) {
        List<VosRecord> records = new ArrayList<>();
        for (byte[] key : entry.recordKeys()) {
            byte[] value = env.kv().get(key);
            if (value == null) continue;
            VosRecord r = VosRecord.decode(key, value);
            if (!s.writer().claim(r)) continue;
            records.add(r);
            op.batch().delete(key);
        }
        return records;
    }

    private static boolean isFor(DtxEntry entry, @Nullable ByteKey waited) {
        return waited != null && entry.isIn(waited.bytes());
    }

    /** Lets requests go on that waited for the outcome. */
    void wake(PoolShard s, DtxEntry entry) {
        s.parked
                .take(w -> isFor(entry, w.key().scope()))
                .forEach(w -> env.loop().execute(w.retry()));
    }
}
