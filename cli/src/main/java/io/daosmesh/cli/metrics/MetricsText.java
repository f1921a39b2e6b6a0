package io.daosmesh.cli.metrics;

import io.daosmesh.model.text.Printable;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;

/** The two forms that daos_metrics writes. Pure. Source: daos-admin facts 1.10, daos-engine facts 8.2. */
final class MetricsText {
    private static final String INDENT = "    ";

    private MetricsText() {}

    /** Folders as lines of their own, four blanks a level; the root names the engine. @param metrics sorted by path */
    static String tree(int index, List<Metric> metrics, boolean meta, boolean type) {
        StringBuilder out = new StringBuilder("ID: ").append(index).append('\n');
        List<String> open = new ArrayList<>();
        for (Metric metric : metrics) {
            String[] parts = metric.path().split("/");
            int same = 0;
            while (same < open.size()
                    && same < parts.length - 1
                    && open.get(same).equals(parts[same])) same++;
            while (open.size() > same) open.remove(open.size() - 1);
            for (int level = same; level < parts.length - 1; level++) {
                open.add(parts[level]);
                out.append(INDENT.repeat(level + 1))
                        .append(Printable.of(parts[level]))
                        .append('\n');
            }
            out.append(INDENT.repeat(parts.length))
                    .append(leaf(parts[parts.length - 1], metric, meta, type))
                    .append('\n');
        }
        return out.toString();
    }

    private static String leaf(String name, Metric metric, boolean meta, boolean type) {
        StringBuilder line = new StringBuilder(Printable.of(name)).append(": ");
        if (type) line.append('(').append(metric.type().label()).append(") ");
        line.append(number(metric.value()));
        if (!metric.unit().isEmpty()) line.append(' ').append(metric.unit());
        metric.stats()
                .filter(s -> s.samples() > 0)
                .ifPresent(s -> line.append(" [min: ")
                        .append(number(s.min()))
                        .append(", max: ")
                        .append(number(s.max()))
                        .append(", avg: ")
                        .append(number(s.mean()))
                        .append(", sum: ")
                        .append(number(s.sum()))
                        .append(", stddev: ")
                        .append(number(s.stddev()))
                        .append(", samples: ")
                        .append(number(s.samples()))
                        .append(']'));
        if (meta && !metric.description().isEmpty()) {
            line.append(", desc: ").append(Printable.of(metric.description()));
        }
        return line.toString();
    }

    /** A header, then one metric a row; what a metric has not is an empty cell. */
    static String csv(List<Metric> metrics, boolean meta, boolean type) {
        StringBuilder out = new StringBuilder("name,");
        if (type) out.append("type,");
        out.append("value,min,max,mean,sample_size,sum,std_dev");
        if (meta) out.append(",description,units");
        out.append('\n');
        for (Metric metric : metrics) {
            out.append(cell(metric.path())).append(',');
            if (type) out.append(metric.type().label()).append(',');
            out.append(number(metric.value()));
            metric.stats()
                    .filter(s -> s.samples() > 0)
                    .ifPresentOrElse(
                            s -> {
                                for (double v :
                                        new double[] {s.min(), s.max(), s.mean(), s.samples(), s.sum(), s.stddev()}) {
                                    out.append(',').append(number(v));
                                }
                            },
                            () -> out.append(",,,,,,"));
            if (meta)
                out.append(',').append(cell(metric.description())).append(',').append(cell(metric.unit()));
            out.append('\n');
        }
        return out.toString();
    }

    private static String cell(String text) {
        String shown = Printable.of(text);
        return shown.matches("[^,\"\\n]*") ? shown : "\"" + shown.replace("\"", "\"\"") + "\"";
    }

    private static String number(double value) {
        if (Double.isNaN(value) || Double.isInfinite(value)) return String.valueOf(value);
        if (value == Math.rint(value) && Math.abs(value) < 1e15) return Long.toString((long) value);
        return new BigDecimal(value, new MathContext(16))
                .setScale(6, RoundingMode.HALF_EVEN)
                .stripTrailingZeros()
                .toPlainString();
    }
}
