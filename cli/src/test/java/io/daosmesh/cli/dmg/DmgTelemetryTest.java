package io.daosmesh.cli.dmg;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsParameters;
import com.sun.net.httpserver.HttpsServer;
import io.daosmesh.transport.certs.CertificateMaker;
import io.daosmesh.transport.tls.Pem;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Base64;
import java.util.Optional;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code dmg telemetry metrics} against pages that want TLS, a user, a certificate. */
@Timeout(60)
class DmgTelemetryTest {
    private static final String PAGE = "# HELP engine_rank rank\n# TYPE engine_rank gauge\nengine_rank 7\n";

    @TempDir
    Path folder;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private Optional<HttpServer> server = Optional.empty();

    @AfterEach
    void stop() {
        server.ifPresent(s -> s.stop(0));
    }

    private int serve(HttpServer page) {
        page.createContext("/metrics", DmgTelemetryTest::answer);
        page.start();
        server = Optional.of(page);
        return page.getAddress().getPort();
    }

    private static InetSocketAddress anyPort() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    }

    private static void answer(HttpExchange exchange) throws IOException {
        String wanted =
                "Basic " + Base64.getEncoder().encodeToString("monitor:secret".getBytes(StandardCharsets.UTF_8));
        boolean mayRead = wanted.equals(exchange.getRequestHeaders().getFirst("Authorization"));
        byte[] page = PAGE.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(mayRead ? 200 : 401, mayRead ? page.length : -1);
        if (mayRead) exchange.getResponseBody().write(page);
        exchange.close();
    }

    private int serveTls(boolean wantsCertificate) throws Exception {
        new CertificateMaker(folder.resolve("certs"), Instant.now()).generate(false);
        KeyStore own = KeyStore.getInstance("PKCS12");
        own.load(null, null);
        own.setKeyEntry(
                "own",
                Pem.key(certificate("server.key")),
                new char[0],
                Pem.certificates(certificate("server.crt")).toArray(Certificate[]::new));
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(own, new char[0]);
        KeyStore ca = KeyStore.getInstance("PKCS12");
        ca.load(null, null);
        for (X509Certificate c : Pem.certificates(certificate("daosCA.crt"))) ca.setCertificateEntry("ca", c);
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(ca);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        HttpsServer page = HttpsServer.create(anyPort(), 0);
        page.setHttpsConfigurator(new HttpsConfigurator(context) {
            @Override
            public void configure(HttpsParameters parameters) {
                SSLParameters wanted = context.getDefaultSSLParameters();
                wanted.setNeedClientAuth(wantsCertificate);
                parameters.setSSLParameters(wanted);
            }
        });
        return serve(page);
    }

    private Path certificate(String name) {
        return folder.resolve("certs").resolve(name);
    }

    private Path password(String text, String mode) throws IOException {
        Path file = Files.writeString(folder.resolve("password"), text);
        return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
    }

    private int dmg(int port, String telemetryConfig) throws IOException {
        Path config = Files.writeString(
                folder.resolve("daos_control.yml"),
                "transport_config: {ca_cert: '" + certificate("daosCA.crt") + "'}\n" + telemetryConfig);
        DmgRoot root = new DmgRoot(
                new PrintStream(out, true, StandardCharsets.UTF_8), new PrintStream(err, true, StandardCharsets.UTF_8));
        return Dmg.run(
                root, "-o", config.toString(), "telemetry", "metrics", "query", "-l", "localhost", "-p", "" + port);
    }

    private String user(Path password) {
        return "basic_auth: {username: monitor, password_file: '" + password + "'}";
    }

    @Test
    void shouldShowUserAndPassword() throws Exception {
        int port = serve(HttpServer.create(anyPort(), 0));

        assertEquals(
                0, dmg(port, "telemetry_config: {" + user(password("secret\n", "rw-------")) + "}"), err::toString);

        assertTrue(out.toString(StandardCharsets.UTF_8).contains("engine_rank"), out::toString);
    }

    @ParameterizedTest
    @CsvSource({"wrong, rw-------, refuses user monitor or the password", "secret, rw-r--r--, is open to everyone"})
    void shouldSayWhatIsWrongWithThePassword(String text, String mode, String said) throws Exception {
        int port = serve(HttpServer.create(anyPort(), 0));

        assertEquals(1, dmg(port, "telemetry_config: {" + user(password(text, mode)) + "}"));

        assertTrue(err.toString(StandardCharsets.UTF_8).contains(said), err::toString);
    }

    @Test
    void shouldSayThatAUserIsWanted() throws Exception {
        int port = serve(HttpServer.create(anyPort(), 0));

        assertEquals(1, dmg(port, ""));

        String said = err.toString(StandardCharsets.UTF_8);
        assertTrue(said.contains("DER_NO_PERM") && said.contains("set basic_auth in telemetry_config"), said);
    }

    @Test
    void shouldTrustTheSystemsAuthority() throws Exception {
        int port = serveTls(false);
        Path password = password("secret", "r--------");

        assertEquals(0, dmg(port, "telemetry_config: {scheme: https, " + user(password) + "}"), err::toString);
    }

    @Test
    void shouldShowItsCertificate() throws Exception {
        int port = serveTls(true);
        String auth = user(password("secret", "r--------"));

        assertEquals(1, dmg(port, "telemetry_config: {scheme: https, " + auth + "}"));
        assertEquals(
                0,
                dmg(
                        port,
                        "telemetry_config: {" + auth + ", tls_config: {cert_file: '" + certificate("admin.crt")
                                + "', key_file: '" + certificate("admin.key") + "'}}"),
                err::toString);
    }

    @Test
    void shouldRefuseAStrangersCertificate() throws Exception {
        int port = serveTls(false);
        new CertificateMaker(folder.resolve("others"), Instant.now()).generate(false);

        assertEquals(
                1,
                dmg(port, "telemetry_config: {tls_config: {ca_file: '" + folder.resolve("others/daosCA.crt") + "'}}"));

        assertTrue(err.toString(StandardCharsets.UTF_8).contains("DER_BAD_CERT"), err::toString);
    }

    @Test
    void shouldSayWhenThePageSpeaksTls() throws Exception {
        int port = serveTls(false);

        assertEquals(1, dmg(port, ""));

        assertTrue(err.toString(StandardCharsets.UTF_8).contains("telemetry_config.scheme"), err::toString);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "telemetry_config: {schema: https} | telemetry_config.schema: unknown key",
                "telemetry_config: {scheme: ftp} | telemetry_config.scheme: wants http or https",
                "telemetry_config: {scheme: http, tls_config: {ca_file: /x}} | telemetry_config.scheme: is http",
                "telemetry_config: {basic_auth: {username: x}} | username and password_file belong together",
                "telemetry_config: {basic_auth: {username: x, password: y}} | telemetry_config.basic_auth.password: unknown key",
                "telemetry_config: {tls_config: {key_file: /x}} | cert_file and key_file belong together",
                "telemetry_config: {tls_config: {insecure_skip_verify: true}} | insecure_skip_verify: unknown key",
                "telemetry_config: x | telemetry_config: wants a mapping"
            })
    void shouldNameTheWrongKey(String section, String said) throws Exception {
        assertEquals(1, dmg(1, section));

        assertTrue(err.toString(StandardCharsets.UTF_8).contains(said), err::toString);
    }
}
