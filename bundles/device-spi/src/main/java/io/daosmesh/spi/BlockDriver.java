package io.daosmesh.spi;

import java.util.List;
import java.util.Set;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * A block-device driver, published as an OSGi service by a driver bundle. Any thread.
 *
 * <p>Life: the framework may stop the driver's bundle at any time. Before that happens the owner of every open device is
 * told through the unregistering event, drains its requests and closes its devices; a device that is still open when the
 * bundle stops must fail everything under way with {@link DeviceStatus#GONE}. A driver keeps nothing that a later
 * version of itself could not read back from the device.
 */
@ConsumerType
public interface BlockDriver {
    /** Short stable name shown to operators, e.g. {@code nvme-spdk}. */
    String name();

    /** Version of the bundle that provides this service. */
    String version();

    /** Device classes served, see {@link DeviceSpec#deviceClass()}. */
    Set<String> deviceClasses();

    /** Looks at the named devices without changing them; an absent one is left out of the answer. */
    List<DeviceInfo> scan(List<DeviceSpec> specs);

    /**
     * Devices that are plugged into the machine beside the named ones and could be opened by their addresses, at most 128; none is
     * changed. An emulated device is found where the named ones of its class lie.
     */
    default List<DeviceInfo> discover(List<DeviceSpec> known) {
        return List.of();
    }

    /**
     * Opens a device for exclusive use. For emulated classes {@code create} makes the backing store when it is absent.
     * Status: NOT_FOUND, IN_USE, NO_SPACE, INVALID, MEDIA_ERROR.
     */
    DeviceResult<BlockDevice> open(DeviceSpec spec, boolean create);
}
