package io.daosmesh.control.node;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * DAOS log masks as levels of our loggers: {@code ERR,mgmt=DEBUG} = everything at ERR, management at DEBUG. Pure.
 * Facilities and levels: daos-admin facts 1.5.
 */
final class LogMasks {
    /** Default logger of a bare level. */
    static final String ALL = "io.daosmesh";

    private static final Map<String, String> LEVELS = Map.of(
            "FATAL", "ERROR", "CRIT", "ERROR", "ERR", "ERROR", "ERROR", "ERROR", "WARN", "WARN", "NOTE", "INFO", "INFO",
            "INFO", "DEBUG", "DEBUG", "TRACE", "TRACE");

    private static final Map<String, List<String>> FACILITIES = Map.ofEntries(
            Map.entry("mgmt", List.of("io.daosmesh.management")),
            Map.entry("pool", List.of("io.daosmesh.management")),
            Map.entry("container", List.of("io.daosmesh.management")),
            Map.entry("rdb", List.of("io.daosmesh.management")),
            Map.entry("server", List.of("io.daosmesh.control")),
            Map.entry("vos", List.of("io.daosmesh.engine")),
            Map.entry("object", List.of("io.daosmesh.engine")),
            Map.entry("tree", List.of("io.daosmesh.engine")),
            Map.entry("placement", List.of("io.daosmesh.model")),
            Map.entry("common", List.of("io.daosmesh.model")),
            Map.entry("rebuild", List.of("io.daosmesh.rebuild")),
            Map.entry("bio", List.of("io.daosmesh.storage", "io.daosmesh.nvmespdk", "io.daosmesh.pmem")),
            Map.entry("tier", List.of("io.daosmesh.storage")),
            Map.entry("swim", List.of("io.daosmesh.swim")),
            Map.entry("grp", List.of("io.daosmesh.swim")),
            Map.entry("st", List.of("io.daosmesh.telemetry")),
            Map.entry("rpc", List.of("io.daosmesh.transport")),
            Map.entry("hg", List.of("io.daosmesh.transport")),
            Map.entry("bulk", List.of("io.daosmesh.transport")));
    private static final int MASKS_MAX = 64;

    private LogMasks() {}

    /** Logger name to level, in the order given; every facility not named follows the bare level. DER_INVAL. */
    static Map<String, String> parse(String masks) {
        String[] parts = masks.split(",", -1);
        if (parts.length > MASKS_MAX) throw invalid("more than " + MASKS_MAX + " masks");
        Map<String, String> levels = new LinkedHashMap<>();
        for (String part : parts) {
            int equals = part.indexOf('=');
            String level = level(part.substring(equals + 1).trim());
            if (equals < 0) {
                levels.put(ALL, level);
            } else {
                loggers(part.substring(0, equals).trim()).forEach(l -> levels.put(l, level));
            }
        }
        return levels;
    }

    /** Every logger a mask can name, for a reset. */
    static List<String> loggers() {
        return FACILITIES.values().stream()
                .flatMap(List::stream)
                .distinct()
                .sorted()
                .toList();
    }

    private static List<String> loggers(String facility) {
        List<String> found = FACILITIES.get(facility.toLowerCase(Locale.ROOT));
        if (found == null) throw invalid("unknown facility '" + facility + "'");
        return found;
    }

    private static String level(String text) {
        String level = LEVELS.get(text.toUpperCase(Locale.ROOT));
        if (level == null) throw invalid("unknown level '" + text + "'");
        return level;
    }

    private static RuntimeException invalid(String text) {
        return Fault.of(FaultCode.INVAL, "log masks: %s", text)
                .remedy("use LEVEL or FACILITY=LEVEL, comma separated, e.g. ERR,mgmt=DEBUG")
                .asException();
    }
}
