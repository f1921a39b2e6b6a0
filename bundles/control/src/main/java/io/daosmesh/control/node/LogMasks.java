package io.daosmesh.control.node;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

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
            Map.entry("bulk", List.of("io.daosmesh.transport")),
            Map.entry("corpc", List.of("io.daosmesh.transport")),
            Map.entry("lm", List.of("io.daosmesh.swim")),
            Map.entry("iv", List.of("io.daosmesh.management.maps")),
            Map.entry("client", List.of("io.daosmesh.client")),
            Map.entry("mem", List.of("io.daosmesh.storage")),
            Map.entry("misc", List.of("io.daosmesh.control")),
            Map.entry("tests", List.of("io.daosmesh.itests")));

    /** Streams of debug lines by the parts that write them; an empty list is all of them. */
    private static final Map<String, List<String>> STREAMS = Map.ofEntries(
            Map.entry("md", List.of("io.daosmesh.management", "io.daosmesh.engine")),
            Map.entry("pl", List.of("io.daosmesh.model")),
            Map.entry("mgmt", List.of("io.daosmesh.management")),
            Map.entry("epc", List.of("io.daosmesh.engine")),
            Map.entry("df", List.of("io.daosmesh.engine", "io.daosmesh.storage")),
            Map.entry("rebuild", List.of("io.daosmesh.rebuild")),
            Map.entry("mem", List.of("io.daosmesh.storage")),
            Map.entry("net", List.of("io.daosmesh.transport")),
            Map.entry("io", List.of("io.daosmesh.engine", "io.daosmesh.storage", "io.daosmesh.client")),
            Map.entry("daos_default", List.of()),
            Map.entry("any", List.of()),
            Map.entry("all", List.of()),
            Map.entry("trace", List.of()));

    private static final Map<String, List<String>> SUBSYSTEMS = withAll(FACILITIES);
    private static final int MASKS_MAX = 64;

    private LogMasks() {}

    private static Map<String, List<String>> withAll(Map<String, List<String>> facilities) {
        Map<String, List<String>> all = new HashMap<>(facilities);
        all.put("all", List.of());
        return Map.copyOf(all);
    }

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

    /**
     * The same, with debug lines only of some streams and subsystems: what the masks let debug and these do not is at INFO, and
     * the stream trace lowers DEBUG to TRACE. Blank = all. DER_INVAL.
     */
    static Map<String, String> parse(String masks, String streams, String subsystems) {
        Map<String, String> levels = parse(masks);
        Set<String> ofStreams = chosen("stream", streams, STREAMS);
        Set<String> ofSubsystems = chosen("subsystem", subsystems, SUBSYSTEMS);
        boolean isTrace = words(streams).contains("trace");
        if (ofStreams.isEmpty() && ofSubsystems.isEmpty() && !isTrace) return levels;
        Map<String, String> some = new LinkedHashMap<>(levels);
        if (isDebug(levels.getOrDefault(ALL, ""))) some.put(ALL, "INFO");
        for (String logger : loggers()) {
            if (!isDebug(effective(levels, logger))) continue;
            boolean isIn = isIn(ofStreams, logger) && isIn(ofSubsystems, logger);
            some.put(logger, !isIn ? "INFO" : isTrace ? "TRACE" : "DEBUG");
        }
        return some;
    }

    private static boolean isDebug(String level) {
        return level.equals("DEBUG") || level.equals("TRACE");
    }

    private static boolean isIn(Set<String> chosen, String logger) {
        return chosen.isEmpty() || chosen.stream().anyMatch(c -> logger.equals(c) || logger.startsWith(c + "."));
    }

    /** Of the nearest logger above that has one. */
    private static String effective(Map<String, String> levels, String logger) {
        String at = logger;
        while (!at.isEmpty()) {
            String level = levels.get(at);
            if (level != null) return level;
            at = at.contains(".") ? at.substring(0, at.lastIndexOf('.')) : "";
        }
        return "";
    }

    private static List<String> words(String text) {
        return text.isBlank()
                ? List.of()
                : Stream.of(text.split(",", -1))
                        .map(w -> w.trim().toLowerCase(Locale.ROOT))
                        .toList();
    }

    /** Empty = all. */
    private static Set<String> chosen(String what, String text, Map<String, List<String>> known) {
        List<String> words = words(text);
        if (words.size() > MASKS_MAX) throw invalid("more than " + MASKS_MAX + " of " + what);
        Set<String> loggers = new TreeSet<>();
        boolean isAll = false;
        for (String word : words) {
            List<String> found = known.get(word);
            if (found == null) throw invalid("unknown " + what + " '" + word + "'");
            isAll |= found.isEmpty();
            loggers.addAll(found);
        }
        return isAll ? Set.of() : loggers;
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
