package io.daosmesh.telemetry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.metric.MetricSource;
import io.daosmesh.model.metric.StatsGauge;
import io.daosmesh.telemetry.http.Limits;
import io.daosmesh.telemetry.web.WebAccess;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class ExporterTest {
    private final Set<MetricSource> sources = ConcurrentHashMap.newKeySet();
    private Exporter exporter = open(0);

    private Exporter open(int port) {
        return new Exporter(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), port),
                sources,
                new WebAccess(Optional.empty()),
                Limits.STANDARD);
    }

    @AfterEach
    void close() throws InterruptedException {
        exporter.close();
        for (Thread t : Thread.getAllStackTraces().keySet()) {
            if (!t.getName().startsWith("daos-metrics")) continue;
            t.join(5_000); // it is told to end and has nothing to wait for
            assertFalse(t.isAlive(), t.toString());
        }
    }

    private HttpResponse<String> get(String path) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + exporter.port() + path))
                .timeout(Duration.ofSeconds(10))
                .build();
        return HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
    }

    private void addExample() {
        StatsGauge latency = new StatsGauge();
        latency.record(2);
        latency.record(4);
        sources.add(sink -> {
            sink.counter("engine_pool_ops_update", "Updates", Map.of("rank", "1", "pool", "p\"1", "target", "0"), 7);
            sink.counter("engine_pool_ops_update", "Updates", Map.of("rank", "1", "pool", "p\"1", "target", "1"), 8);
            sink.gauge("engine_EC-full", "", Map.of(), 1.5);
            sink.stats("engine_io_latency_update", "Latency", Map.of("size", "4KB"), latency);
        });
    }

    @Test
    void shouldServeDaosNamesWithSortedLabels() throws Exception {
        addExample();

        HttpResponse<String> answer = get("/metrics");
        String text = answer.body();

        assertEquals(200, answer.statusCode());
        assertEquals(
                "text/plain; version=0.0.4; charset=utf-8",
                answer.headers().firstValue("Content-Type").orElseThrow());
        assertTrue(
                text.contains("# HELP engine_pool_ops_update Updates\n# TYPE engine_pool_ops_update counter\n"
                        + "engine_pool_ops_update{pool=\"p\\\"1\",rank=\"1\",target=\"0\"} 7.0\n"
                        + "engine_pool_ops_update{pool=\"p\\\"1\",rank=\"1\",target=\"1\"} 8.0\n"),
                text);
        assertTrue(text.contains("# TYPE engine_ec_full gauge\nengine_ec_full 1.5\n"), text);
        for (String end : new String[] {" 4.0", "_min 2.0", "_max 4.0", "_mean 3.0", "_samples 2.0"}) {
            String name = end.substring(0, end.indexOf(' '));
            String line = "engine_io_latency_update" + name + "{size=\"4KB\"}" + end.substring(name.length()) + "\n";
            assertTrue(text.contains(line), line + text);
        }
        assertTrue(text.contains("engine_exporter_scrape_duration_seconds_count 1\n"), text);
        assertTrue(text.contains("jvm_threads_current") && text.contains("process_resident_memory_bytes"), text);
    }

    @Test
    void shouldLeaveOutBrokenSourceAsAWhole() throws Exception {
        addExample();
        sources.add(sink -> {
            sink.gauge("engine_half", "half", Map.of(), 1);
            throw new IllegalStateException("broken on purpose");
        });

        String text = get("/metrics").body();

        assertFalse(text.contains("engine_half"), text);
        assertTrue(text.contains("engine_pool_ops_update{"), text);
        assertTrue(text.contains("engine_exporter_source_failures_total 1.0"), text);
    }

    @Test
    void shouldDropSecondSampleOfSameNameAndLabels() throws Exception {
        addExample();
        addExample();

        String text = get("/metrics").body();

        assertEquals(
                2,
                Pattern.compile("engine_pool_ops_update\\{")
                        .matcher(text)
                        .results()
                        .count());
        assertEquals(
                1,
                Pattern.compile("# TYPE engine_ec_full").matcher(text).results().count());
        assertTrue(text.contains("engine_exporter_dropped_samples_total 9.0"), text);
    }

    @Test
    void shouldAnswerNotFoundElsewhere() throws Exception {
        assertEquals(404, get("/").statusCode());
    }

    @Test
    void shouldReleasePortForTheNextAtOnce() throws Exception {
        int port = exporter.port();
        for (int i = 0; i < 5; i++) {
            get("/metrics");
            exporter.close();
            exporter = open(port);
        }

        assertEquals(200, get("/metrics").statusCode());
    }

    /** Counters keep DAOS's names, which have no {@code _total}: that one complaint is expected for them. */
    @Test
    void shouldSatisfyPromtoolWhereItIsInstalled() throws Exception {
        Path promtool = Path.of("/usr/bin/promtool");
        Assumptions.assumeTrue(Files.isExecutable(promtool));
        addExample();
        Process p = new ProcessBuilder(promtool.toString(), "check", "metrics")
                .redirectErrorStream(true)
                .start();
        try (var in = p.getOutputStream()) {
            in.write(get("/metrics").body().getBytes(StandardCharsets.UTF_8));
        }
        String said = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(p.waitFor(10, TimeUnit.SECONDS));

        String unexpected = said.lines()
                .filter(l -> l.startsWith("engine_") && !l.contains("\"_total\" suffix"))
                .reduce("", (a, b) -> a + b + "\n");
        assertEquals("", unexpected);
        assertFalse(said.contains("error while linting"), said);
    }
}
