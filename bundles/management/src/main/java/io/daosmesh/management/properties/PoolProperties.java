package io.daosmesh.management.properties;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.wire.PoolEntryMessage;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** The pool properties that the pool service itself obeys, and the check of all. Source: daos-admin facts 1.3. Pure. */
public final class PoolProperties {
    private static final String SELF_HEAL = "self_heal";
    /** Percent of each target that clients leave free for rebuild. */
    private static final String SPACE_RB = "space_rb";
    /** MB/s that each rank pulls in a rebuild at most; 0 = as fast as it can. Not of DAOS. */
    private static final String REBUILD_RATE = "rebuild_rate";

    private static final int REBUILD_RATE_MAX = 100_000;

    private static final String SELF_HEAL_DEFAULT = "exclude;rebuild";
    /** Longer values always go to the device: a shard's index is for short ones. */
    private static final int DATA_THRESHOLD_BYTES_MAX = 1 << 20;

    static final String SCRUB = "scrub";
    private static final String SCRUB_FREQ = "scrub_freq";
    static final String SCRUB_THRESH = "scrub_thresh";

    /** As in DAOS: a pass takes a week. */
    private static final Map<String, String> SCRUB_DEFAULTS =
            Map.of(SCRUB, "off", SCRUB_FREQ, "604800", SCRUB_THRESH, "0");

    private static final List<String> SCRUB_MODES = List.of("off", "lazy", "timed");
    /** 52 weeks. */
    private static final int SCRUB_SECONDS_MAX = 31_449_600;

    private static final List<String> SELF_HEAL_FLAGS = List.of("exclude", "rebuild", "delay_rebuild");

    /** Obeyed, and may be changed while the pool lives. */
    private static final Set<String> CHANGEABLE =
            Set.of(SELF_HEAL, "rd_fac", "rf", SPACE_RB, REBUILD_RATE, SCRUB, SCRUB_FREQ, SCRUB_THRESH);

    /** Obeyed, and fixed when the pool is made. */
    private static final Set<String> FIXED = Set.of("label", "svc_rf", "data_thresh");

    /** Known, but only the one value is built: anything else would be a promise that nobody keeps. */
    private static final Map<String, String> ONE_VALUE = Map.ofEntries(
            Map.entry("reclaim", "lazy"),
            Map.entry("ec_cell_sz", ""),
            Map.entry("ec_pda", ""),
            Map.entry("rp_pda", ""),
            Map.entry("perf_domain", "root"),
            Map.entry("checkpoint", ""),
            Map.entry("checkpoint_freq", ""),
            Map.entry("checkpoint_thresh", ""),
            Map.entry("reintegration", "incremental"),
            Map.entry("svc_ops_enabled", "1"),
            Map.entry("svc_ops_entry_age", ""));

    private PoolProperties() {}

    /** Of a pool that is there: 0 for a stored value that this release does not understand. */
    public static int rdFac(Map<String, String> properties) {
        String value = properties.getOrDefault("rd_fac", properties.getOrDefault("rf", ""));
        return value.trim().matches("[0-4]") ? Integer.parseInt(value.trim()) : 0;
    }

    /**
     * Replicas that a pool's service is to have: 2 * svc_rf + 1; there are as many as there are nodes at most.
     *
     * @param asked by an older way, 0 = not
     */
    public static int serviceReplicas(Map<String, String> properties, int asked) {
        int wanted = properties.containsKey("svc_rf") ? 2 * number(properties, "svc_rf", 2, 0, 4) + 1 : asked;
        if (wanted == 0) wanted = 3;
        if (wanted < 1 || wanted % 2 == 0 || wanted > 9) {
            throw Fault.of(FaultCode.INVAL, "pool service replicas: %d is not an odd number from 1 to 9", wanted)
                    .with("fault", 608)
                    .asException();
        }
        return wanted;
    }

    /** Of a pool that is there: the default for one of before this was noted, and for a value that this release does not understand. */
    public static int serviceReplicasOf(PoolEntryMessage pool) {
        if (pool.getServiceReplicas() > 0) return pool.getServiceReplicas();
        boolean isKnown = pool.getPropertiesOrDefault("svc_rf", "").trim().matches("[0-4]");
        return serviceReplicas(isKnown ? pool.getPropertiesMap() : Map.of(), 0);
    }

    /** {@code self_heal} allows an automatic exclusion; flags are separated by a semicolon or comma. */
    public static boolean mayExclude(Map<String, String> properties) {
        return heals(properties, "exclude");
    }

    /** {@code self_heal} has an automatic exclusion rebuilt at once; {@code delay_rebuild}: with the next one by hand. */
    public static boolean mayRebuild(Map<String, String> properties) {
        return heals(properties, "rebuild");
    }

    private static boolean heals(Map<String, String> properties, String flag) {
        return has(properties.getOrDefault(SELF_HEAL, SELF_HEAL_DEFAULT), flag);
    }

    /** True when a {@code ;}- or {@code ,}-separated list holds the flag. */
    public static boolean has(String flags, String flag) {
        for (String f : flags.split("[;,]")) {
            if (f.trim().equals(flag)) return true;
        }
        return false;
    }

    /** What a pool is made with; refuses unknown keys and values that nobody would obey. */
    public static void check(Map<String, String> properties) {
        checkKnown(properties);
        int factor = number(properties, "rd_fac", 0, 0, 4);
        if (number(properties, "rf", factor, 0, 4) != factor && properties.containsKey("rd_fac"))
            throw Fault.of(FaultCode.INVAL, "rd_fac and rf differ").asException();
        number(properties, "svc_rf", 2, 0, 4);
        number(properties, "data_thresh", 0, 0, DATA_THRESHOLD_BYTES_MAX);
    }

    private static void checkKnown(Map<String, String> properties) {
        properties.forEach((key, value) -> {
            if (key.equals("svc_list")) {
                throw Fault.of(FaultCode.INVAL, "cannot set pool service replica list")
                        .asException();
            }
            String only = ONE_VALUE.get(key);
            if (only != null && !value.equals(only)) {
                throw Fault.of(FaultCode.NOSYS, "property \"%s\": \"%s\" is not built yet", key, value)
                        .remedy(only.isEmpty() ? "leave it out" : "leave it out, which means " + only)
                        .asException();
            }
            if (only == null && !CHANGEABLE.contains(key) && !FIXED.contains(key)) {
                throw Fault.of(FaultCode.INVAL, "unknown property \"%s\"", key).asException();
            }
        });
        String heal = properties.get(SELF_HEAL);
        if (heal != null) selfHeal(heal);
        if (properties.containsKey(SPACE_RB)) spaceRb(properties.get(SPACE_RB));
        number(properties, REBUILD_RATE, 0, 0, REBUILD_RATE_MAX);
        checkScrub(properties);
    }

    /** What a pool is made with, as it is kept. */
    public static Map<String, String> kept(Map<String, String> checked) {
        Map<String, String> kept = new TreeMap<>(checked);
        kept.computeIfPresent(SPACE_RB, (key, value) -> spaceRb(value));
        return kept;
    }

    /** Of one of the scrubber's. */
    static String byDefault(String key) {
        return SCRUB_DEFAULTS.getOrDefault(key, "");
    }

    private static void checkScrub(Map<String, String> properties) {
        String mode = properties.get(SCRUB);
        if (mode != null && !SCRUB_MODES.contains(mode)) {
            throw Fault.of(FaultCode.INVAL, "invalid value \"%s\" for %s", mode, SCRUB)
                    .remedy("use one of " + String.join(", ", SCRUB_MODES))
                    .asException();
        }
        number(properties, SCRUB_FREQ, 1, 1, SCRUB_SECONDS_MAX);
        number(properties, SCRUB_THRESH, 0, 0, Integer.MAX_VALUE);
    }

    /** What somebody wants to set in a living pool, see {@link #changed}. */
    public static void checkChange(Map<String, String> wanted) {
        check(wanted);
        changed(wanted);
    }

    /** What is set in a living pool, as it is kept. */
    public static Map<String, String> changed(Map<String, String> wanted) {
        checkKnown(wanted);
        number(wanted, wanted.containsKey("rd_fac") ? "rd_fac" : "rf", 0, 0, 4);
        Map<String, String> checked = new TreeMap<>();
        wanted.forEach((key, value) -> {
            if (FIXED.contains(key)) {
                throw Fault.of(FaultCode.INVAL, "property \"%s\" cannot be changed once the pool is made", key)
                        .asException();
            }
            if (key.equals("rf")) checked.put("rd_fac", value.trim());
            else if (key.equals(SPACE_RB)) checked.put(key, spaceRb(value));
            else checked.put(key, key.equals(SELF_HEAL) ? selfHeal(value) : value.trim());
        });
        return checked;
    }

    /** Every property that something obeys, with the value that holds. */
    public static Map<String, String> effective(PoolEntryMessage entry) {
        Map<String, String> set = entry.getPropertiesMap();
        Map<String, String> all = new TreeMap<>(set);
        all.put("label", entry.getLabel());
        all.put("rd_fac", String.valueOf(rdFac(set)));
        all.remove("rf");
        all.put(SELF_HEAL, shown(set.getOrDefault(SELF_HEAL, SELF_HEAL_DEFAULT)));
        all.putIfAbsent("data_thresh", "4096");
        all.put(SPACE_RB, set.getOrDefault(SPACE_RB, "0") + "%");
        all.putIfAbsent(REBUILD_RATE, "0");
        SCRUB_DEFAULTS.forEach(all::putIfAbsent);
        all.put("svc_rf", String.valueOf((entry.getServiceRanksCount() - 1) / 2));
        return all;
    }

    /** What is stored and not understood is shown as it is. */
    private static String shown(String selfHeal) {
        try {
            return selfHeal(selfHeal);
        } catch (FaultException unknown) {
            return selfHeal;
        }
    }

    /** As it is kept: without a sign. */
    private static String spaceRb(String value) {
        String given = value.trim();
        String number = given.endsWith("%") ? given.substring(0, given.length() - 1) : given;
        return String.valueOf(number(Map.of(SPACE_RB, number), SPACE_RB, 0, 0, 100));
    }

    private static String selfHeal(String value) {
        String flags = flags(SELF_HEAL, value, SELF_HEAL_FLAGS);
        if (has(flags, "rebuild") && has(flags, "delay_rebuild")) {
            throw Fault.of(FaultCode.INVAL, "self_heal: rebuild and delay_rebuild exclude each other")
                    .asException();
        }
        return flags;
    }

    /** A list of flags in the order of the known ones, with semicolons; {@code none} when there is none. */
    public static String flags(String key, String value, List<String> known) {
        Set<String> given = new TreeSet<>();
        for (String f : value.split("[;,]", -1)) given.add(f.trim());
        boolean isNone = given.equals(Set.of("none"));
        if (!isNone && !known.containsAll(given)) {
            throw Fault.of(FaultCode.INVAL, "invalid value \"%s\" for %s", value, key)
                    .remedy("use none, or a list with semicolons out of " + String.join(", ", known))
                    .asException();
        }
        return isNone
                ? "none"
                : String.join(";", known.stream().filter(given::contains).toList());
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
