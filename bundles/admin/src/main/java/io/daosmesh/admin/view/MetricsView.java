package io.daosmesh.admin.view;

import io.daosmesh.model.text.Printable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Metrics as a server's Prometheus page tells them, in DAOS's layouts. Source: daos-admin facts 2.5. */
public final class MetricsView {
    private static final Pattern SAMPLE =
            Pattern.compile("([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\\{(.*)\\})?\\s+(\\S+)(?:\\s+-?[0-9]+)?");
    private static final Pattern LABEL = Pattern.compile("([a-zA-Z_][a-zA-Z0-9_]*)=\"((?:[^\"\\\\]|\\\\.)*)\"");
    private static final List<String> PARTS = List.of("_bucket", "_count", "_sum", "_created", "_total");

    private MetricsView() {}

    /** All samples of one name. Immutable. @param type Counter, Gauge, Summary, Histogram, Generic or Unknown */
    public record MetricSet(String name, String description, String type, List<Sample> samples) {
        public MetricSet {
            samples = List.copyOf(samples);
        }
    }

    /** @param part what is after the set's name in the sample's: empty, {@code _sum}, {@code _count}, {@code _bucket} */
    public record Sample(String part, Map<String, String> labels, double value) {}

    /** Prometheus text format 0.0.4; lines it does not understand are left out. Sorted by name. */
    public static List<MetricSet> parse(String page) {
        Map<String, String> helps = new LinkedHashMap<>();
        Map<String, String> types = new LinkedHashMap<>();
        Map<String, List<Sample>> samples = new TreeMap<>();
        page.lines().forEach(line -> {
            String[] words = line.split("\\s+", 4);
            if (line.startsWith("# HELP") && words.length >= 3) {
                helps.put(
                        words[2],
                        words.length > 3 ? words[3].replace("\\n", " ").replace("\\\\", "\\") : "");
            } else if (line.startsWith("# TYPE") && words.length > 3) {
                types.put(words[2], words[3].trim());
            } else if (!line.startsWith("#") && !line.isBlank()) {
                sample(line.trim(), types, samples);
            }
        });
        List<MetricSet> sets = new ArrayList<>();
        samples.forEach((name, list) ->
                sets.add(new MetricSet(name, helps.getOrDefault(name, ""), type(types.getOrDefault(name, "")), list)));
        return sets;
    }

    public static String list(List<MetricSet> sets) {
        if (sets.isEmpty()) return "No metrics found\n";
        TextTable table = new TextTable("Metric Set", "Type", "Description");
        sets.forEach(s -> table.row(s.name, s.type, s.description));
        return table.render();
    }

    public static String query(List<MetricSet> sets) {
        if (sets.isEmpty()) return "No metrics found\n";
        StringBuilder out = new StringBuilder();
        for (MetricSet set : sets) {
            out.append("- Metric Set: ")
                    .append(Printable.of(set.name))
                    .append(" (Type: ")
                    .append(Printable.of(set.type))
                    .append(")\n");
            out.append("  ").append(Printable.of(set.description)).append('\n');
            TextTable table = new TextTable("Metric", "Labels", "Value");
            set.samples.forEach(s -> table.row(rowName(set, s), labels(s), Json.number(s.value)));
            out.append(HostBlocks.indent(HostBlocks.indent(table.render()))).append('\n');
        }
        return out.toString();
    }

    public static Map<String, ?> listJson(List<MetricSet> sets) {
        List<Map<String, ?>> rows = new ArrayList<>();
        sets.forEach(s -> rows.add(
                Json.object("name", s.name, "description", s.description, "type", s.type.toLowerCase(Locale.ROOT))));
        return Json.object("available_metric_sets", rows);
    }

    public static Map<String, ?> queryJson(List<MetricSet> sets) {
        List<Map<String, ?>> rows = new ArrayList<>();
        for (MetricSet set : sets) {
            List<Map<String, ?>> metrics = new ArrayList<>();
            set.samples.forEach(
                    s -> metrics.add(Json.object("name", set.name + s.part, "labels", s.labels, "value", s.value)));
            rows.add(Json.object(
                    "name",
                    set.name,
                    "description",
                    set.description,
                    "type",
                    set.type.toLowerCase(Locale.ROOT),
                    "metrics",
                    metrics));
        }
        return Json.object("metric_sets", rows);
    }

    private static void sample(String line, Map<String, String> types, Map<String, List<Sample>> samples) {
        Matcher m = SAMPLE.matcher(line);
        if (!m.matches()) return;
        String set = m.group(1);
        if (!types.containsKey(set)) {
            for (String part : PARTS) {
                String base = set.endsWith(part) ? set.substring(0, set.length() - part.length()) : "";
                if (types.containsKey(base)) set = base;
            }
        }
        Map<String, String> labels = new TreeMap<>();
        if (m.group(2) != null) {
            Matcher label = LABEL.matcher(m.group(2));
            while (label.find())
                labels.put(label.group(1), label.group(2).replace("\\\"", "\"").replace("\\\\", "\\"));
        }
        samples.computeIfAbsent(set, s -> new ArrayList<>())
                .add(new Sample(m.group(1).substring(set.length()), labels, value(m.group(3))));
    }

    private static double value(String text) {
        try {
            return Double.parseDouble(text.replace("+Inf", "Infinity").replace("-Inf", "-Infinity"));
        } catch (NumberFormatException e) {
            return Double.NaN;
        }
    }

    private static String type(String type) {
        return switch (type) {
            case "counter" -> "Counter";
            case "gauge" -> "Gauge";
            case "summary" -> "Summary";
            case "histogram" -> "Histogram";
            case "untyped" -> "Generic";
            default -> "Unknown";
        };
    }

    private static String rowName(MetricSet set, Sample sample) {
        return switch (sample.part) {
            case "_count" -> "Sample Count";
            case "_sum" -> "Sample Sum";
            case "_bucket" -> "Bucket(" + sample.labels.getOrDefault("le", "") + ") Cumulative Count";
            default ->
                set.type.equals("Summary") && sample.labels.containsKey("quantile")
                        ? "Quantile(" + sample.labels.get("quantile") + ")"
                        : set.type;
        };
    }

    private static String labels(Sample sample) {
        StringBuilder text = new StringBuilder();
        sample.labels.forEach((name, value) -> {
            if (name.equals("le") || name.equals("quantile")) return;
            text.append(text.length() == 0 ? "(" : ", ")
                    .append(name)
                    .append('=')
                    .append(value);
        });
        return text.length() == 0 ? "N/A" : text.append(')').toString();
    }
}
