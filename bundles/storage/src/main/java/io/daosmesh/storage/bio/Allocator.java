package io.daosmesh.storage.bio;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.Invariant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Gives out 4 KiB blocks of one blob, the way of DAOS's VEA: continue behind the last extent (hint), else the best fit of
 * the small fragments, else the largest one. Blocks that were used before come first: only when none of them fit is the
 * untouched end of the blob begun, because on an emulated device the first write of a block costs a commit of the file
 * system's journal. What is freed is used again when no read that may still look at it is under way; after a failed
 * write, whose device may be writing yet, when it has aged. Keeps nothing durable: its owner marks what is used at each of
 * its starts, in a {@link Recount}. Owner: target loop; the counters and {@link #endRead} are for any thread. Pure.
 */
public final class Allocator {
    public static final int BLOCK_BYTES = 4096;
    /** Pieces of one allocation on a fragmented blob; more and the answer is NOSPACE. */
    public static final int PIECES_MAX = 64;
    /** Fragments of at least 1 MiB count as large: a whole bulk transfer fits. */
    private static final long LARGE_BLOCKS = 256;

    private record Fragment(long start, long blocks) {}

    private record Aged(Fragment fragment, long freedNs) {}

    private record Retired(Fragment fragment, long generation) {}

    private final long blockCount;
    private final long ageNs;
    private final TreeMap<Long, Long> freeByStart = new TreeMap<>();
    private final TreeSet<Fragment> freeBySize =
            new TreeSet<>(Comparator.comparingLong(Fragment::blocks).thenComparingLong(Fragment::start));
    private final ArrayDeque<Aged> aging = new ArrayDeque<>();
    private final ArrayDeque<Retired> retired = new ArrayDeque<>();
    private ReadGenerations reads = new ReadGenerations(0);
    /** Until then a former owner's reads may be under way, of which nothing is known. */
    private long readsUntilNs;

    private boolean areReadsUnknown;
    /** From here to the end nothing has been given out yet. */
    private long untouched;

    private long hint;
    private volatile Counters counters;
    private volatile long keptBlocks;
    private long freeBlocks;
    private long agingBlocks;
    private long hintCount;
    private long largeCount;
    private long smallCount;

    /** Numbers for the metrics {@code engine_pool_block_allocator_*}. */
    public record Counters(
            long freeBlocks, long agingBlocks, long hintCount, long largeCount, long smallCount, int fragmentCount) {}

    public Allocator(long sizeBytes, long ageNs) {
        this.blockCount = sizeBytes / BLOCK_BYTES;
        this.ageNs = ageNs;
        freeBlocks = blockCount;
        counters = count();
    }

    public Counters counters() {
        return counters;
    }

    /** Bytes that can be given out now or after ageing. */
    public long freeBytes() {
        Counters c = counters;
        return (c.freeBlocks + c.agingBlocks) * BLOCK_BYTES;
    }

    /** Bytes of the blob that only what may use the reserve gets: rebuild and repair, which must not fail in a full pool. */
    public void keep(long bytes) {
        keptBlocks = Math.min(blockCount, (bytes + BLOCK_BYTES - 1) / BLOCK_BYTES);
    }

    /** What is free besides the reserve. */
    public long usableBytes() {
        return Math.max(0, freeBytes() - keptBlocks * BLOCK_BYTES);
    }

    public long usedBytes() {
        return blockCount * BLOCK_BYTES - freeBytes();
    }

    /** As {@link #allocate(long, long)}, but NOSPACE as well when only the reserve is left. */
    public List<Extent> allocateUsable(long lengthBytes, long nowNs) {
        long blocks = (lengthBytes + BLOCK_BYTES - 1) / BLOCK_BYTES;
        if (keptBlocks > 0 && blocks > freeBlocks + agingBlocks - keptBlocks)
            throw Fault.of(
                            FaultCode.NOSPACE,
                            "%d bytes wanted, %d free, %d of them are kept for rebuild (space_rb)",
                            lengthBytes,
                            (freeBlocks + agingBlocks) * BLOCK_BYTES,
                            keptBlocks * BLOCK_BYTES)
                    .remedy("delete what is not needed, extend the pool, or lower its property space_rb")
                    .asException();
        return allocate(lengthBytes, nowNs);
    }

    /**
     * Extents of together {@code lengthBytes} (rounded up to blocks), usually one. NOSPACE when full, AGAIN when freed
     * extents only have to age.
     */
    public List<Extent> allocate(long lengthBytes, long nowNs) {
        Invariant.check(lengthBytes > 0, "allocation of %d bytes", lengthBytes);
        reuseRetired(nowNs);
        expire(nowNs);
        long blocks = (lengthBytes + BLOCK_BYTES - 1) / BLOCK_BYTES;
        if (blocks > freeBlocks) throw refuse(lengthBytes, blocks);
        List<Extent> pieces = new ArrayList<>(1);
        long left = blocks;
        while (left > 0) {
            if (pieces.size() == PIECES_MAX) {
                for (Extent piece : pieces) addFree(fragment(piece));
                throw Fault.of(FaultCode.NOSPACE, "free space is too fragmented for %d bytes", lengthBytes)
                        .asException();
            }
            Fragment piece = choose(left);
            if (piece.start == untouched) {
                untouched += piece.blocks;
                freeBlocks -= piece.blocks;
            } else {
                takeFree(piece.start, piece.blocks);
            }
            hint = piece.start + piece.blocks;
            pieces.add(new Extent(piece.start * BLOCK_BYTES, piece.blocks * BLOCK_BYTES));
            left -= piece.blocks;
        }
        counters = count();
        return pieces;
    }

    private RuntimeException refuse(long lengthBytes, long blocks) {
        boolean isOnlyAging = blocks <= freeBlocks + agingBlocks;
        return Fault.of(
                        isOnlyAging ? FaultCode.AGAIN : FaultCode.NOSPACE,
                        "%d bytes wanted, %d free, %d just freed",
                        lengthBytes,
                        freeBlocks * BLOCK_BYTES,
                        agingBlocks * BLOCK_BYTES)
                .asException();
    }

    private Fragment choose(long blocks) {
        Long behindHint = freeByStart.get(hint);
        if (behindHint != null && behindHint >= blocks) {
            hintCount++;
            return new Fragment(hint, blocks);
        }
        Fragment fit = freeBySize.ceiling(new Fragment(0, blocks));
        if (fit != null && fit.blocks < LARGE_BLOCKS) {
            smallCount++;
            return new Fragment(fit.start, blocks);
        }
        long untouchedBlocks = blockCount - untouched;
        boolean isUntouched = fit == null && untouchedBlocks >= blocks;
        if (isUntouched && hint == untouched) hintCount++;
        else largeCount++;
        if (isUntouched) return new Fragment(untouched, blocks);
        Fragment largest = freeBySize.isEmpty() ? null : freeBySize.last();
        return largest == null || largest.blocks < untouchedBlocks
                ? new Fragment(untouched, Math.min(blocks, untouchedBlocks))
                : new Fragment(largest.start, Math.min(blocks, largest.blocks));
    }

    /** Gives an extent back whose write has failed: the device may still be at it, so it ages. */
    public void free(Extent extent, long nowNs) {
        Fragment f = fragment(extent);
        checkUsed(f, extent);
        aging.addLast(new Aged(f, nowNs));
        agingBlocks += f.blocks;
        counters = count();
    }

    /** Gives an extent back that was written well and that no record names any more; the caller has made that durable. */
    public void retire(Extent extent) {
        Fragment f = fragment(extent);
        checkUsed(f, extent);
        retired.addLast(new Retired(f, reads.present()));
        agingBlocks += f.blocks;
        counters = count();
    }

    private void checkUsed(Fragment f, Extent extent) {
        Map.Entry<Long, Long> before = freeByStart.floorEntry(f.start + f.blocks - 1);
        Invariant.check(
                f.start + f.blocks <= untouched && (before == null || before.getKey() + before.getValue() <= f.start),
                "extent %s is already free",
                extent);
    }

    /** A read of bytes that a record names now begins; what is retired from here on waits for its end. */
    public long beginRead() {
        return reads.begin();
    }

    /** Any thread, once for each {@link #beginRead}. */
    public void endRead(long generation) {
        reads.end(generation);
    }

    /**
     * A new owner begins: what it does not mark as used is free. What the former one, if there was any, had given out for
     * writes that nobody finishes any more, or had just freed, ages: the device may still be at it.
     */
    public Recount recount() {
        return new Recount();
    }

    /** What is used is named anew. Owner: target loop. */
    public final class Recount {
        private final TreeMap<Long, Long> freeBefore = new TreeMap<>(freeByStart);
        private final long untouchedBefore = untouched;

        private Recount() {
            freeByStart.clear();
            freeBySize.clear();
            aging.clear();
            retired.clear();
            agingBlocks = 0;
            freeBlocks = blockCount;
            untouched = 0;
            hint = 0;
        }

        /** Takes exactly this extent. False if a part of it is taken: the index is damaged. */
        public boolean markUsed(Extent extent) {
            Fragment f = fragment(extent);
            long end = f.start + f.blocks;
            touch(end);
            Map.Entry<Long, Long> around = freeByStart.floorEntry(f.start);
            if (around == null || around.getKey() + around.getValue() < end) return false;
            takeFree(f.start, f.blocks);
            hint = Math.max(hint, f.start + f.blocks);
            return true;
        }

        public void end(long nowNs) {
            if (untouchedBefore > 0) {
                touch(untouchedBefore);
                new TreeMap<>(freeByStart).forEach((start, blocks) -> age(start, start + blocks, nowNs));
                reads = reads.next();
                areReadsUnknown = true;
                readsUntilNs = nowNs + ageNs;
            }
            counters = count();
        }

        private void touch(long end) {
            if (end <= untouched) return;
            Fragment between = new Fragment(untouched, end - untouched);
            untouched = end;
            freeBlocks -= between.blocks;
            addFree(between);
        }

        /** Whatever of these free blocks was not free before. */
        private void age(long start, long end, long nowNs) {
            long at = start;
            while (at < end) {
                Map.Entry<Long, Long> before = freeBefore.floorEntry(at);
                long freeEnd = before == null ? 0 : before.getKey() + before.getValue();
                if (at >= untouchedBefore) {
                    return;
                } else if (freeEnd > at) {
                    at = freeEnd;
                } else {
                    Long nextFree = freeBefore.higherKey(at);
                    long to = Math.min(Math.min(end, untouchedBefore), nextFree == null ? end : nextFree);
                    takeFree(at, to - at);
                    aging.addLast(new Aged(new Fragment(at, to - at), nowNs));
                    agingBlocks += to - at;
                    at = to;
                }
            }
        }
    }

    private Fragment fragment(Extent extent) {
        Invariant.check(
                extent.offsetBytes() % BLOCK_BYTES == 0
                        && extent.lengthBytes() % BLOCK_BYTES == 0
                        && extent.endBytes() <= blockCount * BLOCK_BYTES,
                "extent %s outside of a blob of %d blocks",
                extent,
                blockCount);
        return new Fragment(extent.offsetBytes() / BLOCK_BYTES, extent.lengthBytes() / BLOCK_BYTES);
    }

    private void expire(long nowNs) {
        for (Aged first = aging.peekFirst(); first != null; first = aging.peekFirst()) {
            if (nowNs - first.freedNs < ageNs) return;
            aging.removeFirst();
            reuse(first.fragment);
        }
    }

    private void reuseRetired(long nowNs) {
        if (areReadsUnknown && nowNs - readsUntilNs < 0) return;
        areReadsUnknown = false;
        if (retired.isEmpty()) return;
        reads.close();
        for (Retired first = retired.peekFirst(); first != null; first = retired.peekFirst()) {
            if (!reads.isOver(first.generation)) return;
            retired.removeFirst();
            reuse(first.fragment);
        }
    }

    private void reuse(Fragment f) {
        agingBlocks -= f.blocks;
        addFree(f);
    }

    private void addFree(Fragment f) {
        long start = f.start;
        long blocks = f.blocks;
        long from = start;
        long end = start + blocks;
        Map.Entry<Long, Long> before = freeByStart.lowerEntry(start);
        if (before != null && before.getKey() + before.getValue() == start) {
            from = before.getKey();
            remove(from, before.getValue());
        }
        Long after = freeByStart.get(end);
        if (after != null) {
            remove(end, after);
            end += after;
        }
        freeByStart.put(from, end - from);
        freeBySize.add(new Fragment(from, end - from));
        freeBlocks += blocks;
    }

    private void remove(long start, long blocks) {
        freeByStart.remove(start);
        freeBySize.remove(new Fragment(start, blocks));
    }

    private void takeFree(long start, long blocks) {
        Map.Entry<Long, Long> around = freeByStart.floorEntry(start);
        Invariant.check(
                around != null && around.getKey() + around.getValue() >= start + blocks,
                "blocks %d+%d are not free",
                start,
                blocks);
        long from = around.getKey();
        long end = from + around.getValue();
        remove(from, end - from);
        freeBlocks -= end - from;
        if (from < start) addFreeAlone(from, start - from);
        if (start + blocks < end) addFreeAlone(start + blocks, end - start - blocks);
    }

    private void addFreeAlone(long start, long blocks) {
        freeByStart.put(start, blocks);
        freeBySize.add(new Fragment(start, blocks));
        freeBlocks += blocks;
    }

    private Counters count() {
        return new Counters(freeBlocks, agingBlocks, hintCount, largeCount, smallCount, freeByStart.size());
    }
}
