package io.daosmesh.spi;

import java.nio.ByteBuffer;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * An open block device. Any thread may submit; requests complete in any order on a thread of the driver.
 *
 * <p>Offsets, lengths and buffer addresses are multiples of {@link #blockBytes()}; buffers are direct and stay untouched
 * by the caller until completion. A completed write is durable only after a {@link #flush} that was submitted after its
 * completion has completed OK. Queues are bounded: a full one completes with {@link DeviceStatus#BUSY}. After
 * {@link #close()} every request completes with {@link DeviceStatus#GONE}; none is left without an answer.
 */
@ConsumerType
public interface BlockDevice extends AutoCloseable {
    /** Receives the outcome exactly once; must not block. */
    @FunctionalInterface
    interface Completion {
        void done(DeviceStatus status, String detail);
    }

    DeviceInfo info();

    long sizeBytes();

    int blockBytes();

    /** Reads {@code dst.remaining()} bytes; on OK the buffer's position is at its limit. */
    void read(long offsetBytes, ByteBuffer dst, Completion completion);

    /** Writes {@code src.remaining()} bytes. */
    void write(long offsetBytes, ByteBuffer src, Completion completion);

    /** Makes every write completed before this call durable. A failed flush is final: the data since the last good one is suspect. */
    void flush(Completion completion);

    /** Tells the device that a range holds nothing any more; reads of it return zeros or old data. May be a no-op. */
    void unmap(long offsetBytes, long lengthBytes, Completion completion);

    /** Health counters, read from the device now. */
    DeviceHealth health();

    /** Waits for requests under way (bounded by the driver, at most 3 s), then releases the device. Idempotent. */
    @Override
    void close();
}
