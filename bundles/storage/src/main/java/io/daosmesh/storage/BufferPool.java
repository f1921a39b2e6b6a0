package io.daosmesh.storage;

import java.nio.ByteBuffer;

/** Aligned direct buffers, bounded. Any thread. */
public interface BufferPool {
    /** Largest buffer given out. */
    int BUFFER_BYTES_MAX = 4 << 20;

    /**
     * A buffer of at least {@code lengthBytes}, limit set to that length rounded up to 4 KiB, content undefined. BUSY when
     * the pool is exhausted, OVERFLOW when longer than {@link #BUFFER_BYTES_MAX}.
     */
    Buffer take(int lengthBytes);

    /** Bytes in buffers that are out now. */
    long usedBytes();

    long totalBytes();

    /** Owner: one at a time. Give it back exactly once, never while a request is under way. */
    interface Buffer extends AutoCloseable {
        ByteBuffer bytes();

        @Override
        void close();
    }
}
