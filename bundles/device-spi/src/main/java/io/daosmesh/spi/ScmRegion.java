package io.daosmesh.spi;

import java.nio.ByteBuffer;
import org.osgi.annotation.versioning.ConsumerType;

/** SCM bytes in memory; what is stored survives as far as it was published or persisted. Owner: one thread at a time. */
@ConsumerType
public interface ScmRegion extends AutoCloseable {
    /** The bytes; little endian. */
    ByteBuffer bytes();

    /** Makes a range survive the death of the process. Nothing to do where stores go to the medium by themselves. */
    default DeviceResult<Boolean> publish(int offsetBytes, int lengthBytes) {
        return DeviceResult.ok(true);
    }

    /** Makes a range durable: a cache-line flush where the mapping allows (READ_WRITE_SYNC), else a synced write. */
    DeviceResult<Boolean> persist(int offsetBytes, int lengthBytes);

    @Override
    void close();
}
