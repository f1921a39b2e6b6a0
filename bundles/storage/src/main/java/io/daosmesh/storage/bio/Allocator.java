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
 * the small fragments, else the largest one. Freed extents age before they are used again, so that a read or a device
 * request still under way never meets another's data. Keeps nothing durable: its owner marks what is used after a
 * restart. Owner: target loop; the counters may be read by any thread. Pure.
 */
public final class Allocator {
    public static final int BLOCK_BYTES = 4096;
    /** Pieces of one allocation on a fragmented blob; more and the answer is NOSPACE. */
    public static final int PIECES_MAX = 64;
    /** Fragments of at least 1 MiB count as large: a whole bulk transfer fits. */
    private static final long LARGE_BLOCKS = 256;

    private record Fragment(long start, long blocks) {}

    private record Aged(Fragment fragment, long freedNs) {}

    private final long blockCount;
    private final long ageNs;
    private final TreeMap<Long, Long> freeByStart = new TreeMap<>();
    private final TreeSet<Fragment> freeBySize =
            new TreeSet<>(Comparator.comparingLong(Fragment::blocks).thenComparingLong(Fragment::start));
    private final ArrayDeque<Aged> aging = new ArrayDeque<>();
    private long hint;
    private volatile Counters counters;
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
        if (blockCount > 0) addFree(0, blockCount);
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

    public long usedBytes() {
        return blockCount * BLOCK_BYTES - freeBytes();
    }

    /**
     * Extents of together {@code lengthBytes} (rounded up to blocks), usually one. NOSPACE when full, AGAIN when freed
     * extents only have to age.
     */
    public List<Extent> allocate(long lengthBytes, long nowNs) {
        Invariant.check(lengthBytes > 0, "allocation of %d bytes", lengthBytes);
        expire(nowNs);
        long blocks = (lengthBytes + BLOCK_BYTES - 1) / BLOCK_BYTES;
        if (blocks > freeBlocks) throw refuse(lengthBytes, blocks);
        List<Extent> pieces = new ArrayList<>(1);
        long left = blocks;
        while (left > 0) {
            if (pieces.size() == PIECES_MAX) {
                for (Extent piece : pieces)
                    addFree(piece.offsetBytes() / BLOCK_BYTES, piece.lengthBytes() / BLOCK_BYTES);
                throw Fault.of(FaultCode.NOSPACE, "free space is too fragmented for %d bytes", lengthBytes)
                        .asException();
            }
            Fragment piece = choose(left);
            takeFree(piece.start, piece.blocks);
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
        Fragment largest = freeBySize.last();
        Fragment fit = freeBySize.ceiling(new Fragment(0, blocks));
        if (fit != null && fit.blocks < LARGE_BLOCKS) {
            smallCount++;
            return new Fragment(fit.start, blocks);
        }
        largeCount++;
        return new Fragment(largest.start, Math.min(blocks, largest.blocks));
    }

    /** Gives an extent back; it is used again after the ageing time. The caller has made the freeing durable. */
    public void free(Extent extent, long nowNs) {
        Fragment f = fragment(extent);
        Map.Entry<Long, Long> before = freeByStart.floorEntry(f.start + f.blocks - 1);
        Invariant.check(
                before == null || before.getKey() + before.getValue() <= f.start, "extent %s is already free", extent);
        aging.addLast(new Aged(f, nowNs));
        agingBlocks += f.blocks;
        counters = count();
    }

    /** Takes exactly this extent, after a restart. False if a part of it is taken: the index is damaged. */
    public boolean markUsed(Extent extent) {
        Fragment f = fragment(extent);
        Map.Entry<Long, Long> around = freeByStart.floorEntry(f.start);
        if (around == null || around.getKey() + around.getValue() < f.start + f.blocks) return false;
        takeFree(f.start, f.blocks);
        hint = Math.max(hint, f.start + f.blocks);
        counters = count();
        return true;
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
            agingBlocks -= first.fragment.blocks;
            addFree(first.fragment.start, first.fragment.blocks);
        }
    }

    private void addFree(long start, long blocks) {
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
