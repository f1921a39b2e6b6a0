package io.daosmesh.storage.slot;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.storage.BufferPool;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Powers of two from 4 KiB to 4 MiB, made when first needed and kept. Any thread. Buffers that are idle count towards the
 * bound too: when it is reached, idle ones of other sizes are dropped first.
 */
public final class AlignedBufferPool implements BufferPool {
    private static final int ALIGN_BYTES = 4096;
    private static final int SMALLEST_SHIFT = 12;

    private final long totalBytes;
    private final AtomicLong usedBytes = new AtomicLong();
    private final AtomicLong heldBytes = new AtomicLong();
    private final List<ConcurrentLinkedDeque<ByteBuffer>> idle = new ArrayList<>();

    public AlignedBufferPool(long totalBytes) {
        this.totalBytes = totalBytes;
        for (int size = ALIGN_BYTES; size <= BUFFER_BYTES_MAX; size *= 2) idle.add(new ConcurrentLinkedDeque<>());
    }

    @Override
    public Buffer take(int lengthBytes) {
        if (lengthBytes <= 0 || lengthBytes > BUFFER_BYTES_MAX)
            throw Fault.of(FaultCode.OVERFLOW, "buffer of %d bytes, at most %d", lengthBytes, BUFFER_BYTES_MAX)
                    .asException();
        int shift = Math.max(SMALLEST_SHIFT, 32 - Integer.numberOfLeadingZeros(lengthBytes - 1));
        int index = shift - SMALLEST_SHIFT;
        int size = 1 << shift;
        if (usedBytes.addAndGet(size) > totalBytes) {
            usedBytes.addAndGet(-size);
            throw Fault.of(FaultCode.BUSY, "all %d bytes of I/O buffers are in use", totalBytes)
                    .asException();
        }
        ByteBuffer bytes = idle.get(index).pollFirst();
        if (bytes == null) {
            makeRoom(size);
            bytes = ByteBuffer.allocateDirect(size + ALIGN_BYTES)
                    .alignedSlice(ALIGN_BYTES)
                    .slice(0, size);
        }
        bytes.clear().limit((lengthBytes + ALIGN_BYTES - 1) / ALIGN_BYTES * ALIGN_BYTES);
        return new Taken(bytes, index);
    }

    private void makeRoom(int size) {
        long held = heldBytes.addAndGet(size);
        for (int i = 0; i < idle.size() && held > totalBytes; i++) {
            while (held > totalBytes && idle.get(i).pollFirst() != null)
                held = heldBytes.addAndGet(-((long) ALIGN_BYTES << i));
        }
    }

    @Override
    public long usedBytes() {
        return usedBytes.get();
    }

    @Override
    public long totalBytes() {
        return totalBytes;
    }

    private final class Taken implements Buffer {
        private final ByteBuffer bytes;
        private final int index;
        private final AtomicBoolean isBack = new AtomicBoolean();

        Taken(ByteBuffer bytes, int index) {
            this.bytes = bytes;
            this.index = index;
        }

        @Override
        public ByteBuffer bytes() {
            return bytes;
        }

        @Override
        public void close() {
            end();
            idle.get(index).addFirst(bytes);
        }

        @Override
        public void abandon() {
            end();
            heldBytes.addAndGet(-((long) ALIGN_BYTES << index));
        }

        private void end() {
            if (!isBack.compareAndSet(false, true)) throw new IllegalStateException("buffer given back twice");
            usedBytes.addAndGet(-((long) ALIGN_BYTES << index));
        }
    }
}
