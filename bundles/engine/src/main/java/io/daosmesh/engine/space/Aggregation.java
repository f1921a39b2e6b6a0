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
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;

/**
 * Drops records that no reader of now can see any more, so that overwriting does not fill the pool, and then has
 * {@link Merging} write anew what is left in parts. A pass walks the shard dkey by dkey, a bounded step for each tick. When
 * space gets short it goes on with hardly a pause and nearer to now. Owner: target loop.
 *
 * <p>While data is being moved it only drops, and only in groups of which this target holds all: whatever hides a record here is
 * copied with it, or has gone to the new homes by itself; and a punch lies before all that it hides, so that no copy has
 * the one without the other. To change the place of what is visible would let a copy miss it. When hardly any space is left,
 * values go in the other groups, too, because the rebuild may wait for their room; what hides others stays there: what
 * it hides may be on its way.
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
    private final Merging merging;
    private byte[] at = VosRecord.NO_BYTES;
    private boolean hasPassed;
    private long passStartNs;
    private long passEndNs;
    private int seenVersion;
    private long seenChanges;
    private long lastChangeNs;
    private boolean isBusy;

    /** @param isSearched somebody walks the index over several turns: nothing visible changes its place until he is done */
    public Aggregation(TargetContext context, PoolShard shard, BooleanSupplier isSearched) {
        this.context = context;
        this.shard = shard;
        this.merging = new Merging(context, shard, this::isOurs, isSearched);
        this.passEndNs = context.nowNs();
    }

    public void onTick() {
        long now = context.nowNs();
        if (shard.dtx().changeCount() != seenChanges) {
            seenChanges = shard.dtx().changeCount();
            lastChangeNs = now;
        }
        // what was not looked at by the map before may be by this one
        hasPassed &= shard.mapVersion() == seenVersion;
        seenVersion = shard.mapVersion();
        if (isBusy || merging.isBusy() || !shard.isServing()) return;
        if (shard.isRebuilding()) merging.stop();
        boolean isShort = isLessFree(shard.space(), SHORT_PART);
        Pace pace = isShort ? SHORT : CALM;
        if (merging.isUnderWay()) {
            merging.onTick(safeEpoch(pace), pace.entriesPerStep, isShort);
            if (!merging.isUnderWay()) passEndNs = now;
            return;
        }
        if (at.length == 0) {
            // a pass that began later than the safe age after the last change has seen everything
            boolean isLate = hasPassed && passStartNs - lastChangeNs >= 2 * CALM.safeAgeNs;
            boolean isDue = seenChanges > 0 && (!isLate || merging.hasMore());
            if (!isDue || now - passEndNs < pace.pauseNs) return;
            passStartNs = now;
            at = Keys.records(shard.pool());
        }
        step(pace);
    }

    private long safeEpoch(Pace pace) {
        return context.host().hlcNow() - Hlc.fromNanos(pace.safeAgeNs);
    }

    /** Nothing of the group is still to be copied to this target. */
    private boolean isOurs(byte[] groupPrefix) {
        Keys.Parts p = Keys.parse(groupPrefix);
        return shard.group(p.oid(), p.group()).settled().contains(shard.myId());
    }

    private static boolean isLessFree(PoolSpace space, int part) {
        return space.blob().allocator().usableBytes() < space.blob().sizeBytes() / part
                || space.scm().freeBytes() < space.scm().totalBytes() / part;
    }

    private void step(Pace pace) {
        boolean isScarce = shard.isRebuilding() && isLessFree(shard.space(), SCARCE_PART);
        Predicate<byte[]> isLookedAt = isScarce ? group -> true : this::isOurs;
        Superseded.Found found;
        try (KvCursor c = context.kv().cursor(KvRange.prefix(Keys.records(shard.pool())))) {
            found = Superseded.search(c, at, safeEpoch(pace), shard.dtx(), isLookedAt, pace.entriesPerStep);
        }
        byte[] next = found.next();
        at = next == null ? VosRecord.NO_BYTES : next;
        if (next == null) {
            hasPassed = true;
            passEndNs = context.nowNs();
            if (!shard.isRebuilding()) merging.begin();
        }
        List<VosRecord> records = found.records().stream()
                .filter(r -> !isScarce || isValue(r) || isOurs(Keys.groupOf(r.key())))
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
            count(records);
        });
    }

    private static boolean isValue(VosRecord r) {
        return r.kind() == VosRecord.SINGLE || r.kind() == VosRecord.EXTENT;
    }

    private void count(List<VosRecord> dropped) {
        for (VosRecord r : dropped) {
            boolean isExtent = r.kind() == VosRecord.EXTENT || r.kind() == VosRecord.PUNCH_EXTENT;
            if (isExtent) shard.counters().droppedExtents.increment();
            else if (r.kind() == VosRecord.SINGLE)
                shard.counters().droppedValues.increment();
        }
    }
}
