package io.daosmesh.storage;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.storage.bio.Allocator;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The space of one pool on one target's device. Requests: any thread; the allocator: target loop.
 *
 * <p>A request outlives a change of the device's driver: it waits for the next one and is done once more where the old
 * one could not finish it. It fails with NVME_IO (argument {@code device_state}) when the device is faulty or no driver
 * came within the grace, with BUSY when too many requests wait. Buffers are direct and 4 KiB-aligned (see
 * {@link BufferPool}), offsets and lengths multiples of 4 KiB; position and limit of a buffer stay as they were. The
 * caller leaves the buffer alone until the completion.
 */
public interface Blob {
    /** One range of {@link #writeDurably}: the buffer's remaining bytes. */
    record Write(long offsetBytes, ByteBuffer bytes) {}

    long blobId();

    long sizeBytes();

    Allocator allocator();

    /** Fills the buffer from its position to its limit. */
    void read(long offsetBytes, ByteBuffer dst, BlobCompletion completion);

    /** Writes the buffer's remaining bytes; durable after a later {@link #flush}. */
    void write(long offsetBytes, ByteBuffer src, BlobCompletion completion);

    /** Makes every write of the device that completed before this call durable. */
    void flush(BlobCompletion completion);

    /**
     * Writes a few ranges that do not overlap; durable when it completes well, without a flush. The work may be done on the
     * calling thread: only a thread that may block calls this. It does not wait for a driver and is not done once more:
     * after any fault the caller does it anew with {@link #write} and {@link #flush}. At least one range.
     */
    default void writeDurably(List<Write> writes, BlobCompletion completion) {
        AtomicInteger left = new AtomicInteger(writes.size());
        AtomicReference<@Nullable Fault> first = new AtomicReference<>();
        for (Write w : writes) {
            write(w.offsetBytes(), w.bytes(), fault -> {
                if (fault != null) first.compareAndSet(null, fault);
                if (left.decrementAndGet() > 0) return;
                if (first.get() == null) flush(completion);
                else completion.done(first.get());
            });
        }
    }

    /** Tells the device that a freed range holds nothing any more; best effort. */
    void unmap(long offsetBytes, long lengthBytes, BlobCompletion completion);
}
