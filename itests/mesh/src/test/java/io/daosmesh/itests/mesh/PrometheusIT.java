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
        Process prometheus = new ProcessBuilder(
                        "prometheus",
                        "--config.file=" + config,
                        "--web.listen-address=127.0.0.1:" + port,
                        "--storage.tsdb.path=" + dir.resolve("tsdb"))
                .redirectErrorStream(true)
                .redirectOutput(dir.resolve("prometheus.log").toFile())
                .start();
        try {
            LocalMesh.await("three nodes are scraped", SCRAPED_MAX, () -> sum(port, "sum(up{job=\"daos\"})") == 3);
            LocalMesh.await("each tells its rank", SCRAPED_MAX, () -> sum(port, "sum(engine_rank)") == 0 + 1 + 2);
        } finally {
            prometheus.destroy();
            assertTrue(prometheus.waitFor(20, TimeUnit.SECONDS), "prometheus ends");
        }
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
        try {
            HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/api/v1/query?query="
                            + URLEncoder.encode(query, StandardCharsets.UTF_8)))
                    .timeout(Duration.ofSeconds(5))
                    .build();
            String body = HttpClient.newHttpClient()
                    .send(request, HttpResponse.BodyHandlers.ofString())
                    .body();
            return new ObjectMapper()
                    .readTree(body)
                    .at("/data/result/0/value/1")
                    .asDouble(-1);
        } catch (IOException e) {
            return -1;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return -1;
        }
    }
}
