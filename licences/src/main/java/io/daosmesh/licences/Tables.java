package io.daosmesh.licences;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The decisions of this project about licences and versions. Immutable.
 *
 * @param names part of a name or address, small letters, and the SPDX identifier
 * @param allowed identifiers in the order of preference
 * @param known licence by group and artifact
 * @param least version by group and artifact or by group and {@code *}
 */
record Tables(Map<String, String> names, List<String> allowed, Map<String, String> known, Map<String, String> least) {

    static Tables read() {
        return new Tables(
                pairs("names.txt"), List.copyOf(pairs("allowed.txt").keySet()), pairs("known.txt"), pairs("least.txt"));
    }

    /** Lines {@code KEY = VALUE}, or keys alone, in their order. */
    private static Map<String, String> pairs(String name) {
        Map<String, String> pairs = new LinkedHashMap<>();
        for (String line : text(name).split("\n")) {
            if (line.isBlank() || line.startsWith("#")) continue;
            int at = line.indexOf(" = ");
            pairs.put(
                    at < 0 ? line.strip() : line.substring(0, at).strip(),
                    at < 0 ? "" : line.substring(at + 3).strip());
        }
        return pairs;
    }

    static String text(String name) {
        try (InputStream in = Tables.class.getResourceAsStream(name)) {
            if (in == null) throw new IllegalStateException("no file " + name);
            StringBuilder text = new StringBuilder();
            new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))
                    .lines()
                    .forEach(line -> text.append(line).append('\n'));
            return text.toString();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The identifier of what a component calls its licence. */
    Optional<String> identifier(String said) {
        String small = said.toLowerCase(Locale.ROOT);
        return names.entrySet().stream()
                .filter(e -> small.contains(e.getKey()))
                .map(Map.Entry::getValue)
                .findFirst();
    }

    /** True when a fault is known in this version. */
    boolean isFaulty(Component component) {
        String wanted = Optional.ofNullable(least.get(component.key())).orElse(least.get(component.group() + ":*"));
        return wanted != null && compare(component.version(), wanted) < 0;
    }

    private static int compare(String left, String right) {
        String[] a = left.split("[.-]");
        String[] b = right.split("[.-]");
        for (int i = 0; i < Math.max(a.length, b.length); i++) {
            int difference = Integer.compare(number(a, i), number(b, i));
            if (difference != 0) return difference;
        }
        return 0;
    }

    private static int number(String[] parts, int index) {
        return index < parts.length && parts[index].matches("[0-9]{1,9}") ? Integer.parseInt(parts[index]) : 0;
    }
}
