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

    /** Owner: one at a time. Give it back or up exactly once, and back never while a request is under way. */
    interface Buffer extends AutoCloseable {
        ByteBuffer bytes();

        @Override
        void close();

        /** Gives it up: nobody is given this memory again, because a device may use it yet. It counts no more as used. */
        void abandon();
    }
}
