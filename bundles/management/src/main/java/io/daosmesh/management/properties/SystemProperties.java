package io.daosmesh.management.properties;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The properties of the system: known keys, values, and what holds when nobody set them. Source: daos-admin facts 1.3. Pure. */
public final class SystemProperties {
    /** What the system does by itself: take ranks out of the group, out of pools, and restore the redundancy of pools. */
    public static final String SELF_HEAL = "self_heal";

    private static final List<String> SELF_HEAL_FLAGS = List.of("exclude", "pool_exclude", "pool_rebuild");
    private static final String SELF_HEAL_DEFAULT = String.join(";", SELF_HEAL_FLAGS);
    private static final String SYSTEM_NAME = "daos_system";
    /** What is set for all pools at once, and its name in a pool. */
    private static final Map<String, String> OF_POOLS =
            Map.of("pool_scrub_mode", PoolProperties.SCRUB, "pool_scrub_thresh", PoolProperties.SCRUB_THRESH);

    private SystemProperties() {}

    /** True when the flag of {@link #SELF_HEAL} is on. */
    public static boolean heals(Map<String, String> properties, String flag) {
        return PoolProperties.has(properties.getOrDefault(SELF_HEAL, SELF_HEAL_DEFAULT), flag);
    }

    /** As they are kept; refuses unknown keys and values that nobody would obey. */
    public static Map<String, String> checked(Map<String, String> wanted) {
        Map<String, String> checked = new TreeMap<>();
        wanted.forEach((key, value) -> {
            if (key.equals(SYSTEM_NAME) || key.equals("daos_version"))
                throw Fault.of(FaultCode.INVAL, "system property %s is read-only", key)
                        .asException();
            String ofPools = OF_POOLS.get(key);
            if (!key.equals(SELF_HEAL) && ofPools == null)
                throw Fault.of(FaultCode.INVAL, "invalid system property key: %s", key)
                        .asException();
            if (ofPools != null) PoolProperties.check(Map.of(ofPools, value));
            checked.put(key, ofPools != null ? value.trim() : PoolProperties.flags(key, value, SELF_HEAL_FLAGS));
        });
        return checked;
    }

    /** In the words of pools, what somebody has set for all of them. */
    public static Map<String, String> ofPools(Map<String, String> set) {
        Map<String, String> found = new TreeMap<>();
        OF_POOLS.forEach((key, ofPool) -> {
            String value = set.get(key);
            if (value != null) found.put(ofPool, value);
        });
        return found;
    }

    /** Every property with the value that holds. */
    public static Map<String, String> effective(String system, Map<String, String> set) {
        Map<String, String> all = new TreeMap<>(set);
        all.put(SYSTEM_NAME, system);
        all.putIfAbsent(SELF_HEAL, SELF_HEAL_DEFAULT);
        OF_POOLS.forEach((key, ofPool) -> all.putIfAbsent(key, PoolProperties.byDefault(ofPool)));
        return all;
    }
}
