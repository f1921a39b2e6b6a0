package io.daosmesh.control.config;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * One mapping of a YAML file with the name of the place it stands at, so that every complaint can name its key. Immutable.
 *
 * @param at empty at the top, else e.g. {@code engines[0]}
 */
record Yaml(JsonNode node, String at) {
    private static final BigDecimal GIB = BigDecimal.valueOf(1L << 30);

    String key(String name) {
        return at.isEmpty() ? name : at + "." + name;
    }

    boolean has(String name) {
        return node.hasNonNull(name);
    }

    void refuseUnknown(Set<String> known) {
        for (Iterator<String> names = node.fieldNames(); names.hasNext(); ) {
            String name = names.next();
            if (!known.contains(name)) {
                throw ConfigFault.UNKNOWN_KEY.at(key(name), "unknown key").asException();
            }
        }
    }

    /** Refuses two spellings of the same thing; the first one present or empty. */
    Optional<String> oneOf(String first, String second) {
        if (has(first) && has(second)) {
            throw ConfigFault.CONTRADICTION
                    .at(key(first), "given together with %s", key(second))
                    .asException();
        }
        return has(first) ? Optional.of(first) : has(second) ? Optional.of(second) : Optional.empty();
    }

    Optional<String> text(String name) {
        if (!has(name)) return Optional.empty();
        JsonNode value = node.get(name);
        if (value.isContainerNode() || value.asText().isBlank()) throw bad(name, "wants a text");
        return Optional.of(value.asText());
    }

    Optional<Long> whole(String name) {
        if (!has(name)) return Optional.empty();
        JsonNode value = node.get(name);
        if (!value.isIntegralNumber() || !value.canConvertToLong()) throw bad(name, "wants a whole number");
        return Optional.of(value.asLong());
    }

    boolean flag(String name, boolean otherwise) {
        if (!has(name)) return otherwise;
        if (!node.get(name).isBoolean()) throw bad(name, "wants true or false");
        return node.get(name).asBoolean();
    }

    /** Capacity given in GiB, decimals allowed; 0 when absent. */
    long gibibytes(String name) {
        if (!has(name)) return 0;
        JsonNode value = node.get(name);
        if (!value.isNumber() || value.decimalValue().signum() <= 0)
            throw bad(name, "wants a number of GiB above zero");
        BigDecimal bytes = value.decimalValue().multiply(GIB);
        if (bytes.compareTo(BigDecimal.valueOf(1L << 60)) > 0) throw bad(name, "is larger than any device");
        return bytes.longValue();
    }

    List<String> texts(String name) {
        if (!has(name)) return List.of();
        JsonNode value = node.get(name);
        if (!value.isArray()) throw bad(name, "wants a list");
        List<String> all = new ArrayList<>();
        for (JsonNode item : value) {
            if (item.isContainerNode() || item.asText().isBlank()) throw bad(name, "wants a list of texts");
            all.add(item.asText());
        }
        return all;
    }

    Optional<Yaml> mapping(String name) {
        if (!has(name)) return Optional.empty();
        if (!node.get(name).isObject()) throw bad(name, "wants a mapping");
        return Optional.of(new Yaml(node.get(name), key(name)));
    }

    List<Yaml> mappings(String name) {
        if (!has(name)) return List.of();
        if (!node.get(name).isArray()) throw bad(name, "wants a list");
        List<Yaml> all = new ArrayList<>();
        for (JsonNode item : node.get(name)) {
            String place = key(name) + "[" + all.size() + "]";
            if (!item.isObject()) {
                throw ConfigFault.BAD_VALUE.at(place, "wants a mapping").asException();
            }
            all.add(new Yaml(item, place));
        }
        return all;
    }

    RuntimeException bad(String name, String text) {
        String shown = node.get(name) == null ? "" : node.get(name).toString();
        return ConfigFault.BAD_VALUE.at(key(name), "%s, not %s", text, shown).asException();
    }
}
