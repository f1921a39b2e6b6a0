package io.daosmesh.engine.fake;

import io.daosmesh.storage.BufferPool;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** Buffers that count: a test ends with none out. */
public final class DirectBuffers implements BufferPool {
    private final AtomicLong used = new AtomicLong();
    private final AtomicInteger abandoned = new AtomicInteger();
    private final long totalBytes;

    public DirectBuffers() {
        this(Long.MAX_VALUE);
    }

    public DirectBuffers(long totalBytes) {
        this.totalBytes = totalBytes;
    }

    @Override
    public Buffer take(int lengthBytes) {
        int n = (lengthBytes + 4095) / 4096 * 4096;
        ByteBuffer b = ByteBuffer.allocateDirect(n + 4096).alignedSlice(4096).slice(0, n);
        scribble(b);
        used.addAndGet(n);
        AtomicBoolean isBack = new AtomicBoolean();
        return new Buffer() {
            @Override
            public ByteBuffer bytes() {
                return b;
            }

            @Override
            public void close() {
                end();
                scribble(b);
            }

            @Override
            public void abandon() {
                end();
                abandoned.incrementAndGet();
            }

            private void end() {
                if (!isBack.compareAndSet(false, true)) throw new IllegalStateException("given back twice");
                used.addAndGet(-n);
            }
        };
    }

    /** Buffers that were given up. */
    public int abandonedCount() {
        return abandoned.get();
    }

    @Override
    public long usedBytes() {
        return used.get();
    }

    @Override
    public long totalBytes() {
        return totalBytes;
    }

    /** Who reads a buffer that is back, or not written, has read garbage. */
    private static void scribble(ByteBuffer b) {
        for (int i = 0; i < b.capacity(); i += 8) b.putLong(i, 0x5a5a5a5a5a5a5a5aL);
    }
}
