package io.daosmesh.control.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;

/**
 * What the command line of a server says instead of its configuration: system properties {@code daosmesh.server.*} that
 * bin/daos_server sets. Immutable; empty texts = as the file says.
 */
record Overrides(String port, String targets, String storage, boolean insecure) {
    static final Overrides NONE = new Overrides("", "", "", false);
    private static final String PREFIX = "daosmesh.server.";

    static Overrides of(Properties properties) {
        return new Overrides(
                properties.getProperty(PREFIX + "port", ""),
                properties.getProperty(PREFIX + "targets", ""),
                properties.getProperty(PREFIX + "storage", ""),
                Boolean.parseBoolean(properties.getProperty(PREFIX + "insecure", "")));
    }

    /** Changes the tree, before it is checked as a whole. */
    void apply(JsonNode tree) {
        if (!(tree instanceof ObjectNode top)) return;
        if (!port.isEmpty()) top.put("port", whole("--port", port));
        if (insecure) {
            JsonNode transport = top.get("transport_config");
            ObjectNode section = transport instanceof ObjectNode given ? given : top.putObject("transport_config");
            section.put("allow_insecure", true);
        }
        List<ObjectNode> engines = engines(top);
        if (!targets.isEmpty()) {
            long count = whole("--targets", targets);
            engines.forEach(e -> e.put("targets", count));
        }
        if (storage.isEmpty()) return;
        if (engines.size() != 1) {
            throw ConfigFault.CONTRADICTION
                    .at("--storage", "given for %d engines", engines.size())
                    .asException();
        }
        JsonNode tiers = engines.get(0).get("storage");
        boolean flat = tiers == null || !(tiers.get(0) instanceof ObjectNode);
        (flat ? engines.get(0) : (ObjectNode) tiers.get(0)).put("scm_mount", storage);
    }

    private static List<ObjectNode> engines(ObjectNode top) {
        List<ObjectNode> all = new ArrayList<>();
        for (String key : List.of("engines", "servers")) {
            if (top.get(key) != null)
                top.get(key).forEach(e -> {
                    if (e instanceof ObjectNode engine) all.add(engine);
                });
        }
        return all;
    }

    private static long whole(String flag, String text) {
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw ConfigFault.BAD_VALUE
                    .at(flag, "'%s' is no whole number", text)
                    .asException();
        }
    }
}
