package io.daosmesh.nvmespdk;

import io.daosmesh.spi.BlockDevice;
import io.daosmesh.spi.BlockDriver;
import io.daosmesh.spi.DeviceInfo;
import io.daosmesh.spi.DeviceResult;
import io.daosmesh.spi.DeviceSpec;
import io.daosmesh.spi.DeviceStatus;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Serves the class {@code file}. The classes {@code nvme} and {@code kdev} are this driver's business too but not built
 * yet: they answer UNSUPPORTED and are not listed. Any thread.
 *
 * <p>Options of a device: {@code io_threads} (2, at most 4), {@code queue_depth} (256), {@code direct} (true). A file
 * {@code DEVICE.trouble} beside a device tells it what to do wrong while it runs, see {@link Trouble}; {@code DEVICE.smart} how worn and hot it is, see {@link SmartFile}.
 */
public final class NvmeSpdkDriver implements BlockDriver, AutoCloseable {
    static final String NAME = "nvme-spdk";
    static final String FILE = "file";
    /** A stat a device: nothing beside what a request costs. */
    private static final long LOOK_MS = 250;

    private final String version;
    private final Set<FileBlockDevice> open = ConcurrentHashMap.newKeySet();
    private final ScheduledThreadPoolExecutor troubles = new ScheduledThreadPoolExecutor(1, task -> {
        Thread thread = new Thread(task, "nvme-spdk-troubles");
        thread.setDaemon(true);
        return thread;
    });
    private final Object openLock = new Object();
    private boolean isLooking;
    private boolean isClosed;

    public NvmeSpdkDriver(String version) {
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
    public Set<String> deviceClasses() {
        return Set.of(FILE);
    }

    @Override
    public List<DeviceInfo> scan(List<DeviceSpec> specs) {
        List<DeviceInfo> found = new ArrayList<>();
        for (DeviceSpec spec : specs) {
            Path path = Path.of(spec.address());
            // Only attributes are read: opening and closing the file here would drop a lock this process holds on it.
            if (!spec.deviceClass().equals(FILE) || !Files.isRegularFile(path)) continue;
            try {
                found.add(FileBlockDevice.info(path, Files.size(path)));
            } catch (IOException e) {
                // vanished between the two looks: absent, hence left out
            }
        }
        return found;
    }

    @Override
    public List<DeviceInfo> discover(List<DeviceSpec> known) {
        List<Path> files = known.stream()
                .filter(s -> s.deviceClass().equals(FILE))
                .map(s -> Path.of(s.address()).toAbsolutePath().normalize())
                .toList();
        return Neighbours.of(files);
    }

    @Override
    public DeviceResult<BlockDevice> open(DeviceSpec spec, boolean create) {
        if (!spec.deviceClass().equals(FILE))
            return DeviceResult.failed(
                    DeviceStatus.UNSUPPORTED,
                    "driver " + NAME + " " + version + " does not serve class " + spec.deviceClass() + " ("
                            + spec.address() + ") yet; use class file");
        synchronized (openLock) {
            if (isClosed) return DeviceResult.failed(DeviceStatus.GONE, "driver " + NAME + " is stopped");
            DeviceResult<FileBlockDevice> result = FileDeviceOpener.open(spec, create, open::remove);
            if (!result.isOk()) return DeviceResult.failed(result.status(), result.detail());
            open.add(result.get());
            if (!isLooking) troubles.scheduleWithFixedDelay(this::look, LOOK_MS, LOOK_MS, TimeUnit.MILLISECONDS);
            isLooking = true;
            return DeviceResult.ok(result.get());
        }
    }

    private void look() {
        for (FileBlockDevice device : open) device.lookForTroubles();
    }

    /** Closes what is still open; every request under way is answered. */
    @Override
    public void close() {
        synchronized (openLock) {
            isClosed = true;
        }
        troubles.shutdownNow();
        for (FileBlockDevice device : open) device.close();
    }
}
