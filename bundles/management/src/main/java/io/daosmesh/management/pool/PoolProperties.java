package io.daosmesh.management.pool;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.util.Map;
import java.util.Set;

/** The pool properties that the pool service itself obeys, and the check of all. Source: daos-admin facts 1.3. Pure. */
public final class PoolProperties {
    private static final Set<String> KNOWN = Set.of(
            "label",
            "reclaim",
            "self_heal",
            "space_rb",
            "ec_cell_sz",
            "rd_fac",
            "rf",
            "svc_rf",
            "ec_pda",
            "rp_pda",
            "perf_domain",
            "data_thresh",
            "scrub",
            "scrub_freq",
            "scrub_thresh",
            "checkpoint",
            "checkpoint_freq",
            "checkpoint_thresh",
            "reintegration",
            "svc_ops_enabled",
            "svc_ops_entry_age");

    private PoolProperties() {}

    public static int rdFac(Map<String, String> properties) {
        return number(properties, properties.containsKey("rd_fac") ? "rd_fac" : "rf", 0, 0, 4);
    }

    /** Replicas of the pool service: 2 * svc_rf + 1, as many as there are nodes at most, and odd. */
    public static int serviceReplicas(Map<String, String> properties, int asked, int nodes) {
        int wanted = properties.containsKey("svc_rf") ? 2 * number(properties, "svc_rf", 2, 0, 4) + 1 : asked;
        if (wanted == 0) wanted = 3;
        if (wanted < 1 || wanted % 2 == 0 || wanted > 9) {
            throw Fault.of(FaultCode.INVAL, "pool service replicas: %d is not an odd number from 1 to 9", wanted)
                    .with("fault", 608)
                    .asException();
        }
        int possible = Math.min(wanted, nodes);
        return possible % 2 == 0 ? possible - 1 : possible;
    }

    /** {@code self_heal} allows an automatic exclusion; flags are separated by a semicolon or comma. */
    public static boolean mayExclude(Map<String, String> properties) {
        return has(properties.getOrDefault("self_heal", "exclude;rebuild"), "exclude");
    }

    /** True when a {@code ;}- or {@code ,}-separated list holds the flag. */
    public static boolean has(String flags, String flag) {
        for (String f : flags.split("[;,]")) {
            if (f.trim().equals(flag)) return true;
        }
        return false;
    }

    /** Refuses unknown keys and values that the service cannot obey. */
    public static void check(Map<String, String> properties) {
        for (String key : properties.keySet()) {
            if (key.equals("svc_list")) {
                throw Fault.of(FaultCode.INVAL, "cannot set pool service replica list")
                        .asException();
            }
            if (!KNOWN.contains(key)) {
                throw Fault.of(FaultCode.INVAL, "unknown property \"%s\"", key).asException();
            }
        }
        rdFac(properties);
        number(properties, "svc_rf", 2, 0, 4);
        for (String f : properties.getOrDefault("self_heal", "exclude").split("[;,]")) {
            if (!Set.of("none", "exclude", "rebuild", "delay_rebuild").contains(f.trim())) {
                throw Fault.of(FaultCode.INVAL, "invalid value \"%s\" for self_heal", f)
                        .remedy("use exclude, rebuild, delay_rebuild or none")
                        .asException();
            }
        }
    }

    private static int number(Map<String, String> properties, String key, int otherwise, int min, int max) {
        String value = properties.get(key);
        if (value == null) return otherwise;
        try {
            int n = Integer.parseInt(value.trim());
            if (n >= min && n <= max) return n;
        } catch (NumberFormatException e) {
            // refused below
        }
        throw Fault.of(FaultCode.INVAL, "invalid value \"%s\" for %s: %d to %d", value, key, min, max)
                .asException();
    }
}
