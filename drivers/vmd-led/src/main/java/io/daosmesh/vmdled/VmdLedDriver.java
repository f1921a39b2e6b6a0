package io.daosmesh.vmdled;

import io.daosmesh.spi.DeviceInfo;
import io.daosmesh.spi.DeviceResult;
import io.daosmesh.spi.DeviceStatus;
import io.daosmesh.spi.LedDriver;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Keeps the light of emulated slots; a real device has one only behind Intel VMD, whose PCI address has a domain above
 * 0xffff. Any thread.
 */
final class VmdLedDriver implements LedDriver {
    static final String NAME = "vmd-led";
    private static final Set<String> EMULATED = Set.of("file", "malloc");
    /** More slots than any chassis has; beyond it a slot's light is refused, not forgotten. */
    private static final int SLOTS_MAX = 1024;

    private final String version;
    private final Map<String, LedState> lights = new ConcurrentHashMap<>();

    VmdLedDriver(String version) {
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
    public boolean covers(DeviceInfo device) {
        return EMULATED.contains(device.deviceClass());
    }

    @Override
    public DeviceResult<LedState> led(DeviceInfo device) {
        if (!covers(device)) return unsupported(device);
        return DeviceResult.ok(lights.getOrDefault(device.address(), LedState.OFF));
    }

    @Override
    public DeviceResult<LedState> setLed(DeviceInfo device, LedState state) {
        if (!covers(device)) return unsupported(device);
        if (state == LedState.OFF) lights.remove(device.address());
        else if (lights.size() >= SLOTS_MAX && !lights.containsKey(device.address()))
            return DeviceResult.failed(DeviceStatus.BUSY, "more than " + SLOTS_MAX + " slots are lit");
        else lights.put(device.address(), state);
        return DeviceResult.ok(state);
    }

    private static DeviceResult<LedState> unsupported(DeviceInfo device) {
        return DeviceResult.failed(
                DeviceStatus.UNSUPPORTED,
                "device " + device.address() + " of class " + device.deviceClass() + " has no VMD-managed light");
    }
}
