package io.daosmesh.itests.mesh;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;

/** Debian's Prometheus scrapes a mesh by what {@code dmg telemetry config} has written. */
@ExtendWith(SharedMesh.class)
@ResourceLock(SharedMesh.LOCK)
class PrometheusIT {
    private static final Duration SCRAPED_MAX = Duration.ofSeconds(60);
    private static final Duration INSTALL_MAX = Duration.ofSeconds(180);

    private static final int PUTS = 7;
    /** Names that DAOS has given, and milliseconds for people. */
    private static final List<String> USUAL = List.of(
            "counter metrics should have \"_total\" suffix",
            "metric names should not contain abbreviated units",
            "use base unit \"seconds\" instead of \"hours\"");

    @TempDir
    private Path dir;

    @Test
    void shouldBeScrapedByWhatDmgHasWritten() throws Exception {
        Assumptions.assumeTrue(isInstalled(), "prometheus is missing and could not be installed with apt-get");
        LocalMesh mesh = SharedMesh.mesh();

        JsonNode written = LocalMesh.json(
                        mesh.dmgAt(dir, "-j", "telemetry", "config").orFail().out())
                .path("response");

        Path config = dir.resolve(".prometheus.yml");
        assertEquals(config.toString(), written.path("file").asText());
        assertEquals(3, written.path("targets").size());
        run(Duration.ofSeconds(30), List.of("promtool", "check", "config", config.toString()));
        int port = freePort();
        Process prometheus = prometheus(config, port, "plain");
        try {
            LocalMesh.await("three nodes are scraped", SCRAPED_MAX, () -> sum(port, "sum(up{job=\"daos\"})") == 3);
            LocalMesh.await("each tells its rank", SCRAPED_MAX, () -> sum(port, "sum(engine_rank)") == 0 + 1 + 2);
        } finally {
            prometheus.destroy();
            assertTrue(prometheus.waitFor(20, TimeUnit.SECONDS), "prometheus ends");
        }
    }

    /** What is shipped for Grafana and Prometheus asks for what the nodes tell. */
    @Test
    void shouldAnswerEveryPanelAndRule() throws Exception {
        Assumptions.assumeTrue(isInstalled(), "prometheus is missing and could not be installed with apt-get");
        LocalMesh mesh = SharedMesh.mesh();
        Path share = share();
        JsonNode board = new ObjectMapper()
                .readTree(share.resolve("grafana/daos-mesh.json").toFile());
        Path rules = share.resolve("prometheus/daos-mesh.rules.yml");
        run(Duration.ofSeconds(30), List.of("promtool", "check", "rules", rules.toString()));
        mesh.dmgAt(dir, "telemetry", "config").orFail();
        Path config = dir.resolve("with-rules.yml");
        Files.writeString(
                config,
                Files.readString(dir.resolve(".prometheus.yml")) + "rule_files: ['" + rules + "']\n"
                        + "global: {evaluation_interval: 1s}\n");
        mesh.dmg("pool", "create", "watched", "--size", "300MB").orFail();
        int port = freePort();
        Process prometheus = prometheus(config, port, "rules");
        try {
            mesh.daos("container", "create", "watched", "c1").orFail();
            String updates = "sum(engine_pool_ops_update{pool=\""
                    + mesh.pool("watched").path("uuid").asText() + "\"})";
            LocalMesh.await("updates are counted", SCRAPED_MAX, () -> sum(port, updates) >= 0);
            double before = sum(port, updates);
            Path value = Files.writeString(dir.resolve("value"), "v");
            for (int i = 0; i < PUTS; i++)
                mesh.daos("kv", "put", "watched", "c1", "k" + i, value.toString())
                        .orFail();
            // the first one also writes down in the container which object the keys are in
            LocalMesh.await(
                    "each update is counted once",
                    SCRAPED_MAX,
                    () -> sum(port, updates) - before == PUTS + 1,
                    () -> updates + " was " + before + ", is " + sum(port, updates));
            LocalMesh.await(
                    "panels are answered",
                    SCRAPED_MAX,
                    () -> unanswered(board, port).isEmpty(),
                    () -> String.valueOf(unanswered(board, port)));
            LocalMesh.await(
                    "rules are evaluated",
                    SCRAPED_MAX,
                    () -> get(port, "rules").at("/data/groups/0/rules").findValuesAsText("health").stream()
                            .allMatch("ok"::equals));
            assertEquals(PUTS + 1, sum(port, updates) - before, "updates");
            assertEquals(15, get(port, "rules").at("/data/groups/0/rules").size());
            checkMetrics(mesh);
        } finally {
            prometheus.destroy();
            assertTrue(prometheus.waitFor(20, TimeUnit.SECONDS), "prometheus ends");
            SharedMesh.destroy("watched");
        }
    }

    /** Expressions of panels without a result, or with an error. */
    private static List<String> unanswered(JsonNode board, int port) {
        List<String> none = new ArrayList<>();
        for (JsonNode panel : board.path("panels"))
            for (JsonNode target : panel.path("targets")) {
                String expression = target.path("expr").asText();
                JsonNode answer = get(port, "query?query=" + URLEncoder.encode(expression, StandardCharsets.UTF_8));
                if (answer.at("/data/result").isEmpty()) none.add(expression);
            }
        assertTrue(board.path("panels").size() >= 15, "panels");
        return none;
    }

    /** Names that DAOS has given do not all end as Prometheus wants; nothing else may be wrong. */
    private static void checkMetrics(LocalMesh mesh) throws Exception {
        String page = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:"
                                        + mesh.nodes().get(0).telemetry() + "/metrics"))
                                .build(),
                        HttpResponse.BodyHandlers.ofString())
                .body();
        Process promtool = new ProcessBuilder("promtool", "check", "metrics")
                .redirectErrorStream(true)
                .start();
        try (var in = promtool.getOutputStream()) {
            in.write(page.getBytes(StandardCharsets.UTF_8));
        }
        List<String> said = new String(promtool.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                .lines()
                .filter(l -> USUAL.stream().noneMatch(l::contains))
                .toList();
        assertTrue(promtool.waitFor(30, TimeUnit.SECONDS), "promtool ends");
        assertEquals(List.of(), said);
    }

    private static Path share() {
        Path up = Path.of("").toAbsolutePath();
        while (!Files.isRegularFile(up.resolve("mesh"))) up = up.getParent();
        return up.resolve("karaf-assembly/src/main/karaf/assembly/share");
    }

    private Process prometheus(Path config, int port, String name) throws IOException {
        return new ProcessBuilder(
                        "prometheus",
                        "--config.file=" + config,
                        "--web.listen-address=127.0.0.1:" + port,
                        "--storage.tsdb.path=" + dir.resolve("tsdb-" + name))
                .redirectErrorStream(true)
                .redirectOutput(dir.resolve(name + ".log").toFile())
                .start();
    }

    private static boolean isInstalled() throws IOException, InterruptedException {
        if (Files.isExecutable(Path.of("/usr/bin/prometheus"))) return true;
        if (!Files.isExecutable(Path.of("/usr/bin/apt-get")) || !"root".equals(System.getProperty("user.name")))
            return false;
        Process install = new ProcessBuilder(
                        "apt-get",
                        "install",
                        "-y",
                        "--no-install-recommends",
                        "-o",
                        "DPkg::Lock::Timeout=60",
                        "prometheus")
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        boolean ended = install.waitFor(INSTALL_MAX.toSeconds(), TimeUnit.SECONDS);
        if (!ended) install.destroy();
        return ended && Files.isExecutable(Path.of("/usr/bin/prometheus"));
    }

    private static int freePort() throws IOException {
        try (ServerSocket s = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return s.getLocalPort();
        }
    }

    private static void run(Duration max, List<String> words) throws IOException, InterruptedException {
        Process p = new ProcessBuilder(words).redirectErrorStream(true).start();
        String said = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(p.waitFor(max.toSeconds(), TimeUnit.SECONDS), words + " ends");
        assertEquals(0, p.exitValue(), said);
    }

    /** The one value of a query, -1 while there is none. */
    private static double sum(int port, String query) {
        return get(port, "query?query=" + URLEncoder.encode(query, StandardCharsets.UTF_8))
                .at("/data/result/0/value/1")
                .asDouble(-1);
    }

    /** An empty object while there is no answer. */
    private static JsonNode get(int port, String path) {
        ObjectMapper json = new ObjectMapper();
        try {
            HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/api/v1/" + path))
                    .timeout(Duration.ofSeconds(5))
                    .build();
            return json.readTree(HttpClient.newHttpClient()
                    .send(request, HttpResponse.BodyHandlers.ofString())
                    .body());
        } catch (IOException e) {
            return json.createObjectNode();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return json.createObjectNode();
        }
    }
}
