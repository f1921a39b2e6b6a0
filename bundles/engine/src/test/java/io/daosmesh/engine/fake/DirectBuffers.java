package io.daosmesh.engine.fake;

import io.daosmesh.storage.BufferPool;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/** Buffers that count: a test ends with none out. */
public final class DirectBuffers implements BufferPool {
    private final AtomicLong used = new AtomicLong();

    @Override
    public Buffer take(int lengthBytes) {
        int n = (lengthBytes + 4095) / 4096 * 4096;
        ByteBuffer b = ByteBuffer.allocateDirect(n + 4096).alignedSlice(4096).slice(0, n);
        for (int i = 0; i < n; i++) b.put(i, (byte) 0x5a);
        used.addAndGet(n);
        AtomicBoolean isBack = new AtomicBoolean();
        return new Buffer() {
            @Override
            public ByteBuffer bytes() {
                return b;
            }

            @Override
            public void close() {
                if (!isBack.compareAndSet(false, true)) throw new IllegalStateException("given back twice");
                used.addAndGet(-n);
            }
        };
    }

    @Override
    public long usedBytes() {
        return used.get();
    }

    @Override
    public long totalBytes() {
        return Long.MAX_VALUE;
    }
}
