package io.daosmesh.spi;

import java.util.Map;

/**
 * One device as the server configuration names it. Immutable.
 *
 * @param deviceClass driver class: {@code file}, {@code malloc}, {@code kdev}, {@code nvme}; for SCM {@code file},
 *     {@code ram}, {@code dcpm}
 * @param address transport address: a path for the emulated and kernel classes, a PCI address for real SSDs
 * @param sizeBytes size to create for emulated classes, 0 = as it is
 * @param options driver options, keys documented by the driver
 */
public record DeviceSpec(String deviceClass, String address, long sizeBytes, Map<String, String> options) {
    public DeviceSpec {
        if (deviceClass.isBlank() || address.isBlank())
            throw new IllegalArgumentException("class and address are required");
        if (sizeBytes < 0) throw new IllegalArgumentException("negative size " + sizeBytes);
        options = Map.copyOf(options);
    }
}
