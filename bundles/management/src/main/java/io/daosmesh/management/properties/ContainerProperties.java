package io.daosmesh.management.properties;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.wire.ContainerMessage;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * What a container may be made of: label, type, class, properties, from lists. For requests only: what is stored was checked
 * when it came in, perhaps by another release, and is shown as it is. Pure. Source: daos-engine facts 2.6, 2.7, 3.1.
 */
public final class ContainerProperties {
    /** Layouts that DAOS knows; the first stands for none. */
    private static final List<String> TYPES =
            List.of("unknown", "POSIX", "HDF5", "PYTHON", "SPARK", "DATABASE", "ROOT", "SEISMIC", "METEO");

    private static final String RD_FAC = "rd_fac";
    /** Objects of this release have 1 to 3 copies. */
    private static final int RD_FAC_MAX = 2;

    public static final String STATUS = "status";
    private static final String HEALTHY = "healthy";

    /** Off: the scrubber of the pool leaves the container's values alone. */
    public static final String SCRUBBER = "scrubber";

    private static final String OFF = "off";
    private static final List<String> SCRUBBER_VALUES = List.of("on", OFF);

    /** Old names of properties. */
    private static final Map<String, String> ALIASES = Map.of("rf", RD_FAC, "rf_lvl", "rd_lvl");

    /** Given in a field or by a request of its own, not as a property. */
    private static final Set<String> ELSEWHERE =
            Set.of("label", "type", "layout_type", "oclass", "owner", "group", "acl", STATUS);

    /** Known, but only the one value is built: anything else would be a promise that nobody keeps. Empty: none. */
    private static final Map<String, String> ONE_VALUE = Map.ofEntries(
            Map.entry("rd_lvl", "node"),
            Map.entry("dedup", "off"),
            Map.entry("dedup_threshold", ""),
            Map.entry("compression", "off"),
            Map.entry("encryption", "off"),
            Map.entry("cksum", ""),
            Map.entry("cksum_size", ""),
            Map.entry("srv_cksum", ""),
            Map.entry("ec_cell_sz", ""),
            Map.entry("ec_pda", ""),
            Map.entry("rp_pda", ""),
            Map.entry("perf_domain", "root"),
            Map.entry("dir_oclass", ""),
            Map.entry("file_oclass", ""),
            Map.entry("chunk_size", ""),
            Map.entry("layout_ver", ""),
            Map.entry("alloc_oid", ""),
            Map.entry("max_snapshot", ""),
            Map.entry("global_version", ""),
            Map.entry("obj_version", ""));

    private ContainerProperties() {}

    /**
     * The container as it will be kept: only what a caller may say, in the words of the lists. INVAL and NOSYS otherwise.
     *
     * @param asked without an identity it gets none here
     * @param map of the pool, whose fault domains have to do for the copies
     */
    public static ContainerMessage checked(ContainerMessage asked, PoolMap map) {
        checkLabel("container", asked.getLabel());
        if (!asked.getUuid().isEmpty()) Ids.uuid(asked.getUuid());
        Map<String, String> properties = properties(asked.getPropertiesMap());
        int factor = factor(asked.getRdFac(), properties);
        ContainerMessage.Builder b = ContainerMessage.newBuilder()
                .setUuid(asked.getUuid())
                .setLabel(asked.getLabel())
                .setType(type(asked.getType()))
                .setRdFac(factor)
                .putAllProperties(properties)
                .setCatalogueNumber(asked.getCatalogueNumber());
        ObjectClass.Named named = asked.getObjectClass().isEmpty()
                ? ObjectClass.forRedundancyFactor(factor)
                : ObjectClass.parse(asked.getObjectClass());
        if (named.objectClass().redundancyFactor() < factor) {
            throw Fault.of(FaultCode.INVAL, "class %s survives fewer failures than rd_fac %d", named.name(), factor)
                    .remedy("choose a class with more replicas or a lower rd_fac")
                    .asException();
        }
        checkDomains(named, map);
        return asked.getObjectClass().isEmpty()
                ? b.build()
                : b.setObjectClass(named.name()).build();
    }

    /** INVAL and NOSYS for what cannot be set in a container that is there. */
    public static void checkChange(Map<String, String> set) {
        set.forEach((key, value) -> {
            if (key.equals(SCRUBBER)) {
                scrubber(value);
                return;
            }
            if (!key.equals(STATUS)) throw unchangeable(key);
            if (!value.equals(HEALTHY)) {
                throw Fault.of(FaultCode.INVAL, "invalid value \"%s\" for status", value)
                        .remedy("status:healthy declares the container usable again; no other status can be set")
                        .asException();
            }
        });
    }

    private static RuntimeException unchangeable(String key) {
        String name = ALIASES.getOrDefault(key, key);
        boolean isKnown = name.equals(RD_FAC) || ONE_VALUE.containsKey(name) || ELSEWHERE.contains(name);
        return Fault.of(
                        isKnown ? FaultCode.NOSYS : FaultCode.INVAL,
                        isKnown ? "property \"%s\" of a container cannot be changed" : "unknown property \"%s\"",
                        key)
                .remedy("only status:healthy and scrubber can be set")
                .asException();
    }

    /** Whether the container asks to be left alone. */
    public static boolean isUnscrubbed(Map<String, String> kept) {
        return OFF.equals(kept.get(SCRUBBER));
    }

    private static String scrubber(String value) {
        if (SCRUBBER_VALUES.contains(value)) return value;
        throw Fault.of(FaultCode.INVAL, "invalid value \"%s\" for %s", value, SCRUBBER)
                .remedy("use one of " + String.join(", ", SCRUBBER_VALUES))
                .asException();
    }

    /** INVAL for a number of object ids that nobody gets at once. */
    /** 1 to 127 letters, digits, {@code : . - _}, and no UUID; an empty one means none. */
    public static void checkLabel(String what, String label) {
        boolean isUuid = label.matches("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}");
        if (!label.isEmpty() && (isUuid || !label.matches("[A-Za-z0-9:._-]{1,127}"))) {
            throw Fault.of(FaultCode.INVAL, "invalid %s label \"%s\"", what, label)
                    .remedy("use 1 to 127 letters, digits and : . - _, but not a UUID")
                    .asException();
        }
    }

    private static String type(String asked) {
        if (asked.isEmpty()) return TYPES.get(0);
        return TYPES.stream()
                .filter(t -> t.equalsIgnoreCase(asked))
                .findFirst()
                .orElseThrow(() -> Fault.of(FaultCode.INVAL, "unknown container type \"%s\"", asked)
                        .remedy("use one of " + String.join(", ", TYPES))
                        .asException());
    }

    private static Map<String, String> properties(Map<String, String> asked) {
        Map<String, String> kept = new TreeMap<>();
        asked.forEach((given, value) -> {
            String key = ALIASES.getOrDefault(given, given);
            if (ELSEWHERE.contains(key)) {
                throw Fault.of(FaultCode.INVAL, "\"%s\" is no property to make a container with", given)
                        .remedy("give it as an argument of its own, or set it in the container")
                        .asException();
            }
            if (key.equals(SCRUBBER)) {
                kept.put(key, scrubber(value));
                return;
            }
            String only = ONE_VALUE.get(key);
            if (only == null && !key.equals(RD_FAC))
                throw Fault.of(FaultCode.INVAL, "unknown property \"%s\"", given)
                        .asException();
            if (only != null && !value.equals(only)) {
                throw Fault.of(FaultCode.NOSYS, "property \"%s\": \"%s\" is not built yet", given, value)
                        .remedy(only.isEmpty() ? "leave it out" : "leave it out, which means " + only)
                        .asException();
            }
            String known = only == null ? String.valueOf(number(given, value)) : only;
            String before = kept.put(key, known);
            if (before != null && !before.equals(known))
                throw Fault.of(FaultCode.INVAL, "%s and %s differ", given, key).asException();
        });
        return kept;
    }

    /** {@code 1} or {@code rd_fac1}, as DAOS takes and shows it. */
    private static int number(String key, String value) {
        String digits = value.toLowerCase(Locale.ROOT).startsWith(RD_FAC) ? value.substring(RD_FAC.length()) : value;
        if (digits.matches("[0-9]{1,3}")) return Integer.parseInt(digits);
        throw Fault.of(FaultCode.INVAL, "invalid value \"%s\" for %s: 0 to %d", value, key, RD_FAC_MAX)
                .asException();
    }

    private static int factor(int asked, Map<String, String> properties) {
        String named = properties.get(RD_FAC);
        int factor = named == null ? asked : Integer.parseInt(named);
        if (asked != 0 && asked != factor)
            throw Fault.of(FaultCode.INVAL, "rd_fac is %d and %d", asked, factor)
                    .asException();
        if (factor < 0 || factor > RD_FAC_MAX) {
            throw Fault.of(
                            FaultCode.INVAL,
                            "rd_fac %s: this release protects against 0 to %d failures",
                            Integer.toUnsignedString(factor),
                            RD_FAC_MAX)
                    .asException();
        }
        return factor;
    }

    /** The domains of the pool count, not those that serve just now: what is missing is made good when they are back. */
    private static void checkDomains(ObjectClass.Named named, PoolMap map) {
        long have = map.targets().stream()
                .filter(t -> t.state() != TargetState.NEW)
                .map(PoolTarget::faultDomain)
                .distinct()
                .count();
        int need = named.objectClass().replicas();
        if (need > have) {
            throw Fault.of(
                            FaultCode.INVAL,
                            "class %s needs %d fault domains, the pool has %d",
                            named.name(),
                            need,
                            have)
                    .remedy("choose a class with fewer replicas, or extend the pool")
                    .asException();
        }
    }
}
