package io.daosmesh.storage.slot;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.storage.bio.Allocator;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;

/**
 * Memory of an engine for values that are in its log and not yet on their devices, in blocks, made when first needed and kept.
 * Writers wait for room before they write; what is in the log always finds a block. Any thread.
 */
public final class HeldMemory {
    static final int BLOCK_BYTES = Allocator.BLOCK_BYTES;
    private static final int SLAB_BLOCKS = 64;

    private final long maxBytes;
    private final ArrayDeque<ByteBuffer> free = new ArrayDeque<>();
    private Runnable onMany = () -> {};
    private long heldBytes;
    /** Of devices that are not there: nobody can make room of them. */
    private long stuckBytes;

    private int waitingCount;
    /** Of these, for room that a device makes that works. */
    private int soonCount;

    public HeldMemory(long maxBytes) {
        this.maxBytes = maxBytes;
    }

    /** @param onMany told, on any thread and often, that half of it is taken; must not block */
    public synchronized void listen(Runnable onMany) {
        this.onMany = onMany;
    }

    public synchronized long heldBytes() {
        return heldBytes;
    }

    public synchronized void setStuck(long bytes) {
        stuckBytes = bytes;
        notifyAll();
    }

    /**
     * Returns when there is room for so much; BUSY when none came within the time, or when interrupted.
     *
     * @param isStuck the values are of a device that takes none: together they have no more room than all others
     */
    public void awaitRoom(long bytes, boolean isStuck, Duration max) {
        if (bytes == 0) return;
        long startNs = System.nanoTime();
        synchronized (this) {
            waitingCount++;
            if (!isStuck) soonCount++;
            try {
                while (isFull(bytes, isStuck)) {
                    onMany.run();
                    long leftMs = max.toMillis() - (System.nanoTime() - startNs) / 1_000_000;
                    if (leftMs <= 0 || !pause(leftMs))
                        throw Fault.of(FaultCode.BUSY, "%d bytes of values wait for their devices", heldBytes)
                                .asException();
                }
            } finally {
                waitingCount--;
                if (!isStuck) soonCount--;
            }
        }
    }

    /** Whether so many bytes of long values find room beside which a quarter is left for short ones; nothing is kept. */
    public synchronized boolean hasRoom(long bytes, boolean isStuck) {
        return !isFull(bytes + maxBytes / 4, isStuck);
    }

    /**
     * Others want room, or will soon.
     *
     * @param ownBytes of one that has not been written back
     */
    public synchronized boolean isWantedBeside(long ownBytes) {
        return soonCount > 0 || heldBytes - Math.max(stuckBytes, ownBytes) > maxBytes / 2;
    }

    private boolean isFull(long bytes, boolean isStuck) {
        if (isStuck && heldBytes + bytes > maxBytes) return true;
        return heldBytes - stuckBytes + bytes > maxBytes && heldBytes > stuckBytes;
    }

    /** Something waits for a device that has not taken it. */
    public synchronized boolean hasStuck() {
        return stuckBytes > 0;
    }

    /** The listener is told once more where somebody still waits: what it could not do may be possible now. */
    public synchronized void askAgain() {
        if (waitingCount > 0 || isHalfTaken()) onMany.run();
    }

    private boolean isHalfTaken() {
        return heldBytes - stuckBytes > maxBytes / 2;
    }

    private boolean pause(long ms) {
        try {
            wait(ms);
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** A block, content undefined. */
    synchronized ByteBuffer take() {
        if (free.isEmpty()) {
            ByteBuffer slab = ByteBuffer.allocateDirect(SLAB_BLOCKS * BLOCK_BYTES);
            for (int i = 0; i < SLAB_BLOCKS; i++) free.add(slab.slice(i * BLOCK_BYTES, BLOCK_BYTES));
        }
        heldBytes += BLOCK_BYTES;
        if (isHalfTaken()) onMany.run();
        return free.pop();
    }

    synchronized void give(ByteBuffer block) {
        heldBytes -= BLOCK_BYTES;
        free.push(block);
        notifyAll();
    }
}
