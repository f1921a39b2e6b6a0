package io.daosmesh.engine.object;

import io.daosmesh.engine.target.StagedOp;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.Superseded;
import io.daosmesh.engine.vos.VosRecord;
import io.daosmesh.model.time.Hlc;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import java.util.List;

/**
 * Drops records that no reader of now can see any more, so that overwriting does not fill the pool. A pass walks the
 * shard dkey by dkey, a bounded step for each tick; it pauses while data is being moved by epoch. Owner: target loop.
 */
final class Aggregation {
    /** Records younger than this are left alone: resends, late members and reads at an epoch may still need them. */
    private static final long SAFE_AGE_HLC = Hlc.fromNanos(60_000_000_000L);
    /** Between two passes. */
    private static final long PAUSE_NS = 30_000_000_000L;
    /** Above the safe age. */
    private static final long QUIET_NS = 90_000_000_000L;
    /** Entries looked at in one tick: about 2 ms of the loop. */
    private static final int ENTRIES_PER_STEP = 4_000;

    private final Env env;
    private final long safeAgeHlc;
    private byte[] at = VosRecord.NO_BYTES;
    private long nextPassNs;
    private long changesAtStart;
    private long lastChangeNs;
    private boolean isQuiet;
    private boolean isBusy;

    Aggregation(Env env) {
        this(env, SAFE_AGE_HLC);
    }

    Aggregation(Env env, long safeAgeHlc) {
        this.env = env;
        this.safeAgeHlc = safeAgeHlc;
        this.nextPassNs = env.nowNs() + (safeAgeHlc == SAFE_AGE_HLC ? PAUSE_NS : 0);
    }

    void onTick(PoolShard s) {
        long now = env.nowNs();
        if (isBusy || s.state() != PoolShard.State.SERVING || s.isRebuilding()) return;
        if (at.length == 0) {
            if (now < nextPassNs || s.changes == 0) return;
            isQuiet = s.changes == changesAtStart && now - lastChangeNs > QUIET_NS;
            if (s.changes != changesAtStart) lastChangeNs = now;
            changesAtStart = s.changes;
            at = Keys.records(s.pool());
        }
        step(s, now);
    }

    private void step(PoolShard s, long now) {
        long safe = env.host().hlcNow() - safeAgeHlc;
        Superseded.Found found;
        try (KvCursor c = env.kv().cursor(KvRange.prefix(Keys.records(s.pool())))) {
            found = Superseded.search(c, at, safe, s.dtx(), ENTRIES_PER_STEP);
        }
        byte[] next = found.next();
        if (next == null) {
            at = VosRecord.NO_BYTES;
            nextPassNs = now + PAUSE_NS;
            // a pass that began long after the last change has seen everything
            if (isQuiet && s.changes == changesAtStart) s.changes = 0;
        } else {
            at = next;
        }
        List<VosRecord> records = found.records();
        if (records.isEmpty()) return;
        isBusy = true;
        StagedOp op = new StagedOp(true);
        for (VosRecord r : records) op.batch().delete(r.key());
        env.turns().stage(op, fault -> {
            isBusy = false;
            if (fault != null) return;
            s.writer().release(records, env.nowNs());
            s.counters().aggregatedRecords.addAndGet(records.size());
        });
    }
}
