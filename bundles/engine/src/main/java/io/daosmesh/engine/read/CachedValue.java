package io.daosmesh.engine.read;

import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.wire.ValueMessage;
import io.daosmesh.storage.BufferPool;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One answer that the value cache keeps, from the moment its records were found; the bytes come later. Any thread: its
 * buffer goes back when the cache and the last reply that sends it have let it go.
 */
final class CachedValue {
    /** Shorter ones are not worth a buffer. */
    private static final int HEAP_BYTES_MAX = 1 << 10;

    private static final int BUFFER_BYTES_MIN = 4 << 10;
    /** Objects, and places in maps. */
    private static final int OVERHEAD_BYTES = 512;

    private record Filled(List<ValueMessage> values, ByteBuffer data) {}

    final byte[] key;
    final int costBytes;
    final int mapVersion;
    /** Without their leases this rank must not answer. */
    final List<Integer> otherRanks;

    private final BufferPool buffers;
    /** The cache is one. */
    private final AtomicInteger users = new AtomicInteger(1);

    private BufferPool.@Nullable Buffer buffer;
    private volatile @Nullable Filled filled;
    private volatile boolean isDropped;
    private volatile boolean isAsked;

    CachedValue(byte[] key, int dataBytes, int mapVersion, List<Integer> otherRanks, BufferPool buffers) {
        this.key = key;
        this.costBytes = costBytes(key.length, dataBytes);
        this.mapVersion = mapVersion;
        this.otherRanks = otherRanks;
        this.buffers = buffers;
    }

    private static int costBytes(int keyBytes, int dataBytes) {
        // as the pool rounds
        int data = dataBytes <= HEAP_BYTES_MAX
                ? dataBytes
                : Math.max(BUFFER_BYTES_MIN, Integer.highestOneBit(dataBytes - 1) << 1);
        return OVERHEAD_BYTES + keyBytes + data;
    }

    /** Keeps a copy of verified bytes, unless it was dropped meanwhile or replies have all the buffers. Once at most. */
    void fill(List<ValueMessage> values, ByteBuffer data) {
        if (isDropped || !use()) return;
        try {
            int length = data.remaining();
            ByteBuffer copy = length <= HEAP_BYTES_MAX ? ByteBuffer.allocate(length) : take(length);
            copy.put(0, data, data.position(), length);
            filled = new Filled(values, copy);
        } catch (FaultException e) {
            // BUSY: the next one that reads it fills it
            return;
        } finally {
            leave();
        }
    }

    private ByteBuffer take(int length) {
        BufferPool.Buffer taken = buffers.take(length);
        buffer = taken;
        return taken.bytes().slice(0, length);
    }

    boolean isFilled() {
        return filled != null;
    }

    /**
     * The answer, if nothing it depends on has changed before this call.
     *
     * @param epoch given to the reader
     */
    @Nullable
    Fetched answer(LongSupplier epoch) {
        Filled f = filled;
        if (f == null || !use()) return null;
        if (isDropped) {
            leave();
            return null;
        }
        if (!isAsked) isAsked = true;
        return new Fetched(f.values, f.data.duplicate(), this::leave, epoch.getAsLong(), mapVersion);
    }

    /** Asked for since the last call. Target loop. */
    boolean takeAsked() {
        boolean was = isAsked;
        isAsked = false;
        return was;
    }

    /** Not answered from any more. Target loop, once. */
    void drop() {
        isDropped = true;
        leave();
    }

    private boolean use() {
        for (int n = users.get(); n > 0; n = users.get()) if (users.compareAndSet(n, n + 1)) return true;
        return false;
    }

    private void leave() {
        if (users.decrementAndGet() > 0) return;
        BufferPool.Buffer b = buffer;
        if (b != null) b.close();
    }
}
