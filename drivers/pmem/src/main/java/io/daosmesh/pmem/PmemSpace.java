package io.daosmesh.pmem;

import io.daosmesh.spi.BackingFileSystem;
import io.daosmesh.spi.DeviceInfo;
import io.daosmesh.spi.DeviceResult;
import io.daosmesh.spi.DeviceStatus;
import io.daosmesh.spi.ScmRegion;
import io.daosmesh.spi.ScmSpace;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.function.Consumer;

/** A folder as SCM. Any thread. */
final class PmemSpace implements ScmSpace {
    private static final int FILL_BYTES = 1 << 20;

    private final DeviceInfo info;
    private final Path folder;
    private final BackingFileSystem store;
    private final boolean isMapSync;
    private final Consumer<PmemSpace> onClosed;
    private volatile boolean isClosed;

    PmemSpace(DeviceInfo info, Path folder, BackingFileSystem store, boolean isMapSync, Consumer<PmemSpace> onClosed) {
        this.info = info;
        this.folder = folder;
        this.store = store;
        this.isMapSync = isMapSync;
        this.onClosed = onClosed;
    }

    static DeviceStatus statusOf(IOException e) {
        return String.valueOf(e.getMessage()).contains("No space left")
                ? DeviceStatus.NO_SPACE
                : DeviceStatus.MEDIA_ERROR;
    }

    @Override
    public DeviceInfo info() {
        return info;
    }

    @Override
    public Path root() {
        return folder;
    }

    @Override
    public long totalBytes() {
        return info.sizeBytes();
    }

    @Override
    public long freeBytes() {
        try {
            return Math.min(info.sizeBytes(), store.usableBytes());
        } catch (IOException e) {
            return 0;
        }
    }

    @Override
    public boolean isMapSync() {
        return isMapSync;
    }

    @Override
    public DeviceResult<ScmRegion> map(String fileName, long sizeBytes) {
        if (isClosed) return DeviceResult.failed(DeviceStatus.GONE, folder + " is closed");
        if (sizeBytes <= 0 || sizeBytes > Integer.MAX_VALUE)
            return DeviceResult.failed(DeviceStatus.INVALID, fileName + ": cannot map " + sizeBytes + " bytes");
        Path file = folder.resolve(fileName).normalize();
        if (!folder.equals(file.getParent()))
            return DeviceResult.failed(DeviceStatus.INVALID, fileName + " is not a file name");
        try {
            fill(file, sizeBytes);
            MapMode sync = isMapSync ? SyncMapping.mode() : null;
            return DeviceResult.ok(sync == null ? written(file, sizeBytes) : mapped(file, sync, sizeBytes));
        } catch (IOException e) {
            return DeviceResult.failed(statusOf(e), file + ": " + e.getMessage());
        }
    }

    private static ScmRegion mapped(Path file, MapMode sync, long sizeBytes) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            MappedByteBuffer bytes = channel.map(sync, 0, sizeBytes);
            bytes.order(ByteOrder.LITTLE_ENDIAN);
            return new MappedRegion(file, bytes);
        }
    }

    private static ScmRegion written(Path file, long sizeBytes) throws IOException {
        FileChannel plain = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
        try {
            ByteBuffer bytes = plain.map(MapMode.READ_ONLY, 0, sizeBytes).order(ByteOrder.LITTLE_ENDIAN);
            return new WrittenRegion(
                    file, bytes, plain, FileChannel.open(file, StandardOpenOption.WRITE, StandardOpenOption.DSYNC));
        } catch (IOException e) {
            WrittenRegion.closeQuietly(plain);
            throw e;
        }
    }

    /** What is wrong with a write to these bytes; empty if nothing is. */
    static String outside(ByteBuffer region, int offsetBytes, ByteBuffer src) {
        boolean isInside = offsetBytes >= 0 && offsetBytes <= region.capacity() - src.remaining();
        return isInside ? "" : offsetBytes + "+" + src.remaining() + " is outside of the region";
    }

    /** With real blocks: a hole would make a later store fail where no status can be told. */
    private void fill(Path file, long sizeBytes) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE, StandardOpenOption.CREATE)) {
            long at = channel.size();
            if (at >= sizeBytes) return;
            if (sizeBytes - at > store.usableBytes())
                throw new IOException("No space left for " + sizeBytes + " bytes");
            ByteBuffer zeros = ByteBuffer.allocate(FILL_BYTES);
            for (; at < sizeBytes; at += zeros.limit()) {
                zeros.clear().limit((int) Math.min(FILL_BYTES, sizeBytes - at));
                while (zeros.hasRemaining()) channel.write(zeros, at + zeros.position());
            }
            channel.force(true);
        }
    }

    @Override
    public void close() {
        if (isClosed) return;
        isClosed = true;
        onClosed.accept(this);
    }
}
