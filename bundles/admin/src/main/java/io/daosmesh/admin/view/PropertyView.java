package io.daosmesh.admin.view;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Properties of the system and of pools: {@code get-prop}. Source: daos-admin facts 1.3. Immutable. */
public final class PropertyView {
    private static final Map<String, String> SYSTEM = Map.of(
            "daos_system", "DAOS system name",
            "pool_scrub_mode", "Scrub mode for all pools",
            "pool_scrub_thresh", "Scrub threshold for all pools",
            "self_heal", "Self-heal policy for the system");

    private static final Map<String, String> POOL = Map.ofEntries(
            Map.entry("label", "Pool label"),
            Map.entry("self_heal", "Self-healing policy"),
            Map.entry("rd_fac", "Pool redundancy factor"),
            Map.entry("svc_rf", "Pool service redundancy factor"),
            Map.entry("data_thresh", "Data bdev threshold size"),
            Map.entry("reclaim", "Reclaim strategy"),
            Map.entry("scrub", "Checksum scrubbing mode"),
            Map.entry("scrub_freq", "Checksum scrubbing frequency"),
            Map.entry("scrub_thresh", "Checksum scrubbing threshold"),
            Map.entry("space_rb", "Rebuild space ratio"),
            Map.entry("rebuild_rate", "Rebuild rate of a rank, MB/s"),
            Map.entry("perf_domain", "Pool performance domain"),
            Map.entry("reintegration", "Reintegration mode"));

    private static final Map<String, String> CONTAINER = Map.of(
            "label", "Label",
            "layout_type", "Layout Type",
            "rd_fac", "Redundancy Factor",
            "rd_lvl", "Redundancy Level",
            "scrubber", "Checksum Scrubber",
            "status", "Health");

    /** Null for attributes, which nobody describes. */
    private final @Nullable Map<String, String> names;

    private final TreeMap<String, String> values;

    private PropertyView(@Nullable Map<String, String> names, Map<String, String> values) {
        this.names = names;
        this.values = new TreeMap<>(values);
    }

    /** @param keys only these; empty = all. DER_INVAL for one that is not there. */
    public static PropertyView ofSystem(Map<String, String> values, List<String> keys) {
        return new PropertyView(SYSTEM, chosen(values, keys, "invalid system property key: %s"));
    }

    /** @param keys only these; empty = all. DER_INVAL for one that is not there. */
    public static PropertyView ofPool(Map<String, String> values, List<String> keys) {
        return new PropertyView(POOL, chosen(values, keys, "unknown property \"%s\""));
    }

    /** @param keys only these; empty = all. DER_INVAL for one that is not there. */
    public static PropertyView ofContainer(Map<String, String> values, List<String> keys) {
        return new PropertyView(CONTAINER, chosen(values, keys, "unknown property \"%s\""));
    }

    /** Free-form attributes of the system. @param keys only these; empty = all. DER_NONEXIST for one that is not there. */
    public static PropertyView attributes(Map<String, String> values, List<String> keys) {
        for (String key : keys) {
            if (values.containsKey(key)) continue;
            throw Fault.of(FaultCode.NONEXIST, "no system attribute \"%s\"", key)
                    .remedy("get-attr without a key shows all of them")
                    .asException();
        }
        return new PropertyView(null, chosen(values, keys, ""));
    }

    private static Map<String, String> chosen(Map<String, String> values, List<String> keys, String complaint) {
        if (keys.isEmpty()) return values;
        Map<String, String> chosen = new TreeMap<>();
        for (String key : keys) {
            String value = values.get(key);
            if (value == null) {
                throw Fault.of(FaultCode.INVAL, complaint, key)
                        .remedy("get-prop without a key shows all of them")
                        .asException();
            }
            chosen.put(key, value);
        }
        return chosen;
    }

    public String text() {
        if (names == null && values.isEmpty()) return "No system attributes found.\n";
        TextTable table = new TextTable("Name", "Value");
        values.forEach((key, value) -> table.row(names == null ? key : described(names, key), value));
        return table.render();
    }

    public List<Map<String, ?>> json() {
        List<Map<String, ?>> list = new ArrayList<>();
        values.forEach((key, value) -> list.add(Json.object(
                "name", key, "description", names == null ? "" : names.getOrDefault(key, key), "value", value)));
        return list;
    }

    private static String described(Map<String, String> names, String key) {
        return names.getOrDefault(key, key) + " (" + key + ")";
    }
}
