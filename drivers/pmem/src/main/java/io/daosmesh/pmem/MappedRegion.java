package io.daosmesh.pmem;

import io.daosmesh.spi.DeviceResult;
import io.daosmesh.spi.DeviceStatus;
import io.daosmesh.spi.ScmRegion;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.file.Path;

/**
 * A file on a DAX mount: stores go to the medium, a cache-line flush makes them durable. Owner: one thread at a time. The
 * mapping goes with its last buffer: the JDK cannot unmap safely by hand.
 */
final class MappedRegion implements ScmRegion {
    private final Path file;
    private final MappedByteBuffer bytes;
    private boolean isClosed;

    MappedRegion(Path file, MappedByteBuffer bytes) {
        this.file = file;
        this.bytes = bytes;
    }

    @Override
    public ByteBuffer bytes() {
        return bytes;
    }

    @Override
    public DeviceResult<Boolean> persist(int offsetBytes, int lengthBytes) {
        if (isClosed) return DeviceResult.failed(DeviceStatus.GONE, file + " is closed");
        if (offsetBytes < 0 || lengthBytes < 0 || offsetBytes > bytes.capacity() - lengthBytes)
            return DeviceResult.failed(
                    DeviceStatus.INVALID, file + ": " + offsetBytes + "+" + lengthBytes + " is outside of the region");
        try {
            bytes.force(offsetBytes, lengthBytes);
            return DeviceResult.ok(true);
        } catch (UncheckedIOException e) {
            return DeviceResult.failed(DeviceStatus.MEDIA_ERROR, file + ": " + e.getMessage());
        }
    }

    @Override
    public void close() {
        isClosed = true;
    }
}
