package io.daosmesh.storage.emulated;

import io.daosmesh.spi.BlockDevice;
import io.daosmesh.spi.BlockDriver;
import io.daosmesh.spi.DeviceInfo;
import io.daosmesh.spi.DeviceResult;
import io.daosmesh.spi.DeviceSpec;
import io.daosmesh.spi.DeviceStatus;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** The class {@code malloc}: devices in memory, for tests and trials; content lives as long as the bundle. Any thread. */
public final class RamBlockDriver implements BlockDriver, AutoCloseable {
    static final String MALLOC = "malloc";
    private static final long DEVICE_BYTES_MAX = 1L << 30;

    /** What stays when a device is closed. */
    static final class Medium {
        final DeviceInfo info;
        final Map<Long, byte[]> blocks = new ConcurrentHashMap<>();
        final RamBlockDevice.Counters counters = new RamBlockDevice.Counters();
        boolean isOpen;

        Medium(DeviceInfo info) {
            this.info = info;
        }
    }

    /** Shared by all drivers of the bundle, as a real device would be. */
    private static final Map<String, Medium> MEDIA = new ConcurrentHashMap<>();

    private final Set<RamBlockDevice> open = ConcurrentHashMap.newKeySet();
    private boolean isClosed;

    @Override
    public String name() {
        return "ram";
    }

    @Override
    public String version() {
        return "0.1.0";
    }

    @Override
    public Set<String> deviceClasses() {
        return Set.of(MALLOC);
    }

    @Override
    public List<DeviceInfo> scan(List<DeviceSpec> specs) {
        List<DeviceInfo> found = new ArrayList<>();
        for (DeviceSpec spec : specs) {
            Medium medium = MEDIA.get(spec.address());
            if (spec.deviceClass().equals(MALLOC) && medium != null) found.add(medium.info);
        }
        return found;
    }

    @Override
    public DeviceResult<BlockDevice> open(DeviceSpec spec, boolean create) {
        synchronized (MEDIA) {
            if (isClosed) return DeviceResult.failed(DeviceStatus.GONE, "driver ram is stopped");
            if (!spec.deviceClass().equals(MALLOC))
                return DeviceResult.failed(DeviceStatus.UNSUPPORTED, "driver ram serves class malloc only");
            Medium medium = MEDIA.get(spec.address());
            if (medium == null) {
                if (!create) return DeviceResult.failed(DeviceStatus.NOT_FOUND, "no memory device " + spec.address());
                if (spec.sizeBytes() < RamBlockDevice.BLOCK_BYTES || spec.sizeBytes() > DEVICE_BYTES_MAX)
                    return DeviceResult.failed(
                            DeviceStatus.INVALID, spec.address() + ": size must be 4 KiB to 1 GiB for class malloc");
                long size = spec.sizeBytes() / RamBlockDevice.BLOCK_BYTES * RamBlockDevice.BLOCK_BYTES;
                medium = new Medium(new DeviceInfo(
                        MALLOC,
                        spec.address(),
                        "emulated-ram",
                        spec.address(),
                        "1",
                        size,
                        RamBlockDevice.BLOCK_BYTES,
                        -1));
                MEDIA.put(spec.address(), medium);
            }
            if (medium.isOpen) return DeviceResult.failed(DeviceStatus.IN_USE, spec.address() + " is already open");
            medium.isOpen = true;
            RamBlockDevice device = new RamBlockDevice(medium, this::onClosed);
            open.add(device);
            return DeviceResult.ok(device);
        }
    }

    private void onClosed(RamBlockDevice device) {
        synchronized (MEDIA) {
            device.medium().isOpen = false;
            open.remove(device);
        }
    }

    @Override
    public void close() {
        synchronized (MEDIA) {
            isClosed = true;
        }
        for (RamBlockDevice device : open) device.close();
    }
}
