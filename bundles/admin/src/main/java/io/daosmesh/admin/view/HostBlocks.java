package io.daosmesh.admin.view;

import io.daosmesh.admin.HostReplies;
import io.daosmesh.admin.grammar.HostList;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/** Answers of hosts, equal ones together: as blocks under the name of their host set, or as rows of a table. */
public final class HostBlocks {
    private HostBlocks() {}

    /** Host sets in their order, each with what its hosts answered alike. */
    public static <T, K> Map<String, K> group(HostReplies<T> all, Function<T, K> content) {
        Map<K, List<String>> groups = new LinkedHashMap<>();
        all.replies()
                .forEach((host, reply) -> groups.computeIfAbsent(content.apply(reply), k -> new ArrayList<>())
                        .add(host));
        Map<String, K> byHosts = new TreeMap<>(java.util.Comparator.comparing(HostBlocks::firstHost));
        groups.forEach((answer, hosts) -> byHosts.put(all.display(hosts), answer));
        return byHosts;
    }

    /** A line of dashes, the host set, a line of dashes, then the content as it is. */
    public static <T> String blocks(HostReplies<T> all, Function<T, String> content) {
        StringBuilder out = new StringBuilder();
        group(all, content).forEach((hosts, text) -> {
            String line = "-".repeat(hosts.length());
            out.append(line)
                    .append('\n')
                    .append(hosts)
                    .append('\n')
                    .append(line)
                    .append('\n')
                    .append(text);
        });
        return out.toString();
    }

    /** The error section, printed before the result; empty without errors. */
    public static String errors(HostReplies<?> all) {
        if (all.errors().isEmpty()) return "";
        TextTable table = new TextTable("Hosts", "Error");
        all.errorGroups().forEach((error, hosts) -> table.row(all.display(hosts), error));
        return "Errors:\n" + indent(table.render()) + "\n";
    }

    /** Errors as the list {@code host_errors}. */
    public static List<Map<String, ?>> errorsJson(HostReplies<?> all) {
        List<Map<String, ?>> list = new ArrayList<>();
        all.errors()
                .forEach((host, fault) -> list.add(Json.object(
                        "host",
                        host,
                        "error",
                        fault.message(),
                        "status",
                        -fault.code().number())));
        return list;
    }

    /** {@code {"host_errors": [..], "hosts": [{"host": .., ...}]}}. */
    public static <T> Map<String, ?> json(HostReplies<T> all, Function<T, Map<String, ?>> content) {
        List<Map<String, ?>> hosts = new ArrayList<>();
        all.replies().forEach((host, reply) -> {
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("host", host);
            entry.putAll(content.apply(reply));
            hosts.add(entry);
        });
        return Json.object("host_errors", errorsJson(all), "hosts", hosts);
    }

    /** Every line that holds something, two blanks further in. */
    public static String indent(String text) {
        StringBuilder out = new StringBuilder();
        for (String line : text.split("\n", -1)) {
            if (!line.isEmpty()) out.append("  ").append(line);
            out.append('\n');
        }
        out.setLength(out.length() - 1);
        return out.toString();
    }

    private static String firstHost(String hosts) {
        List<String> all = HostList.parse(hosts);
        String first = all.isEmpty() ? hosts : all.get(0);
        return first.replaceAll("[0-9]+", "") + "\0" + pad(first);
    }

    private static String pad(String host) {
        return java.util.regex.Pattern.compile("[0-9]+")
                .matcher(host)
                .replaceAll(m -> "0".repeat(Math.max(0, 12 - m.group().length())) + m.group());
    }
}
