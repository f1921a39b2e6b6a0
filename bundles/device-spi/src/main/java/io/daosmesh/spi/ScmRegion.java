package io.daosmesh.spi;

import java.nio.ByteBuffer;
import org.osgi.annotation.versioning.ConsumerType;

/** SCM bytes in memory. Owner: one thread at a time. */
@ConsumerType
public interface ScmRegion extends AutoCloseable {
    /** The bytes as they were written last; little endian, read-only. */
    ByteBuffer bytes();

    /**
     * Writes the buffer's remaining bytes.
     *
     * @param isDurable on return they survive the power: by a cache-line flush where the mapping allows (READ_WRITE_SYNC), else
     *     by a synced write; false: they survive the death of the process
     */
    DeviceResult<Boolean> write(int offsetBytes, ByteBuffer src, boolean isDurable);

    @Override
    void close();
}
