package io.daosmesh.engine.space;

import io.daosmesh.engine.shard.Access;
import io.daosmesh.engine.shard.PoolShard;
import io.daosmesh.engine.shard.TargetContext;
import io.daosmesh.engine.turn.StagedOp;
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
 * goes on without pauses and nearer to now. When hardly any is left it drops values while data is moved, too, because the
 * rebuild may wait for their room; what hides others stays then: what they hide may be on its way. Owner: target loop.
 */
public final class Aggregation {
    /** How patient it is. */
    private record Pace(long safeAgeNs, long pauseNs, int entriesPerStep) {}

    /**
     * A few ms of the loop for each tick, twice as many inside a large dkey. Late members find what they need for a while, and a steady load of overwrites
     * stays within the blocks that it has used before.
     */
    private static final Pace CALM = new Pace(20_000_000_000L, 10_000_000_000L, 2_500);
    /** Above every deadline of a request, and above {@link Access#READ_AGE_NS}. */
    private static final Pace SHORT = new Pace(10_000_000_000L, 1_000_000_000L, 5_000);
    /** Space is short when less than this part is free. */
    private static final int SHORT_PART = 2;
    /** Hardly any is left when less than this part is free. */
    private static final int SCARCE_PART = 8;

    private final TargetContext context;
    private final PoolShard shard;
    private byte[] at = VosRecord.NO_BYTES;
    private boolean hasPassed;
    /** The pass under way has dropped all that it may. */
    private boolean isWhole;

    private long passStartNs;
    private long passEndNs;
    private long seenChanges;
    private long lastChangeNs;
    private boolean isBusy;

    public Aggregation(TargetContext context, PoolShard shard) {
        this.context = context;
        this.shard = shard;
        this.passEndNs = context.nowNs();
    }

    public void onTick() {
        long now = context.nowNs();
        if (shard.dtx().changeCount() != seenChanges) {
            seenChanges = shard.dtx().changeCount();
            lastChangeNs = now;
        }
        if (isBusy || shard.state() != PoolShard.State.SERVING || shard.map() == null) return;
        boolean isMoving = shard.isRebuilding();
        if (isMoving && !isLessFree(shard.space(), SCARCE_PART)) return;
        Pace pace = isLessFree(shard.space(), SHORT_PART) ? SHORT : CALM;
        if (at.length == 0) {
            // a pass that began later than the safe age after the last change has seen everything
            boolean isDue = seenChanges > 0 && (!hasPassed || passStartNs - lastChangeNs < 2 * CALM.safeAgeNs);
            if (!isDue || now - passEndNs < pace.pauseNs) return;
            passStartNs = now;
            at = Keys.records(shard.pool());
            isWhole = true;
        }
        isWhole &= !isMoving;
        step(pace, isMoving);
    }

    private static boolean isLessFree(PoolSpace space, int part) {
        return space.blob().allocator().usableBytes() < space.blob().sizeBytes() / part
                || space.scm().freeBytes() < space.scm().totalBytes() / part;
    }

    private void step(Pace pace, boolean isMoving) {
        long safe = context.host().hlcNow() - Hlc.fromNanos(pace.safeAgeNs);
        Superseded.Found found;
        try (KvCursor c = context.kv().cursor(KvRange.prefix(Keys.records(shard.pool())))) {
            found = Superseded.search(c, at, safe, shard.dtx(), pace.entriesPerStep);
        }
        byte[] next = found.next();
        at = next == null ? VosRecord.NO_BYTES : next;
        if (next == null) {
            hasPassed = isWhole;
            passEndNs = context.nowNs();
        }
        List<VosRecord> records = found.records().stream()
                .filter(r -> !isMoving || isValue(r))
                .filter(shard.writer()::claim)
                .toList();
        if (records.isEmpty()) return;
        isBusy = true;
        StagedOp op = new StagedOp(true);
        for (VosRecord r : records) op.batch().delete(r.key());
        context.turns().stage(op, fault -> {
            isBusy = false;
            if (fault != null) {
                shard.writer().keep(records);
                return;
            }
            shard.writer().release(records);
            shard.counters().aggregatedRecords.add(records.size());
        });
    }

    private static boolean isValue(VosRecord r) {
        return r.kind() == VosRecord.SINGLE || r.kind() == VosRecord.EXTENT;
    }
}
