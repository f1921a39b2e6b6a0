package io.daosmesh.telemetry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import at.favre.lib.crypto.bcrypt.BCrypt;
import io.daosmesh.telemetry.http.Limits;
import io.daosmesh.telemetry.web.WebAccess;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Base64;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The page with a web configuration file, as Prometheus and as a stranger see it. */
@Timeout(60)
class ProtectedExporterTest {
    private static final String TLS = "tls_server_config: {cert_file: server.crt, key_file: server.key";
    private static final String USER = "basic_auth_users: {prometheus: '" + hash("secret") + "'}\n";

    @TempDir
    Path folder;

    private Authority authority;
    private Optional<Exporter> exporter = Optional.empty();

    private static String hash(String password) {
        return BCrypt.withDefaults().hashToString(6, password.toCharArray());
    }

    @BeforeEach
    void certificates() throws Exception {
        authority = new Authority();
        authority.writeCa(folder);
        authority.writeServer(folder);
    }

    @AfterEach
    void close() {
        exporter.ifPresent(Exporter::close);
    }

    private Path write(String yaml) throws IOException {
        Path made = Files.writeString(folder.resolve("web.yml.new"), yaml);
        return Files.move(made, folder.resolve("web.yml"), StandardCopyOption.REPLACE_EXISTING);
    }

    private int serve(String yaml) throws IOException {
        return serve(yaml, Limits.STANDARD);
    }

    private int serve(String yaml, Limits limits) throws IOException {
        Exporter opened = new Exporter(
                new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0),
                Set.of(),
                new WebAccess(Optional.of(write(yaml))),
                limits);
        exporter = Optional.of(opened);
        return opened.port();
    }

    private static HttpResponse<String> get(int port, String path, Optional<SSLContext> tls, String user)
            throws IOException, InterruptedException {
        HttpClient.Builder client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1);
        tls.ifPresent(client::sslContext);
        URI uri = URI.create((tls.isPresent() ? "https" : "http") + "://127.0.0.1:" + port + path);
        HttpRequest.Builder request = HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(10));
        if (!user.isEmpty()) request.header("Authorization", basic(user));
        return client.build().send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    private static String basic(String user) {
        return "Basic " + Base64.getEncoder().encodeToString(user.getBytes(StandardCharsets.UTF_8));
    }

    private int status(int port, String user) throws Exception {
        return get(port, "/metrics", Optional.empty(), user).statusCode();
    }

    private static void until(Callable<Boolean> condition) throws Exception {
        long endNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (!condition.call()) assertTrue(System.nanoTime() - endNs < 0, "did not happen");
    }

    @Test
    void shouldServeOverTlsToWhoTrustsTheAuthority() throws Exception {
        int port = serve(TLS + "}\nhttp_server_config: {headers: {X-Content-Type-Options: nosniff}}\n");

        HttpResponse<String> answer = get(port, "/metrics", Optional.of(authority.client()), "");

        assertEquals(200, answer.statusCode());
        assertTrue(answer.body().contains("process_start_time_seconds"));
        assertEquals(
                "nosniff", answer.headers().firstValue("X-Content-Type-Options").orElseThrow());
        SSLContext stranger = new Authority().client();
        assertThrows(SSLException.class, () -> get(port, "/metrics", Optional.of(stranger), ""));
        assertThrows(IOException.class, () -> get(port, "/metrics", Optional.empty(), ""));
    }

    @Test
    void shouldWantTheClientsCertificateAndItsName() throws Exception {
        int port = serve(
                TLS
                        + ", client_ca_file: ca.crt, client_auth_type: RequireAndVerifyClientCert, client_allowed_sans: [prometheus]}");

        assertEquals(
                200,
                get(port, "/metrics", Optional.of(authority.client("prometheus")), "")
                        .statusCode());
        for (SSLContext other :
                new SSLContext[] {authority.client(), authority.client("other"), new Authority().client("prometheus")
                }) {
            assertThrows(IOException.class, () -> get(port, "/metrics", Optional.of(other), ""));
        }
    }

    @Test
    void shouldRefuseOlderTlsThanConfigured() throws Exception {
        int port = serve(TLS + ", min_version: TLS13}");
        try (SSLSocket socket =
                (SSLSocket) authority.client().getSocketFactory().createSocket("127.0.0.1", port)) {
            SSLParameters old = socket.getSSLParameters();
            old.setProtocols(new String[] {"TLSv1.2"});
            socket.setSSLParameters(old);

            assertThrows(SSLException.class, socket::startHandshake);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/metrics", "/-/healthy", "/", "/none"})
    void shouldAskForPasswordEverywhere(String path) throws Exception {
        int port = serve(USER);

        HttpResponse<String> answer = get(port, path, Optional.empty(), "");

        assertEquals(401, answer.statusCode());
        assertEquals("", answer.body());
        assertTrue(answer.headers().firstValue("WWW-Authenticate").orElseThrow().startsWith("Basic realm="));
    }

    @Test
    void shouldTakeTheRightPasswordOnly() throws Exception {
        int port = serve(USER);

        assertEquals(200, status(port, "prometheus:secret"));
        assertEquals(200, status(port, "prometheus:secret"));
        for (String wrong : new String[] {
            "prometheus:Secret", "prometheus:", "prometheus", ":", "", "other:secret", "prometheus:" + "s".repeat(500)
        }) {
            assertEquals(401, status(port, wrong), wrong);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"Basic !!!", "Basic", "Basic ", "Bearer x", "Negotiate", "Basic cHJvbWV0aGV1cw=="})
    void shouldRefuseOtherCredentials(String header) throws Exception {
        int port = serve(USER);
        try (Attackers attackers = new Attackers(port)) {
            String answer = Attackers.answer(
                    attackers.say("127.0.0.1", "GET /metrics HTTP/1.1\r\nAuthorization: " + header + "\r\n\r\n"));

            assertTrue(answer.startsWith("HTTP/1.1 401 "), answer);
        }
    }

    /** Ten guesses cost ten hashes; then the address is not believed to guess any longer, while who was right is served. */
    @Test
    void shouldStopGuessingWithoutStoppingWhoKnows() throws Exception {
        int port = serve(USER);
        assertEquals(200, status(port, "prometheus:secret"));

        for (int i = 0; i < 10; i++) assertEquals(401, status(port, "prometheus:guess" + i));

        assertEquals(429, status(port, "prometheus:guess"));
        assertEquals(200, status(port, "prometheus:secret"));
    }

    @Test
    void shouldTakeOverChangedUsersAndCertificate() throws Exception {
        int port = serve(TLS + "}\n" + USER);
        assertEquals(
                200,
                get(port, "/metrics", Optional.of(authority.client()), "prometheus:secret")
                        .statusCode());

        X509Certificate next = authority.writeServer(folder);
        write(TLS + "}\nbasic_auth_users: {other: '" + hash("new") + "'}\n");

        until(() -> next.equals(shown(port)));
        until(() -> get(port, "/metrics", Optional.of(authority.client()), "other:new")
                        .statusCode()
                == 200);
        assertEquals(
                401,
                get(port, "/metrics", Optional.of(authority.client()), "prometheus:secret")
                        .statusCode());
    }

    @Test
    void shouldKeepWhatItHasWhenTheChangeIsWrong() throws Exception {
        int port = serve(USER);
        write("basic_auth_user: {}\n");
        long endNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(2);

        until(() -> {
            assertEquals(401, status(port, ""));
            return System.nanoTime() - endNs > 0;
        });

        assertEquals(200, status(port, "prometheus:secret"));
        Files.delete(folder.resolve("web.yml"));
        assertEquals(401, status(port, ""));
    }

    private X509Certificate shown(int port) throws Exception {
        try (SSLSocket socket =
                (SSLSocket) authority.client().getSocketFactory().createSocket("127.0.0.1", port)) {
            socket.startHandshake();
            return (X509Certificate) socket.getSession().getPeerCertificates()[0];
        }
    }

    @Test
    void shouldAnswerWhileOthersHalfShakeHands() throws Exception {
        int port = serve(TLS + "}", new Limits(32, 8, 1_500, 3_000, 8 << 20));
        try (Attackers attackers = new Attackers(port)) {
            for (int i = 0; i < 200; i++)
                attackers.say("127.0.0.2", i % 2 == 0 ? "\u0016\u0003\u0001\u0001" : "GET / HTTP/1.1\r\n\r\n");

            long startNs = System.nanoTime();
            assertEquals(
                    200,
                    get(port, "/metrics", Optional.of(authority.client()), "").statusCode());
            assertTrue(System.nanoTime() - startNs < TimeUnit.SECONDS.toNanos(2));

            for (Socket s : attackers.all()) assertFalse(Attackers.answer(s).contains("HTTP/1.1 200"));
        }
    }
}
