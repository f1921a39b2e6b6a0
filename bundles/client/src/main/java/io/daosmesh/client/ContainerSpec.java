package io.daosmesh.client;

import java.util.List;
import java.util.Map;

/**
 * A container to make. Immutable.
 *
 * @param label name in the pool
 * @param type {@code POSIX}, or empty when its layout is the application's own matter
 * @param objectClass class for objects made without one, e.g. {@code RP_2GX}; empty = from {@code rd_fac}
 * @param properties {@code rd_fac} (or {@code rf}): failures to survive, and whatever the pool service knows
 * @param access who owns it and may do what
 */
public record ContainerSpec(
        String label, String type, String objectClass, Map<String, String> properties, Access access) {
    /**
     * @param user owner; empty = who makes it
     * @param group owning group; empty = the primary group of who makes it
     * @param entries access control list; empty = the default list
     */
    public record Access(String user, String group, List<String> entries) {
        public static final Access DEFAULT = new Access("", "", List.of());

        public Access {
            entries = List.copyOf(entries);
        }
    }

    public ContainerSpec {
        properties = Map.copyOf(properties);
    }

    /** Of who makes it, with the default list. */
    public ContainerSpec(String label, String type, String objectClass, Map<String, String> properties) {
        this(label, type, objectClass, properties, Access.DEFAULT);
    }

    public static ContainerSpec of(String label) {
        return new ContainerSpec(label, "", "", Map.of());
    }

    public static ContainerSpec posix(String label) {
        return new ContainerSpec(label, "POSIX", "", Map.of());
    }

    public ContainerSpec withClass(String name) {
        return new ContainerSpec(label, type, name, properties, access);
    }
}
