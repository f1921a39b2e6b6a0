package io.daosmesh.spi;

import org.osgi.annotation.versioning.ConsumerType;

/** Controls the status light of a drive slot (IBPI patterns), published as an OSGi service. Any thread. */
@ConsumerType
public interface LedDriver {
    /** Patterns of SFF-8489 as DAOS uses them. */
    enum LedState {
        OFF,
        QUICK_BLINK,
        SLOW_BLINK,
        ON
    }

    String name();

    String version();

    /** True if this driver has a light for the device. */
    boolean covers(DeviceInfo device);

    /** UNSUPPORTED for devices without VMD. */
    DeviceResult<LedState> led(DeviceInfo device);

    /** Sets the pattern until it is set again; timed patterns are the caller's business. */
    DeviceResult<LedState> setLed(DeviceInfo device, LedState state);
}
