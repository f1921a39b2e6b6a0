package io.daosmesh.engine.object;

import io.daosmesh.engine.target.StagedOp;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.Superseded;
import io.daosmesh.engine.vos.VosRecord;
import io.daosmesh.model.time.Hlc;
import io.daosmesh.storage.PoolSpace;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import java.util.List;

/**
 * Drops records that no reader of now can see any more, so that overwriting does not fill the pool. A pass walks the
 * shard dkey by dkey, a bounded step for each tick; it pauses while data is being moved by epoch. When space gets short it
 * goes on without pauses and nearer to now. Owner: target loop.
 */
final class Aggregation {
    /** How patient it is. */
    private record Pace(long safeAgeNs, long pauseNs, int entriesPerStep) {}

    /**
     * About 2 ms of the loop for each tick. Late members find what they need for a while, and a steady load of overwrites
     * stays within the blocks that it has used before.
     */
    private static final Pace CALM = new Pace(20_000_000_000L, 10_000_000_000L, 4_000);
    /** Above every deadline of a request, and above {@link #READ_AGE_NS}. */
    private static final Pace SHORT = new Pace(10_000_000_000L, 1_000_000_000L, 20_000);
    /** A read at an older epoch could miss what has been dropped since. */
    static final long READ_AGE_NS = 8_000_000_000L;
    /** Space is short when less than this part is free. */
    private static final int SHORT_PART = 2;

    private final Env env;
    private byte[] at = VosRecord.NO_BYTES;
    private boolean hasPassed;
    private long passStartNs;
    private long passEndNs;
    private long seenChanges;
    private long lastChangeNs;
    private boolean isBusy;

    Aggregation(Env env) {
        this.env = env;
        this.passEndNs = env.nowNs();
    }

    void onTick(PoolShard s) {
        long now = env.nowNs();
        if (s.changes != seenChanges) {
            seenChanges = s.changes;
            lastChangeNs = now;
        }
        if (isBusy || s.state() != PoolShard.State.SERVING || s.isRebuilding()) return;
        Pace pace = isShort(s.space()) ? SHORT : CALM;
        if (at.length == 0) {
            // a pass that began later than the safe age after the last change has seen everything
            boolean isDue = seenChanges > 0 && (!hasPassed || passStartNs - lastChangeNs < 2 * CALM.safeAgeNs);
            if (!isDue || now - passEndNs < pace.pauseNs) return;
            passStartNs = now;
            at = Keys.records(s.pool());
        }
        step(s, pace);
    }

    private static boolean isShort(PoolSpace space) {
        return space.blob().allocator().freeBytes() < space.blob().sizeBytes() / SHORT_PART
                || space.scm().freeBytes() < space.scm().totalBytes() / SHORT_PART;
    }

    private void step(PoolShard s, Pace pace) {
        long safe = env.host().hlcNow() - Hlc.fromNanos(pace.safeAgeNs);
        Superseded.Found found;
        try (KvCursor c = env.kv().cursor(KvRange.prefix(Keys.records(s.pool())))) {
            found = Superseded.search(c, at, safe, s.dtx(), pace.entriesPerStep);
        }
        byte[] next = found.next();
        at = next == null ? VosRecord.NO_BYTES : next;
        if (next == null) {
            hasPassed = true;
            passEndNs = env.nowNs();
        }
        List<VosRecord> records =
                found.records().stream().filter(s.writer()::claim).toList();
        if (records.isEmpty()) return;
        isBusy = true;
        StagedOp op = new StagedOp(true);
        for (VosRecord r : records) op.batch().delete(r.key());
        env.turns().stage(op, fault -> {
            isBusy = false;
            if (fault != null) {
                s.writer().keep(records);
                return;
            }
            s.writer().release(records);
            s.counters().aggregatedRecords.addAndGet(records.size());
        });
    }
}
