package io.daosmesh.spi;

import java.util.List;
import java.util.Set;
import org.osgi.annotation.versioning.ConsumerType;

/** A driver of byte-addressable memory or of what stands in for it, published as an OSGi service. Any thread. */
@ConsumerType
public interface ScmDriver {
    String name();

    String version();

    /** {@code dcpm} (DAX), {@code ram} (tmpfs), {@code file} (ordinary file system). */
    Set<String> scmClasses();

    List<DeviceInfo> scan(List<DeviceSpec> specs);

    /**
     * Makes the space usable and returns it; {@code create} permits making the folder. {@link DeviceSpec#address()} is
     * the mount folder. Status: NOT_FOUND, NO_SPACE, INVALID, UNSUPPORTED.
     */
    DeviceResult<ScmSpace> open(DeviceSpec spec, boolean create);
}
