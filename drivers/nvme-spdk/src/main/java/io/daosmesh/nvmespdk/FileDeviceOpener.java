package io.daosmesh.nvmespdk;

import com.sun.nio.file.ExtendedOpenOption;
import io.daosmesh.spi.BackingFileSystem;
import io.daosmesh.spi.DeviceResult;
import io.daosmesh.spi.DeviceSpec;
import io.daosmesh.spi.DeviceStatus;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Checks, creates, locks and opens the file of one device. Stateless. */
final class FileDeviceOpener {
    /** Marks a device as open in this JVM, over all copies of this class that a live update leaves side by side. */
    private static final String OPEN_PREFIX = "io.daosmesh.device.open:";

    private static final int IO_THREADS_MAX = 4;
    private static final int QUEUE_DEPTH_MAX = 4096;

    private FileDeviceOpener() {}

    static DeviceResult<FileBlockDevice> open(DeviceSpec spec, boolean create, Consumer<FileBlockDevice> onClosed) {
        Path path = Path.of(spec.address()).toAbsolutePath().normalize();
        int threadCount;
        int queueDepth;
        try {
            threadCount = option(spec, "io_threads", 2, IO_THREADS_MAX);
            queueDepth = option(spec, "queue_depth", 256, QUEUE_DEPTH_MAX);
        } catch (IllegalArgumentException e) {
            return DeviceResult.failed(DeviceStatus.INVALID, path + ": " + e.getMessage());
        }
        if (!Files.exists(path) && !create)
            return DeviceResult.failed(DeviceStatus.NOT_FOUND, "no device file " + path);
        if (Files.exists(path) && !Files.isRegularFile(path))
            return DeviceResult.failed(DeviceStatus.INVALID, path + " is not an ordinary file");
        String key = OPEN_PREFIX + path;
        // POSIX drops a process's locks when it closes ANY descriptor of the file: so the check inside this JVM has to
        // come before the file is opened at all.
        if (System.getProperties().putIfAbsent(key, "open") != null)
            return DeviceResult.failed(DeviceStatus.IN_USE, path + " is already open in this process");
        Runnable release = () -> System.getProperties().remove(key);
        DeviceResult<FileBlockDevice> result;
        try {
            result = openLocked(path, spec, create, new Threads(threadCount, queueDepth), device -> {
                release.run();
                onClosed.accept(device);
            });
        } catch (AccessDeniedException e) {
            result = DeviceResult.failed(DeviceStatus.INVALID, path + ": permission denied");
        } catch (IOException e) {
            result = DeviceResult.failed(FileBlockDevice.statusOf(e), path + ": " + e.getMessage());
        }
        if (!result.isOk()) release.run();
        return result;
    }

    /** Threads and queue length of one device. */
    private record Threads(int count, int queueDepth) {}

    /** Size of a device, threads and queue length. */
    record Geometry(long sizeBytes, int threadCount, int queueDepth) {}

    private static int option(DeviceSpec spec, String key, int fallback, int max) {
        String text = spec.options().get(key);
        if (text == null) return fallback;
        int value;
        try {
            value = Integer.parseInt(text);
        } catch (NumberFormatException e) {
            value = 0;
        }
        if (value < 1 || value > max)
            throw new IllegalArgumentException("option " + key + "=" + text + ", expected 1 to " + max);
        return value;
    }

    private static DeviceResult<FileBlockDevice> openLocked(
            Path path, DeviceSpec spec, boolean create, Threads threads, Consumer<FileBlockDevice> onClosed)
            throws IOException {
        HealthFile health = HealthFile.of(path);
        boolean isNew = !Files.exists(path);
        if (isNew) {
            if (spec.sizeBytes() < FileBlockDevice.BLOCK_BYTES)
                return DeviceResult.failed(DeviceStatus.INVALID, path + ": a size is needed to create the device");
            Path parent = path.getParent();
            if (parent != null) Files.createDirectories(parent);
            health.delete();
            Troubles.of(path).delete();
            new SmartFile(path).delete();
            try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
                file.setLength(spec.sizeBytes() / FileBlockDevice.BLOCK_BYTES * FileBlockDevice.BLOCK_BYTES);
                file.getFD().sync();
            }
        }
        health.load();
        long sizeBytes = Files.size(path);
        DeviceResult<FileBlockDevice> wrongSize = checkSize(path, spec, sizeBytes, health);
        if (wrongSize != null) return wrongSize;
        boolean isDirect = !"false".equals(spec.options().get("direct")) && mayDirect(path);
        FileChannel channel = openChannel(path, isDirect, StandardOpenOption.READ);
        FileLock lock = null;
        try {
            lock = lock(channel);
            if (lock == null) return DeviceResult.failed(DeviceStatus.IN_USE, path + " is in use by another process");
            health.onOpened(sizeBytes);
            Geometry geometry = new Geometry(sizeBytes, threads.count, threads.queueDepth);
            return DeviceResult.ok(new FileBlockDevice(path, channel, geometry, health, onClosed));
        } finally {
            if (lock == null) channel.close();
        }
    }

    /** Null if the size is good. */
    private static @Nullable DeviceResult<FileBlockDevice> checkSize(
            Path path, DeviceSpec spec, long sizeBytes, HealthFile health) {
        long expected = Math.max(health.sizeBytes(), spec.sizeBytes() / 4096 * 4096);
        if (sizeBytes < expected)
            return DeviceResult.failed(
                    DeviceStatus.MEDIA_ERROR,
                    path + " is truncated: " + sizeBytes + " of " + expected
                            + " bytes; restore the file, or remove it and format again");
        if (sizeBytes < FileBlockDevice.BLOCK_BYTES || sizeBytes % FileBlockDevice.BLOCK_BYTES != 0)
            return DeviceResult.failed(
                    DeviceStatus.MEDIA_ERROR,
                    path + " has " + sizeBytes + " bytes, not a multiple of " + FileBlockDevice.BLOCK_BYTES);
        return null;
    }

    private static boolean mayDirect(Path path) throws IOException {
        long blockBytes = BackingFileSystem.of(path).blockBytes();
        // of an unknown size they may be larger than ours
        return blockBytes > 0 && blockBytes <= FileBlockDevice.BLOCK_BYTES;
    }

    private static FileChannel openChannel(Path path, boolean isDirect, StandardOpenOption option) throws IOException {
        if (isDirect) {
            try {
                return FileChannel.open(path, StandardOpenOption.WRITE, option, ExtendedOpenOption.DIRECT);
            } catch (UnsupportedOperationException | IOException e) {
                // this file system has no O_DIRECT: buffered is as durable, since flush is what counts
            }
        }
        return FileChannel.open(path, StandardOpenOption.WRITE, option);
    }

    private static @Nullable FileLock lock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException e) {
            return null;
        }
    }
}
