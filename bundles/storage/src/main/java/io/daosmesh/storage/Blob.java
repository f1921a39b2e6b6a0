package io.daosmesh.storage;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.storage.bio.Allocator;
import io.daosmesh.storage.kv.ValueSpace;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The space of one pool on one target's device. Requests: any thread; the allocator: target loop.
 *
 * <p>A request outlives a change of the device's driver: it waits for the next one and is done once more where the old
 * one could not finish it. It fails with NVME_IO (argument {@code device_state}) when the device is faulty or no driver
 * came within the grace, or when the device leaves it without an answer ({@link #keepsBuffer}); with BUSY when too many requests wait. Buffers are direct and 4 KiB-aligned (see
 * {@link BufferPool}), offsets and lengths multiples of 4 KiB; position and limit of a buffer stay as they were. The
 * caller leaves the buffer alone until the completion.
 */
public interface Blob extends ValueSpace {
    /**
     * Argument of the fault of a request that was given up without an answer: the device may use its buffer at any time from
     * here on.
     */
    String BUFFER_KEPT = "buffer_kept";

    /** Says of a fault that the device has kept the buffer of the request. */
    static Fault keepingBuffer(Fault fault) {
        return fault.with(BUFFER_KEPT, true);
    }

    /** True when a buffer must not be used again after this outcome: {@link BufferPool.Buffer#abandon}. */
    static boolean keepsBuffer(@Nullable Fault fault) {
        return fault != null && fault.argument(BUFFER_KEPT).isPresent();
    }

    long sizeBytes();

    Allocator allocator();

    /** Fills the buffer from its position to its limit. */
    void read(long offsetBytes, ByteBuffer dst, BlobCompletion completion);

    /** Writes the buffer's remaining bytes; durable after a later {@link #flush}. */
    void write(long offsetBytes, ByteBuffer src, BlobCompletion completion);

    /** Makes every write of the device that completed before this call durable. */
    void flush(BlobCompletion completion);

    /** Tells the device that a freed range holds nothing any more; best effort. */
    void unmap(long offsetBytes, long lengthBytes, BlobCompletion completion);

    /** The device has owed an answer for longer than one does that works. */
    default boolean isSlow() {
        return false;
    }

    /** A write that the device does not answer may go through the log instead, with so many bytes; nothing is kept for it. */
    default boolean mayHold(long bytes) {
        return false;
    }
}
