package io.daosmesh.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.release.Release;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.SetupMessage;
import io.daosmesh.transport.certs.CertificateList;
import io.daosmesh.transport.certs.CertificateMaker;
import io.daosmesh.transport.wire.Envelope;
import io.daosmesh.transport.wire.Failures;
import io.rsocket.RSocket;
import io.rsocket.core.RSocketConnector;
import io.rsocket.transport.netty.client.TcpClientTransport;
import io.rsocket.util.DefaultPayload;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import reactor.core.publisher.Mono;
import reactor.netty.resources.ConnectionProvider;
import reactor.netty.resources.LoopResources;
import reactor.netty.tcp.TcpClient;

/** Who is let in, and what those who are not are told. */
@Timeout(60)
class AdmissionTest {
    static {
        Leaks.watch();
    }

    private static final Duration LONG = Duration.ofSeconds(20);

    @TempDir
    Path dir;

    private final List<AutoCloseable> toClose = new ArrayList<>();

    @AfterEach
    void checkNothingLeaked() throws Exception {
        for (AutoCloseable c : toClose) c.close();
        Leaks.check();
    }

    private Path certificates(String name) {
        Path d = dir.resolve(name);
        new CertificateMaker(d, Instant.now()).generate(false);
        return d;
    }

    private ServerTransport server(NodeConfig.Tls tls) {
        ServerTransport s = ServerTransport.open(new ServerSettings("daos_server", "", "127.0.0.1", 0, tls, 1));
        s.server()
                .register(
                        Endpoint.NODE,
                        RpcMethod.NODE_STATUS,
                        c -> Mono.just(RpcMessage.of(Empty.getDefaultInstance())));
        toClose.add(0, s);
        return s;
    }

    private static Fault faultOf(Runnable action) {
        return assertThrows(FaultException.class, action::run).fault();
    }

    private Fault callFault(ServerTransport server, Role role, NodeConfig.Tls tls) {
        return faultOf(() -> call(server, role, tls));
    }

    private String call(ServerTransport server, Role role, NodeConfig.Tls tls) {
        ClientTransport c = ClientTransport.open(new ClientSettings(role, "daos_server", tls));
        toClose.add(0, c);
        RpcMessage ask = RpcMessage.of(Empty.getDefaultInstance());
        return c.rpc()
                .call(Endpoint.node(server.address()), RpcMethod.NODE_STATUS, ask, LONG, r -> "ok")
                .block(LONG);
    }

    @Test
    void shouldNameMissingFile() {
        NodeConfig.Tls tls = TlsTransportTest.files(dir.resolve("nowhere"), Role.ADMIN, false);

        Fault f = faultOf(() -> ClientTransport.open(new ClientSettings(Role.ADMIN, "daos_server", tls)));

        assertEquals(FaultCode.NO_CERT, f.code());
        assertTrue(f.text().contains("daosCA.crt does not exist"), f.text());
    }

    @Test
    void shouldSayWhenOwnCertificateExpired() {
        Path d = dir.resolve("old");
        Instant end = Instant.now().minus(2, ChronoUnit.DAYS).truncatedTo(ChronoUnit.SECONDS);
        new CertificateMaker(d, end.minus(9, ChronoUnit.DAYS), end).generate(false);

        Fault f = faultOf(() -> ClientTransport.open(
                new ClientSettings(Role.ADMIN, "daos_server", TlsTransportTest.files(d, Role.ADMIN, false))));

        assertEquals(FaultCode.BAD_CERT, f.code());
        assertTrue(f.text().contains("expired on " + end), f.text());
    }

    @Test
    void shouldRefuseCertificateOfAnotherRoleWhenLoaded() {
        Path d = certificates("a");
        NodeConfig.Tls agent = TlsTransportTest.files(d, Role.AGENT, false);

        Fault f = faultOf(() -> ClientTransport.open(new ClientSettings(Role.ADMIN, "daos_server", agent)));

        assertEquals(FaultCode.BAD_CERT, f.code());
        assertTrue(f.text().contains("is a certificate for 'agent'"), f.text());
    }

    @Test
    void shouldRefuseForeignKeyAndForeignSignature() throws IOException {
        Path a = certificates("a");
        Path b = certificates("b");
        Files.copy(b.resolve("admin.key"), a.resolve("admin.key"), StandardCopyOption.REPLACE_EXISTING);
        Files.copy(b.resolve("agent.crt"), a.resolve("agent.crt"), StandardCopyOption.REPLACE_EXISTING);

        Fault key = faultOf(() -> ClientTransport.open(
                new ClientSettings(Role.ADMIN, "daos_server", TlsTransportTest.files(a, Role.ADMIN, false))));
        Fault signature = faultOf(() -> ClientTransport.open(
                new ClientSettings(Role.AGENT, "daos_server", TlsTransportTest.files(a, Role.AGENT, false))));

        assertTrue(key.text().contains("is not the key of"), key.text());
        assertTrue(signature.text().contains("is not signed by"), signature.text());
    }

    @Test
    void shouldRefusePeerOfAnotherAuthority() {
        ServerTransport server = server(TlsTransportTest.files(certificates("a"), Role.SERVER, false));

        Fault f = callFault(server, Role.ADMIN, TlsTransportTest.files(certificates("b"), Role.ADMIN, false));

        assertEquals(FaultCode.BAD_CERT, f.code());
        assertTrue(f.text().contains("another authority"), f.text());
    }

    @Test
    void shouldTellClientWithoutTlsThatItIsWanted() {
        ServerTransport server = server(TlsTransportTest.files(certificates("a"), Role.SERVER, false));

        Fault f = callFault(server, Role.ADMIN, InsecureTransportTest.INSECURE);

        assertEquals(FaultCode.NO_CERT, f.code());
        assertTrue(f.text().contains("wants TLS"), f.text());
    }

    @Test
    void shouldTellClientWithTlsThatServerIsInsecure() {
        ServerTransport server = server(InsecureTransportTest.INSECURE);

        Fault f = callFault(server, Role.ADMIN, TlsTransportTest.files(certificates("a"), Role.ADMIN, false));

        assertTrue(f.code() == FaultCode.BAD_CERT || f.code() == FaultCode.UNREACH, f.message());
        assertTrue((f.text() + f.remedy()).contains("allow_insecure"), f.message() + f.remedy());
    }

    @Test
    void shouldUseTlsForDataWhenServerWantsIt() {
        Path d = certificates("a");
        ServerTransport server = server(TlsTransportTest.files(d, Role.SERVER, false));
        server.server().register(1, RpcMethod.OBJECT_FETCH, c -> Mono.empty());
        ClientTransport c = ClientTransport.open(
                new ClientSettings(Role.AGENT, "daos_server", TlsTransportTest.files(d, Role.AGENT, true)));
        toClose.add(0, c);

        String answer = c.rpc()
                .call(
                        Endpoint.rank(server.address(), 1),
                        RpcMethod.OBJECT_FETCH,
                        RpcMessage.of(Empty.getDefaultInstance()),
                        LONG,
                        r -> "ok")
                .block(LONG);

        assertEquals("ok", answer);
    }

    @Test
    void shouldRefuseOtherProtocolAndUnknownRole() {
        ServerTransport insecure = server(InsecureTransportTest.INSECURE);
        SetupMessage.Builder setup = TransportFixture.setup();

        Fault protocol = rawSetup(insecure, setup.clone().setProtocol(99).build());
        Fault role = rawSetup(insecure, setup.clone().setComponent("root").build());

        assertEquals(FaultCode.PROTO, protocol.code());
        assertEquals("99", protocol.arguments().get("have"));
        assertTrue(protocol.text().startsWith("protocol 99 of agent:"), protocol.text());
        assertEquals(FaultCode.NO_PERM, role.code());
    }

    /** Without TLS a peer can say that it is anything: its release has to be the same. */
    @Test
    void shouldRefuseOtherReleaseWithoutTls() {
        ServerTransport insecure = server(InsecureTransportTest.INSECURE);
        SetupMessage.Builder setup = TransportFixture.setup();

        Fault other = rawSetup(insecure, setup.clone().setVersion("0.0.9").build());
        Fault none = rawSetup(insecure, setup.clone().setVersion("").build());

        assertEquals(FaultCode.MISMATCH, other.code());
        assertEquals("617", other.arguments().get("fault"));
        assertTrue(other.text().contains("server:" + Release.own().text() + " and agent:0.0.9"), other.text());
        assertEquals("617", none.arguments().get("fault"));
    }

    private Fault rawSetup(ServerTransport server, SetupMessage setup) {
        LoopResources loops = LoopResources.create("daos-raw", 1, 1, true);
        try {
            Endpoint to = Endpoint.node(server.address());
            TcpClient tcp = TcpClient.create(ConnectionProvider.newConnection())
                    .runOn(loops, false)
                    .host(to.host())
                    .port(to.port());
            RSocket socket = RSocketConnector.create()
                    .metadataMimeType(Envelope.COMPOSITE_MIME)
                    .setupPayload(DefaultPayload.create(setup.toByteArray()))
                    .connect(TcpClientTransport.create(tcp))
                    .block(LONG);
            try {
                socket.onClose().block(LONG);
            } catch (RuntimeException e) {
                return Failures.of(e, to.address());
            }
            throw new AssertionError("closed without a reason");
        } finally {
            loops.disposeLater(Duration.ZERO, Duration.ofSeconds(1)).block(LONG);
        }
    }

    @Test
    void shouldMakeCertificatesOnceWithPrivateKeys() throws IOException {
        Path d = certificates("a");

        Fault again = faultOf(() -> new CertificateMaker(d, Instant.now()).generate(false));
        List<Path> replaced = new CertificateMaker(d, Instant.now()).generate(true);

        assertEquals(FaultCode.EXIST, again.code());
        assertEquals(8, replaced.size());
        for (String key : List.of("daosCA.key", "server.key", "admin.key", "agent.key")) {
            assertEquals("r--------", PosixFilePermissions.toString(Files.getPosixFilePermissions(d.resolve(key))));
        }
        List<String> lines = CertificateList.describe(d, Instant.now());
        assertEquals(4, lines.size());
        assertTrue(lines.get(1).contains("CN=server") && lines.get(1).contains(" days)"), lines.get(1));
        assertFalse(lines.toString().contains("EXPIRED"));
    }
}
