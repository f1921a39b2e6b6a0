package io.daosmesh.management.properties;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** The properties of the system: known keys, values, and what holds when nobody set them. Source: daos-admin facts 1.3. Pure. */
public final class SystemProperties {
    /** What the system does by itself: take ranks out of the group, out of pools, and restore the redundancy of pools. */
    public static final String SELF_HEAL = "self_heal";

    private static final List<String> SELF_HEAL_FLAGS = List.of("exclude", "pool_exclude", "pool_rebuild");
    private static final String SELF_HEAL_DEFAULT = String.join(";", SELF_HEAL_FLAGS);
    private static final String SYSTEM_NAME = "daos_system";
    private static final Set<String> NOT_BUILT = Set.of("pool_scrub_mode", "pool_scrub_thresh");

    private SystemProperties() {}

    /** True when the flag of {@link #SELF_HEAL} is on. */
    public static boolean heals(Map<String, String> properties, String flag) {
        return PoolProperties.has(properties.getOrDefault(SELF_HEAL, SELF_HEAL_DEFAULT), flag);
    }

    /** As they are kept; refuses unknown keys and values that nobody would obey. */
    public static Map<String, String> checked(Map<String, String> wanted) {
        Map<String, String> checked = new TreeMap<>();
        wanted.forEach((key, value) -> {
            if (NOT_BUILT.contains(key))
                throw Fault.of(FaultCode.NOSYS, "system property %s is not built yet", key)
                        .asException();
            if (key.equals(SYSTEM_NAME) || key.equals("daos_version"))
                throw Fault.of(FaultCode.INVAL, "system property %s is read-only", key)
                        .asException();
            if (!key.equals(SELF_HEAL))
                throw Fault.of(FaultCode.INVAL, "invalid system property key: %s", key)
                        .asException();
            checked.put(key, PoolProperties.flags(key, value, SELF_HEAL_FLAGS));
        });
        return checked;
    }

    /** Every property with the value that holds. */
    public static Map<String, String> effective(String system, Map<String, String> set) {
        Map<String, String> all = new TreeMap<>(set);
        all.put(SYSTEM_NAME, system);
        all.putIfAbsent(SELF_HEAL, SELF_HEAL_DEFAULT);
        return all;
    }
}
