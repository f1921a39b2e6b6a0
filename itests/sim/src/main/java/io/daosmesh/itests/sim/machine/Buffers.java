package io.daosmesh.itests.sim.machine;

import io.daosmesh.storage.BufferPool;
import java.nio.ByteBuffer;

/** Buffers that count what is out and overwrite what comes back: who still reads one has read garbage. */
public final class Buffers implements BufferPool {
    private final long totalBytes;
    private long usedBytes;

    public Buffers() {
        this(Long.MAX_VALUE);
    }

    public Buffers(long totalBytes) {
        this.totalBytes = totalBytes;
    }

    @Override
    public Buffer take(int lengthBytes) {
        int length = (lengthBytes + 4095) / 4096 * 4096;
        ByteBuffer bytes =
                ByteBuffer.allocateDirect(length + 4096).alignedSlice(4096).slice(0, length);
        scribble(bytes);
        usedBytes += length;
        return new Buffer() {
            private boolean isBack;

            @Override
            public ByteBuffer bytes() {
                return bytes;
            }

            @Override
            public void close() {
                abandon();
                scribble(bytes);
            }

            @Override
            public void abandon() {
                if (isBack) throw new IllegalStateException("given back twice");
                isBack = true;
                usedBytes -= length;
            }
        };
    }

    public static void scribble(ByteBuffer bytes) {
        for (int i = 0; i < bytes.capacity(); i += 8)
            if (i + 8 <= bytes.capacity()) bytes.putLong(i, 0x5a5a5a5a5a5a5a5aL);
    }

    @Override
    public long usedBytes() {
        return usedBytes;
    }

    @Override
    public long totalBytes() {
        return totalBytes;
    }
}
