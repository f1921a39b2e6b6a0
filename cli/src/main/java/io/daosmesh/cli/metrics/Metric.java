package io.daosmesh.cli.metrics;

import io.daosmesh.admin.view.MetricsView;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * One metric as an engine of DAOS keeps it: a path, and a value that may have statistics. Immutable. The path is what DAOS's exporter
 * makes names and labels of, backwards: {@code engine_pool_ops_update{pool="U",target="6"}} is {@code pool/U/ops/update/tgt_6}.
 * Source: daos-engine facts 8.2.
 *
 * @param unit empty = a number
 */
record Metric(String path, Type type, double value, Optional<Stats> stats, String description, String unit) {
    private static final String PREFIX = "engine_";
    /** Folders below the first one: what follows them is a name of its own. */
    private static final List<String> FOLDERS =
            List.of("ops", "latency", "dtx", "req", "commands", "scrubber", "vos_space", "vos_aggregation", "xferred");

    /** Folders of the first level; what begins otherwise is a metric of the engine itself. */
    private static final Set<String> GROUPS = Set.of(
            "io",
            "net",
            "pool",
            "nvme",
            "scm",
            "sched",
            "swim",
            "rebuild",
            "log",
            "mem",
            "dmabuff",
            "exporter",
            "management",
            "handles",
            "driver",
            "value",
            "events");

    private static final List<String> STATS = List.of("_min", "_max", "_mean", "_stddev", "_samples");

    /** What kind of number it is; nodes have no timer snapshots. */
    enum Type {
        COUNTER,
        DURATION,
        TIMESTAMP,
        GAUGE;

        String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Of all samples so far. */
    record Stats(double min, double max, double mean, double stddev, double samples) {
        double sum() {
            return mean * samples;
        }
    }

    boolean isBelow(String folder) {
        return path.equals(folder) || path.startsWith(folder + "/");
    }

    /** Those of one engine, and those that all engines of the node share; sorted by path. NONEXIST without such an engine. */
    static List<Metric> of(List<MetricsView.MetricSet> sets, int engineIndex) {
        String rank = rank(sets, engineIndex);
        Map<String, MetricsView.MetricSet> byName =
                sets.stream().collect(Collectors.toMap(MetricsView.MetricSet::name, s -> s, (a, b) -> a));
        Map<String, Metric> all = new TreeMap<>();
        for (MetricsView.MetricSet set : sets) {
            if (isStatsOfAnother(set.name(), byName.keySet())) continue;
            for (MetricsView.Sample sample : set.samples()) {
                if (!sample.labels().getOrDefault("rank", rank).equals(rank)) continue;
                Metric metric = of(set, sample, byName);
                all.put(metric.path, metric);
            }
        }
        return List.copyOf(all.values());
    }

    private static String rank(List<MetricsView.MetricSet> sets, int engineIndex) {
        Set<Integer> ranks = new TreeSet<>();
        for (MetricsView.MetricSet set : sets) {
            if (!set.name().equals("engine_index") && !set.name().equals("engine_rank")) continue;
            for (MetricsView.Sample sample : set.samples()) {
                String rank = sample.labels().getOrDefault("rank", "");
                if (set.name().equals("engine_index") && sample.value() == engineIndex) return rank;
                if (rank.matches("[0-9]{1,9}")) ranks.add(Integer.parseInt(rank));
            }
        }
        throw Fault.of(FaultCode.NONEXIST, "the node runs no engine %d", engineIndex)
                .remedy(
                        ranks.isEmpty()
                                ? "wait until it has joined, see dmg system query"
                                : "give --srv_idx of an engine that runs: ranks " + ranks + " do")
                .asException();
    }

    private static boolean isStatsOfAnother(String name, Set<String> names) {
        return STATS.stream().anyMatch(s -> {
            if (!name.endsWith(s)) return false;
            String base = name.substring(0, name.length() - s.length());
            return names.contains(base) && names.contains(base + "_mean");
        });
    }

    private static Metric of(
            MetricsView.MetricSet set, MetricsView.Sample sample, Map<String, MetricsView.MetricSet> byName) {
        Optional<Stats> stats = byName.containsKey(set.name() + "_mean")
                ? Optional.of(new Stats(
                        part(byName, set.name() + "_min", sample),
                        part(byName, set.name() + "_max", sample),
                        part(byName, set.name() + "_mean", sample),
                        part(byName, set.name() + "_stddev", sample),
                        part(byName, set.name() + "_samples", sample)))
                : Optional.empty();
        String name = set.name() + sample.part();
        return new Metric(
                path(name, sample.labels()),
                type(set, name),
                sample.value(),
                stats,
                set.description(),
                sample.part().equals("_count") ? "" : unit(set.name()));
    }

    private static double part(Map<String, MetricsView.MetricSet> byName, String name, MetricsView.Sample of) {
        MetricsView.MetricSet set = byName.get(name);
        if (set == null) return 0;
        return set.samples().stream()
                .filter(s -> s.labels().equals(of.labels()))
                .mapToDouble(MetricsView.Sample::value)
                .findFirst()
                .orElse(0);
    }

    private static Type type(MetricsView.MetricSet set, String name) {
        if (name.endsWith("_at") || name.endsWith("_ts") || name.contains("timestamp")) return Type.TIMESTAMP;
        if (name.contains("latency") || name.contains("duration")) return Type.DURATION;
        boolean grows = set.type().equals("Counter") || name.endsWith("_total") || name.endsWith("_count");
        return grows ? Type.COUNTER : Type.GAUGE;
    }

    private static String unit(String name) {
        if (name.contains("latency")) return "us";
        if (name.contains("bytes_per_second")) return "bytes/s";
        if (name.contains("bytes") || name.contains("xferred") || name.contains("vos_space")) return "bytes";
        if (name.contains("seconds") || name.contains("duration") || name.endsWith("_at")) return "s";
        return "";
    }

    static String path(String name, Map<String, String> labels) {
        List<String> parts = new ArrayList<>();
        String rest = name.startsWith(PREFIX) ? name.substring(PREFIX.length()) : name;
        Map<String, String> left = new TreeMap<>(labels);
        left.remove("rank");
        int cut = rest.indexOf('_');
        if (cut > 0 && GROUPS.contains(rest.substring(0, cut))) {
            parts.add(rest.substring(0, cut));
            rest = rest.substring(cut + 1);
        }
        String pool = left.remove("pool");
        if (pool != null) {
            if (!parts.equals(List.of("pool"))) parts.add(0, "pool");
            parts.add(1, pool);
        }
        String device = left.remove("device");
        if (device != null) parts.add(Math.min(1, parts.size()), device.replace('/', '_'));
        for (String folder : FOLDERS) {
            if (!rest.startsWith(folder + "_")) continue;
            parts.add(folder);
            rest = rest.substring(folder.length() + 1);
            break;
        }
        parts.add(rest);
        String size = left.remove("size");
        if (size != null) parts.add(size);
        left.forEach((label, value) -> parts.add(shortened(label) + "_" + value.replace('/', '_')));
        return String.join("/", parts);
    }

    private static String shortened(String label) {
        return switch (label) {
            case "target" -> "tgt";
            case "xstream" -> "xs";
            case "context" -> "ctx";
            default -> label;
        };
    }
}
