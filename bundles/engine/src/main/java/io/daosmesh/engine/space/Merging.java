package io.daosmesh.engine.space;

import io.daosmesh.engine.shard.PoolShard;
import io.daosmesh.engine.shard.TargetContext;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.MergeSearch;
import io.daosmesh.engine.vos.VosRecord;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;

/**
 * Writes anew what is visible of extents that are partly covered or short, so that an array that is overwritten in pieces
 * stays readable at one go and gives its space back. A pass walks the shard akey by akey; one merge is under way at a time,
 * for each tick a bounded number of bytes, few while clients ask. Owner: target loop.
 */
final class Merging {
    /** Copied for each tick of 50 ms: 80 MB/s while nobody asks for anything, and when space is short. */
    private static final long BYTES_PER_TICK = 4 << 20;
    /** While clients ask: 5 MB/s. */
    private static final long BUSY_BYTES_PER_TICK = 256 << 10;
    /** What a merge costs beside its bytes: turns of the loop, a commit. */
    private static final long MERGE_COST_BYTES = 64 << 10;

    private final TargetContext context;
    private final PoolShard shard;
    private final Predicate<byte[]> isOurs;
    private final BooleanSupplier isSearched;
    private final Queue<MergeSearch.Merge> queue = new ArrayDeque<>();
    /** Where the pass goes on; empty = at its end. */
    private byte[] at = VosRecord.NO_BYTES;

    private long creditBytes;
    private long seenOperations;
    private boolean isBusy;
    private boolean hasMore;

    /**
     * @param isOurs groups of which all that is to come has come
     * @param isSearched somebody walks the index over several turns, and would have to begin anew
     */
    Merging(TargetContext context, PoolShard shard, Predicate<byte[]> isOurs, BooleanSupplier isSearched) {
        this.context = context;
        this.shard = shard;
        this.isOurs = isOurs;
        this.isSearched = isSearched;
    }

    void begin() {
        at = Keys.records(shard.pool());
        hasMore = false;
    }

    boolean isUnderWay() {
        return at.length > 0 || !queue.isEmpty() || isBusy;
    }

    /** A merge is on its way. */
    boolean isBusy() {
        return isBusy;
    }

    /** The pass has changed something, or has left something: another one would find more. */
    boolean hasMore() {
        return hasMore;
    }

    /** What was found holds no longer. */
    void stop() {
        hasMore |= isUnderWay();
        queue.clear();
        at = VosRecord.NO_BYTES;
    }

    /** @param isUrgent space is short */
    void onTick(long safeEpoch, int entriesMax, boolean isUrgent) {
        long operations = shard.counters().operations();
        boolean isCalm = operations == seenOperations || isUrgent;
        seenOperations = operations;
        long more = isCalm ? BYTES_PER_TICK : BUSY_BYTES_PER_TICK;
        creditBytes = Math.min(more, creditBytes + more);
        if (isBusy || shard.writer().isDeleting()) return;
        if (queue.isEmpty() && at.length > 0) search(safeEpoch, entriesMax);
        next();
    }

    private void search(long safeEpoch, int entriesMax) {
        // what is prepared from now on lies above it, or would be hidden by what it is newer than
        shard.dtx().close(safeEpoch);
        MergeSearch.Found found = MergeSearch.search(context.kv(), at, safeEpoch, shard.dtx(), isOurs, entriesMax);
        queue.addAll(found.merges());
        hasMore |= found.isHeld() || !found.merges().isEmpty();
        byte[] next = found.next();
        at = next == null ? VosRecord.NO_BYTES : next;
    }

    private void next() {
        if (isBusy || creditBytes <= 0 || isSearched.getAsBoolean()) return;
        MergeSearch.Merge merge = queue.poll();
        if (merge == null) return;
        creditBytes -= MERGE_COST_BYTES + merge.copiedBytes();
        isBusy = true;
        new MergeOp(context, shard, merge, isSearched, () -> {
                    isBusy = false;
                    // in a turn of its own: others come between
                    context.loop().execute(this::goOn);
                })
                .start();
    }

    private void goOn() {
        if (shard.state() == PoolShard.State.SERVING && !shard.isRebuilding()) next();
    }
}
