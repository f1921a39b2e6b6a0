package io.daosmesh.spi;

import java.nio.ByteBuffer;
import org.osgi.annotation.versioning.ConsumerType;

/** Mapped SCM bytes. Owner: one thread at a time. */
@ConsumerType
public interface ScmRegion extends AutoCloseable {
    /** The bytes; little endian. */
    ByteBuffer bytes();

    /** Makes a range durable: a cache-line flush where the mapping allows (READ_WRITE_SYNC), else msync. */
    DeviceResult<Boolean> persist(int offsetBytes, int lengthBytes);

    @Override
    void close();
}
