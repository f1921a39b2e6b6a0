package io.daosmesh.telemetry;

import static org.junit.jupiter.api.Assertions.assertTrue;

import at.favre.lib.crypto.bcrypt.BCrypt;
import io.daosmesh.telemetry.http.Limits;
import io.daosmesh.telemetry.web.WebAccess;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A real Prometheus server against a protected page, where one is installed or named with {@code -Dprometheus=FILE}. */
@Timeout(90)
class PrometheusTest {
    private static final String QUERY = "/api/v1/query?query=engine_exporter_scrape_duration_seconds_count";

    @TempDir
    Path folder;

    @Test
    void shouldBeScrapedOverTlsWithPassword() throws Exception {
        Path program = Path.of(System.getProperty("prometheus", "/usr/bin/prometheus"));
        Assumptions.assumeTrue(Files.isExecutable(program), "no Prometheus server installed");
        Authority authority = new Authority();
        authority.writeCa(folder);
        authority.writeServer(folder);
        Path web = Files.writeString(
                folder.resolve("web.yml"),
                "tls_server_config: {cert_file: server.crt, key_file: server.key}\n"
                        + "basic_auth_users: {prometheus: '"
                        + BCrypt.withDefaults().hashToString(10, "secret".toCharArray()) + "'}\n");
        try (Exporter exporter = new Exporter(
                new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0),
                Set.of(),
                new WebAccess(Optional.of(web)),
                Limits.STANDARD)) {
            int port = freePort();
            Process server = start(program, exporter.port(), port);
            try {
                assertTrue(isScraped(server, port), () -> log());
            } finally {
                server.destroy();
                assertTrue(server.waitFor(20, TimeUnit.SECONDS));
            }
        }
    }

    private Process start(Path program, int target, int port) throws IOException {
        Path config =
                Files.writeString(folder.resolve("prometheus.yml"), """
                scrape_configs:
                - job_name: daos
                  scheme: https
                  scrape_interval: 1s
                  scrape_timeout: 1s
                  tls_config: {ca_file: %s}
                  basic_auth: {username: prometheus, password: secret}
                  static_configs: [{targets: ['127.0.0.1:%d']}]
                """.formatted(folder.resolve("ca.crt"), target));
        return new ProcessBuilder(
                        program.toString(),
                        "--config.file=" + config,
                        "--storage.tsdb.path=" + folder.resolve("data"),
                        "--web.listen-address=127.0.0.1:" + port)
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("prometheus.log").toFile())
                .start();
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static boolean isScraped(Process server, int port) throws InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + QUERY))
                .timeout(Duration.ofSeconds(5))
                .build();
        HttpClient client = HttpClient.newHttpClient();
        long endNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (server.isAlive() && System.nanoTime() - endNs < 0) {
            try {
                String answer = client.send(request, HttpResponse.BodyHandlers.ofString())
                        .body();
                if (answer.contains("\"job\":\"daos\"")) return true;
            } catch (IOException e) {
                continue; // not up yet
            }
        }
        return false;
    }

    private String log() {
        try {
            return Files.readString(folder.resolve("prometheus.log"));
        } catch (IOException e) {
            return e.toString();
        }
    }
}
