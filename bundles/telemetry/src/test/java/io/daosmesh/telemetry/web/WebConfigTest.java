package io.daosmesh.telemetry.web;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.telemetry.Authority;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class WebConfigTest {
    private static final String HASH = "$2y$10$mDwo.lAisC94iLAyP81MCesa29IzH37oigHC/42V2pdJlUprsJPze";
    private static final String TLS = "tls_server_config: {cert_file: server.crt, key_file: server.key";

    @TempDir
    Path folder;

    @BeforeEach
    void certificates() throws Exception {
        Authority authority = new Authority();
        authority.writeCa(folder);
        authority.writeServer(folder);
    }

    private WebConfig read(String yaml) throws IOException {
        return WebConfig.read(Files.writeString(folder.resolve("web.yml"), yaml));
    }

    private Fault refused(String yaml) {
        return assertThrows(FaultException.class, () -> read(yaml)).fault();
    }

    @Test
    void shouldReadWhatPrometheusDocuments() throws IOException {
        WebConfig config = read(TLS
                + ", client_ca_file: ca.crt, client_auth_type: RequireAndVerifyClientCert, min_version: TLS13}\n"
                + "http_server_config: {http2: false, headers: {X-Frame-Options: deny}}\n"
                + "basic_auth_users: {alice: " + HASH + "}\n");

        var parameters = config.tls().orElseThrow().parameters();
        assertTrue(parameters.getNeedClientAuth());
        assertArrayEquals(new String[] {"TLSv1.3"}, parameters.getProtocols());
        assertEquals("deny", config.headers().get("X-Frame-Options"));
        assertEquals(HASH, config.users().get("alice"));
        assertEquals(4, config.files().size());
    }

    @Test
    void shouldOfferTlsFrom12AndProtectNothingInAnEmptyFile() throws IOException {
        assertArrayEquals(
                new String[] {"TLSv1.2", "TLSv1.3"},
                read(TLS + "}\n").tls().orElseThrow().parameters().getProtocols());
        WebConfig empty = read("# nothing\n");
        assertTrue(empty.tls().isEmpty() && empty.users().isEmpty());
    }

    record Bad(String key, String yaml) {}

    static List<Bad> badFiles() {
        return List.of(
                new Bad("tls_config: unknown key", "tls_config: {}"),
                new Bad("rate_limit: this key is not built here", "rate_limit: {interval: 1s}"),
                new Bad("tls_server_config.key: this key is not built here", TLS + ", key: x}"),
                new Bad("tls_server_config.certfile: unknown key", "tls_server_config: {certfile: x}"),
                new Bad("tls_server_config.cert_file: is missing", "tls_server_config: {key_file: server.key}"),
                new Bad("tls_server_config.key_file: is missing", "tls_server_config: {cert_file: server.crt}"),
                new Bad("tls_server_config: wants a mapping", "tls_server_config: [a]"),
                new Bad("tls_server_config.min_version", TLS + ", min_version: TLS10}"),
                new Bad("tls_server_config.min_version", TLS + ", min_version: TLS13, max_version: TLS12}"),
                new Bad("tls_server_config.client_auth_type", TLS + ", client_auth_type: RequireAnyClientCert}"),
                new Bad("tls_server_config.client_ca_file", TLS + ", client_ca_file: ca.crt}"),
                new Bad("tls_server_config.client_ca_file", TLS + ", client_auth_type: RequireAndVerifyClientCert}"),
                new Bad("tls_server_config.client_allowed_sans", TLS + ", client_allowed_sans: [a]}"),
                new Bad("tls_server_config.cipher_suites", TLS + ", cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]}"),
                new Bad("http_server_config.http2", "http_server_config: {http2: true}"),
                new Bad("http_server_config.headers.X-Any", "http_server_config: {headers: {X-Any: a}}"),
                new Bad(
                        "http_server_config.headers.X-Frame-Options",
                        "http_server_config: {headers: {X-Frame-Options: \"a\\nb\"}}"),
                new Bad("basic_auth_users.alice: wants a bcrypt hash", "basic_auth_users: {alice: secret}"),
                new Bad(
                        "basic_auth_users.alice: the cost",
                        "basic_auth_users: {alice: " + HASH.replace("$10$", "$31$") + "}"),
                new Bad("basic_auth_users.a:b", "basic_auth_users: {'a:b': " + HASH + "}"),
                new Bad("line 2 is not YAML", "basic_auth_users: {}\nbasic_auth_users: {}"),
                new Bad("is not YAML", "tls_server_config: ["),
                new Bad("holds no mapping", "- a"),
                new Bad("is longer than 1 MiB", "# " + "x".repeat(1 << 20)));
    }

    @ParameterizedTest
    @MethodSource("badFiles")
    void shouldNameWhatIsWrong(Bad bad) {
        Fault fault = refused(bad.yaml());

        assertEquals(FaultCode.INVAL, fault.code());
        assertTrue(fault.message().contains(bad.key()), fault.message());
        assertTrue(fault.message().contains("web.yml"), fault.message());
        assertTrue(!fault.remedy().isEmpty());
    }

    @ParameterizedTest
    @ValueSource(strings = {"rw-r--r--", "rw-rw----", "r-----r--", "rwx------"})
    void shouldRefuseKeyThatOthersMayReadOrChange(String mode) throws IOException {
        Path key = folder.resolve("server.key");
        Files.setPosixFilePermissions(key, PosixFilePermissions.fromString(mode));

        Fault fault = refused(TLS + "}");

        assertEquals(FaultCode.BAD_CERT, fault.code());
        assertTrue(fault.message().contains(key.toString()), fault.message());
        assertTrue(fault.remedy().contains("chmod 0400 " + key), fault.remedy());
    }

    @ParameterizedTest
    @ValueSource(strings = {"r--------", "rw-------", "r--r-----"})
    void shouldTakeKeyOfOwnerAndGroup(String mode) throws IOException {
        Files.setPosixFilePermissions(folder.resolve("server.key"), PosixFilePermissions.fromString(mode));

        assertTrue(read(TLS + "}").tls().isPresent());
    }

    @ParameterizedTest
    @ValueSource(strings = {"server.crt", "server.key"})
    void shouldNameDamagedFile(String name) throws IOException {
        Files.writeString(folder.resolve(name), "-----BEGIN PRIVATE KEY-----\n!!!!\n-----END PRIVATE KEY-----\n");

        Fault fault = refused(TLS + "}");

        assertEquals(FaultCode.BAD_CERT, fault.code());
        assertTrue(fault.message().contains(name), fault.message());
    }

    @Test
    void shouldNameAbsentFile() throws IOException {
        Files.delete(folder.resolve("server.key"));

        assertTrue(refused(TLS + "}").message().contains("server.key cannot be read"));
        assertTrue(assertThrows(FaultException.class, () -> WebConfig.read(folder.resolve("none.yml")))
                .fault()
                .message()
                .contains("none.yml cannot be read"));
    }
}
