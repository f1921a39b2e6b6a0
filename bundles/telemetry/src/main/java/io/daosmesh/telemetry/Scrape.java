package io.daosmesh.telemetry;

import io.daosmesh.model.metric.MetricSource;
import io.daosmesh.model.metric.StatsGauge;
import io.prometheus.client.Collector;
import java.io.IOException;
import java.io.Writer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * Gathers the samples of all sources during one scrape into one family a name, as the text format wants it. One thread.
 * Labels are sorted; a name is exported with the type and help that came first; a second sample of the same name and
 * labels is dropped and counted.
 */
final class Scrape {
    /** Samples of one scrape; beyond it sources are cut off and the fact is counted. */
    static final int SAMPLES_MAX = 200_000;

    private static final Pattern NOT_IN_NAME = Pattern.compile("[^a-z0-9_]");
    private static final Pattern NOT_IN_LABEL = Pattern.compile("[^a-zA-Z0-9_]");

    private final Map<String, Family> families = new LinkedHashMap<>();
    private int sampleCount;
    private int droppedCount;

    private enum Type {
        COUNTER,
        GAUGE
    }

    private record Family(Type type, String help, Map<String, Double> samples) {}

    /** What one source says; taken over as a whole or, when the source fails midway, not at all. */
    final class Part implements MetricSource.Sink {
        private final List<Runnable> additions = new ArrayList<>();

        @Override
        public void counter(String name, String help, Map<String, String> labels, double value) {
            add(name, Type.COUNTER, help, labels, value);
        }

        @Override
        public void gauge(String name, String help, Map<String, String> labels, double value) {
            add(name, Type.GAUGE, help, labels, value);
        }

        @Override
        public void stats(String name, String help, Map<String, String> labels, StatsGauge value) {
            StatsGauge.Snapshot s = value.snapshot();
            gauge(name, help, labels, s.last());
            gauge(name + "_min", help + " (minimum)", labels, s.min());
            gauge(name + "_max", help + " (maximum)", labels, s.max());
            gauge(name + "_mean", help + " (mean)", labels, s.mean());
            gauge(name + "_stddev", help + " (standard deviation)", labels, s.stddev());
            counter(name + "_samples", help + " (number of samples)", labels, s.samples());
        }

        void accept() {
            additions.forEach(Runnable::run);
        }

        private void add(String name, Type type, String help, Map<String, String> labels, double value) {
            if (additions.size() > SAMPLES_MAX) {
                droppedCount++;
                return;
            }
            Map<String, String> sorted = new TreeMap<>(labels);
            additions.add(() -> Scrape.this.add(exported(name), type, help, sorted, value));
        }
    }

    Part part() {
        return new Part();
    }

    int droppedCount() {
        return droppedCount;
    }

    /** Prometheus text format 0.0.4. Not simpleclient's writer: it insists on {@code _total}, DAOS's counters have none. */
    void writeTo(Writer out) throws IOException {
        for (Map.Entry<String, Family> e : families.entrySet()) {
            String name = e.getKey();
            Family f = e.getValue();
            out.write("# HELP " + name + ' ' + f.help().replace("\\", "\\\\").replace("\n", "\\n") + '\n');
            out.write("# TYPE " + name + ' ' + f.type().name().toLowerCase(Locale.ROOT) + '\n');
            for (Map.Entry<String, Double> sample : f.samples().entrySet()) {
                out.write(name + sample.getKey() + ' ' + Collector.doubleToGoString(sample.getValue()) + '\n');
            }
        }
    }

    private void add(String name, Type type, String help, Map<String, String> labels, double value) {
        Family family = families.computeIfAbsent(
                name, n -> new Family(type, help.isEmpty() ? n.replace('_', ' ') : help, new LinkedHashMap<>()));
        String labelText = text(labels);
        if (sampleCount >= SAMPLES_MAX || family.samples().putIfAbsent(labelText, value) != null) {
            droppedCount++;
            return;
        }
        sampleCount++;
    }

    private static String text(Map<String, String> labels) {
        if (labels.isEmpty()) return "";
        StringBuilder b = new StringBuilder("{");
        labels.forEach((name, value) -> {
            if (b.length() > 1) b.append(',');
            b.append(NOT_IN_LABEL.matcher(name).replaceAll("_")).append("=\"");
            b.append(value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n"))
                    .append('"');
        });
        return b.append('}').toString();
    }

    /** DAOS's rule: lower case, every other character an underscore. */
    static String exported(String name) {
        return NOT_IN_NAME.matcher(name.toLowerCase(Locale.ROOT)).replaceAll("_");
    }
}
