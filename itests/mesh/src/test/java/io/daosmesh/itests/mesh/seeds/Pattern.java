package io.daosmesh.itests.mesh.seeds;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;

/**
 * Expected output, line by line: {@code <name>} is a word, the same one wherever the name stands; {@code <_>} any word;
 * {@code <*>} any text; a line {@code ...} any number of lines. As many blanks as a column needs are one; a line's first
 * blanks count, its last do not. Immutable.
 *
 * @param lines as they stand on the page
 */
record Pattern(List<String> lines) {
    private static final String ANY_LINES = "...";
    private static final java.util.regex.Pattern NAME = java.util.regex.Pattern.compile("<([a-z][a-z0-9-]*|_|\\*)>");

    Pattern {
        lines = lines.stream().map(String::stripTrailing).toList();
    }

    /** What the names stand for when the text is as expected, those known before among them; else empty. */
    Optional<Map<String, String>> match(String text, Map<String, String> known) {
        List<String> actual = text.lines().map(String::stripTrailing).toList();
        int end = actual.size();
        while (end > 0 && actual.get(end - 1).isEmpty()) end--;
        return match(0, actual.subList(0, end), 0, known);
    }

    private Optional<Map<String, String>> match(int at, List<String> actual, int line, Map<String, String> known) {
        if (at == lines.size()) return line == actual.size() ? Optional.of(known) : Optional.empty();
        if (lines.get(at).equals(ANY_LINES)) {
            for (int next = line; next <= actual.size(); next++) {
                Optional<Map<String, String>> rest = match(at + 1, actual, next, known);
                if (rest.isPresent()) return rest;
            }
            return Optional.empty();
        }
        if (line == actual.size()) return Optional.empty();
        return line(lines.get(at), actual.get(line), known).flatMap(names -> match(at + 1, actual, line + 1, names));
    }

    private static Optional<Map<String, String>> line(String expected, String actual, Map<String, String> known) {
        StringBuilder regex = new StringBuilder();
        Map<String, Integer> groups = new HashMap<>();
        Matcher names = NAME.matcher(expected);
        int from = 0;
        while (names.find()) {
            literal(regex, expected, from, names.start());
            from = names.end();
            String name = names.group(1);
            String value = known.get(name);
            if (name.equals("*")) regex.append(".*");
            else if (name.equals("_")) regex.append("\\S+?");
            else if (value != null) regex.append(java.util.regex.Pattern.quote(value));
            else if (groups.containsKey(name)) regex.append("\\").append(groups.get(name));
            else {
                groups.put(name, groups.size() + 1);
                regex.append("(\\S+?)");
            }
        }
        literal(regex, expected, from, expected.length());
        Matcher found = java.util.regex.Pattern.compile(regex.toString()).matcher(actual);
        if (!found.matches()) return Optional.empty();
        Map<String, String> all = new HashMap<>(known);
        groups.forEach((name, group) -> all.put(name, found.group(group)));
        return Optional.of(all);
    }

    private static void literal(StringBuilder regex, String line, int from, int to) {
        int indent = line.length() - line.stripLeading().length();
        for (int i = from; i < to; i++) {
            char c = line.charAt(i);
            boolean isColumn = c == ' ' && i >= indent;
            if (!isColumn) regex.append(java.util.regex.Pattern.quote(String.valueOf(c)));
            else if (i == from || line.charAt(i - 1) != ' ') regex.append(" +");
        }
    }

    /** A command with its names replaced by what they stand for. */
    static String filledIn(String command, Map<String, String> known) {
        return NAME.matcher(command).replaceAll(m -> {
            String value = known.get(m.group(1));
            if (value == null)
                throw new IllegalArgumentException("nothing is known of " + m.group() + " in: " + command);
            return Matcher.quoteReplacement(value);
        });
    }
}
