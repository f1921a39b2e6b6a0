package io.daosmesh.pmem;

import io.daosmesh.spi.DeviceResult;
import io.daosmesh.spi.DeviceStatus;
import io.daosmesh.spi.ScmRegion;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
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
        return bytes.asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public DeviceResult<Boolean> write(int offsetBytes, ByteBuffer src, boolean isDurable) {
        if (isClosed) return DeviceResult.failed(DeviceStatus.GONE, file + " is closed");
        String wrong = PmemSpace.outside(bytes, offsetBytes, src);
        if (!wrong.isEmpty()) return DeviceResult.failed(DeviceStatus.INVALID, file + ": " + wrong);
        try {
            bytes.put(offsetBytes, src, src.position(), src.remaining());
            if (isDurable) bytes.force(offsetBytes, src.remaining());
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
