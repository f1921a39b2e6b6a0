package io.daosmesh.admin.grammar;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Host lists: {@code storagehost[0,5-10],10.8.1.[20-100],st01:10001}. Folding is the reverse and gives a text that parses to
 * the same hosts. Source: daos-admin facts 9.1.
 */
public final class HostList {
    private static final Pattern HOST = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]*(:[0-9]{1,5})?");
    private static final Pattern ADDRESS = Pattern.compile("[0-9]{1,3}(\\.[0-9]{1,3}){3}(:[0-9]{1,5})?");
    private static final Pattern NUMBERED = Pattern.compile("^(.*?)([0-9]+)([^0-9]*)$");

    private static final Comparator<String> NATURAL = new NaturalOrder();

    private HostList() {}

    /** Sorted, each host once; the empty text is the empty list. DER_INVAL. */
    public static List<String> parse(String text) {
        TreeSet<String> hosts = new TreeSet<>(NATURAL);
        for (String token : tokens(text)) {
            for (String host : expand(token)) {
                if (!isHost(host)) throw Ranges.invalid("invalid hostname \"%s\"", host);
                hosts.add(host);
            }
            if (hosts.size() > Ranges.NUMBERS_MAX) throw Ranges.invalid("more than %d hosts", Ranges.NUMBERS_MAX);
        }
        return List.copyOf(hosts);
    }

    /** Parsed hosts with {@code port} added where none is given. */
    public static List<String> addresses(String text, int port) {
        return parse(text).stream()
                .map(h -> h.contains(":") ? h : h + ":" + port)
                .toList();
    }

    /** {@code st[01-04,07]}; ports stay. */
    public static String fold(Collection<String> hosts) {
        Map<String, List<String>> numbersOfName = new TreeMap<>();
        List<String> bare = new ArrayList<>();
        for (String host : new TreeSet<>(hosts)) {
            Matcher m = NUMBERED.matcher(host);
            if (m.matches() && m.group(2).length() <= 10) {
                numbersOfName
                        .computeIfAbsent(m.group(1) + "\0" + m.group(3), k -> new ArrayList<>())
                        .add(m.group(2));
            } else {
                bare.add(host);
            }
        }
        List<String> parts = new ArrayList<>(bare);
        numbersOfName.forEach((name, numbers) -> {
            int cut = name.indexOf('\0');
            parts.addAll(foldNumbers(name.substring(0, cut), numbers, name.substring(cut + 1)));
        });
        parts.sort(NATURAL);
        return String.join(",", parts);
    }

    /** As {@link #fold} without ports, except for names that stand for several ports: {@code 127.0.0.1:1000[1-3]}. */
    public static String display(Collection<String> addresses) {
        Map<String, List<String>> byName = new TreeSet<>(addresses)
                .stream().collect(Collectors.groupingBy(HostList::name, TreeMap::new, Collectors.toList()));
        List<String> shown = new ArrayList<>();
        byName.forEach((name, all) -> {
            if (all.size() == 1) shown.add(name);
            else shown.addAll(all);
        });
        return fold(shown);
    }

    /**
     * As {@link #display}, hiding a port only where it is not needed among all the hosts of an answer: a single node of a
     * local mesh keeps its port because its neighbours have the same name.
     */
    public static String display(Collection<String> addresses, Collection<String> among) {
        Map<String, Long> uses =
                new TreeSet<>(among).stream().collect(Collectors.groupingBy(HostList::name, Collectors.counting()));
        return fold(addresses.stream()
                .map(a -> uses.getOrDefault(name(a), 1L) > 1 ? a : name(a))
                .toList());
    }

    /** Without its port. */
    public static String name(String address) {
        int colon = address.lastIndexOf(':');
        return colon < 0 ? address : address.substring(0, colon);
    }

    private static List<String> foldNumbers(String prefix, List<String> numbers, String suffix) {
        Map<Integer, List<Long>> byWidth = new TreeMap<>();
        for (String number : numbers) {
            boolean padded = numbers.stream()
                    .anyMatch(n -> n.length() == number.length() && n.length() > 1 && n.startsWith("0"));
            byWidth.computeIfAbsent(padded ? number.length() : 1, w -> new ArrayList<>())
                    .add(Long.parseLong(number));
        }
        List<String> folded = new ArrayList<>();
        byWidth.forEach((width, values) -> folded.add(one(prefix, values, width, suffix)));
        return folded;
    }

    private static String one(String prefix, List<Long> values, int width, String suffix) {
        if (values.size() == 1) return prefix + Ranges.padded(values.get(0), width) + suffix;
        if (!prefix.endsWith(":")) return prefix + "[" + Ranges.fold(values, width) + "]" + suffix;
        // ports: their common leading digits are no news
        String common = commonDigits(values);
        long base = common.isEmpty() ? 0 : Long.parseLong(common);
        int rest = Long.toString(values.get(0)).length() - common.length();
        long scale = (long) Math.pow(10, rest);
        List<Long> tails = values.stream()
                .map(v -> common.isEmpty() ? v : v - base * scale)
                .toList();
        return prefix + common + "[" + Ranges.fold(tails, common.isEmpty() ? 1 : rest) + "]" + suffix;
    }

    private static String commonDigits(List<Long> values) {
        String first = Long.toString(values.get(0));
        if (values.stream().anyMatch(v -> Long.toString(v).length() != first.length())) return "";
        int length = first.length() - 1;
        for (long v : values) {
            while (!Long.toString(v).startsWith(first.substring(0, length))) length--;
        }
        return first.substring(0, length);
    }

    private static boolean isHost(String host) {
        if (ADDRESS.matcher(host).matches()) return true;
        return HOST.matcher(host).matches() && name(host).chars().anyMatch(Character::isLetter);
    }

    private static List<String> tokens(String text) {
        List<String> all = new ArrayList<>();
        StringBuilder token = new StringBuilder();
        boolean inside = false;
        for (char c : text.toCharArray()) {
            if (c == '[' && inside) throw Ranges.invalid("invalid host list \"%s\" (nested '[')", text);
            if (c == ']' && !inside) throw Ranges.invalid("invalid host list \"%s\" (misplaced ']')", text);
            if (c == '[') inside = true;
            if (c == ']') inside = false;
            if (!inside && (c == ',' || c == ' ' || c == '\t')) {
                if (token.length() > 0) all.add(token.toString());
                token.setLength(0);
            } else {
                token.append(c);
            }
        }
        if (inside) throw Ranges.invalid("invalid host list \"%s\" (missing ']')", text);
        if (token.length() > 0) all.add(token.toString());
        return all;
    }

    private static List<String> expand(String token) {
        int open = token.indexOf('[');
        if (open < 0) return List.of(token);
        if (open == 0) throw Ranges.invalid("invalid hostname (missing prefix) \"%s\"", token);
        int close = token.indexOf(']');
        if (token.indexOf('[', close) >= 0) throw Ranges.invalid("invalid host list \"%s\" (two ranges)", token);
        String prefix = token.substring(0, open);
        String suffix = token.substring(close + 1);
        return Ranges.expand(token.substring(open + 1, close)).stream()
                .map(n -> prefix + n + suffix)
                .toList();
    }
}
