package io.daosmesh.pmem;

import io.daosmesh.spi.BackingFileSystem;
import io.daosmesh.spi.DeviceInfo;
import io.daosmesh.spi.DeviceResult;
import io.daosmesh.spi.DeviceSpec;
import io.daosmesh.spi.DeviceStatus;
import io.daosmesh.spi.ScmDriver;
import io.daosmesh.spi.ScmSpace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * SCM in a folder: {@code file} on any file system, {@code ram} on a mounted tmpfs, {@code dcpm} on a DAX mount. Any
 * thread.
 */
public final class PmemDriver implements ScmDriver, AutoCloseable {
    static final String NAME = "pmem";
    private static final String FILE = "file";
    private static final String RAM = "ram";
    private static final String DCPM = "dcpm";
    /** What an emulated space may take of its file system unless the configuration says more. */
    private static final long FILE_BYTES_DEFAULT = 16L << 30;

    private final String version;
    private final Set<PmemSpace> open = ConcurrentHashMap.newKeySet();
    private volatile boolean isClosed;

    public PmemDriver(String version) {
        this.version = version;
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String version() {
        return version;
    }

    @Override
    public Set<String> scmClasses() {
        return Set.of(FILE, RAM, DCPM);
    }

    @Override
    public List<DeviceInfo> scan(List<DeviceSpec> specs) {
        List<DeviceInfo> found = new ArrayList<>();
        for (DeviceSpec spec : specs) {
            Path folder = Path.of(spec.address());
            if (!scmClasses().contains(spec.deviceClass()) || !Files.isDirectory(folder)) continue;
            try {
                BackingFileSystem store = BackingFileSystem.of(folder);
                if (spec.deviceClass().equals(RAM) && !isTmpfs(store)) continue;
                found.add(info(spec, folder, store));
            } catch (IOException e) {
                // vanished between the two looks: absent, hence left out
            }
        }
        return found;
    }

    private static boolean isTmpfs(BackingFileSystem store) {
        return store.type().equals("tmpfs") || store.type().equals("ramfs");
    }

    private static DeviceInfo info(DeviceSpec spec, Path folder, BackingFileSystem store) throws IOException {
        return new DeviceInfo(
                spec.deviceClass(),
                folder.toAbsolutePath().normalize().toString(),
                "emulated-" + store.type(),
                Integer.toHexString(
                        folder.toAbsolutePath().normalize().toString().hashCode()),
                "1",
                capacity(spec, store),
                4096,
                -1);
    }

    private static long capacity(DeviceSpec spec, BackingFileSystem store) throws IOException {
        long fileSystemBytes = store.totalBytes();
        if (spec.sizeBytes() > 0) return Math.min(spec.sizeBytes(), fileSystemBytes);
        return spec.deviceClass().equals(FILE) ? Math.min(FILE_BYTES_DEFAULT, fileSystemBytes) : fileSystemBytes;
    }

    @Override
    public DeviceResult<ScmSpace> open(DeviceSpec spec, boolean create) {
        if (isClosed) return DeviceResult.failed(DeviceStatus.GONE, "driver " + NAME + " is stopped");
        if (!scmClasses().contains(spec.deviceClass()))
            return DeviceResult.failed(
                    DeviceStatus.UNSUPPORTED, "driver " + NAME + " does not serve class " + spec.deviceClass());
        Path folder = Path.of(spec.address()).toAbsolutePath().normalize();
        try {
            if (!Files.exists(folder)) {
                if (!create) return DeviceResult.failed(DeviceStatus.NOT_FOUND, "no SCM folder " + folder);
                Files.createDirectories(folder);
            }
            if (!Files.isDirectory(folder) || !Files.isWritable(folder))
                return DeviceResult.failed(DeviceStatus.INVALID, folder + " is not a folder we may write to");
            return openFolder(spec, folder, BackingFileSystem.of(folder));
        } catch (IOException e) {
            return DeviceResult.failed(PmemSpace.statusOf(e), folder + ": " + e.getMessage());
        }
    }

    private DeviceResult<ScmSpace> openFolder(DeviceSpec spec, Path folder, BackingFileSystem store)
            throws IOException {
        if (spec.deviceClass().equals(RAM) && !isTmpfs(store))
            return DeviceResult.failed(
                    DeviceStatus.NOT_FOUND,
                    folder + " is not on a tmpfs (" + store.type()
                            + "); mount one there: mount -t tmpfs -o size=16g tmpfs " + folder);
        boolean isMapSync = SyncMapping.isPossible(folder);
        if (spec.deviceClass().equals(DCPM) && !isMapSync)
            return DeviceResult.failed(
                    DeviceStatus.UNSUPPORTED,
                    folder + " (" + store.type() + ") is not mounted with DAX: class dcpm needs persistent memory; use"
                            + " class ram or file");
        PmemSpace space = new PmemSpace(info(spec, folder, store), folder, store, isMapSync, open::remove);
        open.add(space);
        if (isClosed) space.close();
        return DeviceResult.ok(space);
    }

    @Override
    public void close() {
        isClosed = true;
        for (PmemSpace space : open) space.close();
    }
}
