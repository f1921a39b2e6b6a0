package io.daosmesh.client;

import java.util.Map;

/**
 * A container to make. Immutable.
 *
 * @param label name in the pool
 * @param type {@code POSIX}, or empty when its layout is the application's own matter
 * @param objectClass class for objects made without one, e.g. {@code RP_2GX}; empty = from {@code rd_fac}
 * @param properties {@code rd_fac} (or {@code rf}): failures to survive, and whatever the pool service knows
 */
public record ContainerSpec(String label, String type, String objectClass, Map<String, String> properties) {
    public ContainerSpec {
        properties = Map.copyOf(properties);
    }

    public static ContainerSpec of(String label) {
        return new ContainerSpec(label, "", "", Map.of());
    }

    public static ContainerSpec posix(String label) {
        return new ContainerSpec(label, "POSIX", "", Map.of());
    }

    public ContainerSpec withClass(String name) {
        return new ContainerSpec(label, type, name, properties);
    }
}
