package io.daosmesh.itests.mesh;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.daosmesh.itests.mesh.Bench.Limit;
import io.daosmesh.itests.mesh.Bench.Shape;
import io.daosmesh.itests.mesh.Bench.Timing;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The rows of a benchmark, each beside its limit, as a table or as JSON. Owner: the benchmark's main thread. */
final class Report {
    private static final String FORMAT = "%-20s %-5s %8s %9s %-5s %10s %9s %9s %9s  %-28s %10s %7s %11s %9s %11s%n";

    private final List<Map<String, Object>> rows = new ArrayList<>();
    private final Map<String, Object> machine = new LinkedHashMap<>();
    private final boolean isJson;

    Report(boolean isJson) {
        this.isJson = isJson;
        machine("cores", Runtime.getRuntime().availableProcessors());
        machine("java", System.getProperty("java.version"));
        machine("os", System.getProperty("os.name") + " " + System.getProperty("os.version"));
    }

    void machine(String key, Object value) {
        machine.put(key, value);
    }

    void single(String name, double value, double asked) {
        single(name, value, new Limit("asked", asked));
    }

    void single(String name, double value, Limit limit) {
        row(new Shape(name, "", 0, 0, true), new Timing(0, 0, value, 0, 0), limit, Costs.UNKNOWN);
    }

    void row(Shape shape, Timing t, Limit limit, Costs.PerOperation costs) {
        double value = t.opsPerSecond() == 0 ? t.figure() : t.opsPerSecond();
        Map<String, Object> r = new LinkedHashMap<>();
        r.put("name", shape.name());
        r.put("class", shape.oclass());
        r.put("size", shape.size());
        r.put("in_flight", shape.inFlight());
        r.put("tls", shape.isTls());
        r.put("ops_s", round(value));
        r.put("mb_s", round(t.mbPerSecond()));
        r.put("p50_us", round(t.p50Us()));
        r.put("p99_us", round(t.p99Us()));
        r.put("limit_name", limit.name());
        r.put("limit", round(limit.value()));
        r.put("ratio", Math.round(value / limit.value() * 1000) / 1000.0);
        r.put("switches_op", round(costs.switches()));
        r.put("cpu_us_op", round(costs.cpuUs()));
        r.put("persists_op", Math.round(costs.persists() * 1000) / 1000.0);
        rows.add(r);
        if (!isJson) System.err.println("bench: " + r);
    }

    private static double round(double v) {
        return v < 100 ? Math.round(v * 100) / 100.0 : Math.round(v * 10) / 10.0;
    }

    void print() throws IOException {
        if (isJson) {
            Map<String, Object> all = new LinkedHashMap<>();
            all.put("rows", rows);
            all.put("machine", machine);
            System.out.println(new ObjectMapper().writeValueAsString(all));
            return;
        }
        System.out.printf(
                Locale.ROOT,
                FORMAT,
                "name",
                "class",
                "size",
                "in flight",
                "tls",
                "ops/s",
                "MB/s",
                "p50 us",
                "p99 us",
                "limit",
                "",
                "ratio",
                "switches/op",
                "CPU us/op",
                "persists/op");
        for (Map<String, Object> r : rows)
            System.out.printf(Locale.ROOT, FORMAT, r.values().toArray());
    }
}
