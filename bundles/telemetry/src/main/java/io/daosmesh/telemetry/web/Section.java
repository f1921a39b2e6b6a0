package io.daosmesh.telemetry.web;

import com.fasterxml.jackson.databind.JsonNode;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A mapping of the web configuration file with the name of its place, so that each complaint names its key. Immutable.
 *
 * @param at empty at the top
 */
record Section(Path file, JsonNode node, String at) {
    String key(String name) {
        return at.isEmpty() ? name : at + "." + name;
    }

    /** @param notBuilt known to Prometheus's exporters, not to us */
    void refuseUnknown(Set<String> known, Set<String> notBuilt) {
        for (Iterator<String> names = node.fieldNames(); names.hasNext(); ) {
            String name = names.next();
            if (known.contains(name)) continue;
            throw bad(name, notBuilt.contains(name) ? "this key is not built here" : "unknown key");
        }
    }

    boolean has(String name) {
        return node.hasNonNull(name);
    }

    Optional<String> text(String name) {
        if (!has(name)) return Optional.empty();
        if (!node.get(name).isTextual() || node.get(name).asText().isBlank()) throw bad(name, "wants a text");
        return Optional.of(node.get(name).asText());
    }

    boolean flag(String name, boolean otherwise) {
        if (!has(name)) return otherwise;
        if (!node.get(name).isBoolean()) throw bad(name, "wants true or false");
        return node.get(name).asBoolean();
    }

    List<String> texts(String name) {
        if (!has(name)) return List.of();
        List<String> texts = new ArrayList<>();
        if (!node.get(name).isArray()) throw bad(name, "wants a list");
        for (JsonNode item : node.get(name)) {
            if (!item.isTextual()) throw bad(name, "wants a list of texts");
            texts.add(item.asText());
        }
        return texts;
    }

    /** Relative to the folder of the configuration file, as Prometheus has it. */
    Optional<Path> path(String name) {
        return text(name).map(p -> file.toAbsolutePath().resolveSibling(p));
    }

    Optional<Section> section(String name) {
        if (!has(name)) return Optional.empty();
        if (!node.get(name).isObject()) throw bad(name, "wants a mapping");
        return Optional.of(new Section(file, node.get(name), key(name)));
    }

    Map<String, String> all() {
        Map<String, String> all = new LinkedHashMap<>();
        node.fieldNames().forEachRemaining(name -> all.put(name, text(name).orElse("")));
        return all;
    }

    RuntimeException bad(String name, String text) {
        return Fault.of(FaultCode.INVAL, "%s: %s: %s", file, key(name), text)
                .remedy("correct the named key, see docs/configuration.md")
                .asException();
    }
}
