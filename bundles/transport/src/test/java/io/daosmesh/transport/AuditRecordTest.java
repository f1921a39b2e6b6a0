package io.daosmesh.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import io.daosmesh.model.access.User;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.ContainerRef;
import io.daosmesh.model.wire.PoolDestroyRequest;
import io.daosmesh.model.wire.PoolTargetsRequest;
import io.daosmesh.model.wire.PropertiesRequest;
import io.daosmesh.transport.certs.CertificateMaker;
import io.daosmesh.transport.credential.Credentials;
import io.daosmesh.transport.tls.TlsMaterial;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;

/** Who changed what over the network is written down, and what became of it; what servers do and who only asks is not. */
class AuditRecordTest extends TransportFixture {
    private static final PoolDestroyRequest DESTROY =
            PoolDestroyRequest.newBuilder().setPool("tank").setForce(true).build();

    @TempDir
    static Path certificates;

    private final ListAppender<ILoggingEvent> lines = new ListAppender<>();
    private String claim = "";
    private final Logger audit = (Logger) LoggerFactory.getLogger("daosmesh.audit");

    @BeforeAll
    static void makeCertificates() {
        new CertificateMaker(certificates, Instant.now()).generate(false);
    }

    @Override
    NodeConfig.Tls tls(Role role) {
        return TlsTransportTest.files(certificates, role, false);
    }

    @BeforeEach
    void serveAll() {
        lines.start();
        audit.addAppender(lines);
        audit.setLevel(Level.INFO);
        for (RpcMethod m : RpcMethod.values()) {
            if (m.kind() == RpcMethod.Kind.CALL && m != RpcMethod.DATA_SESSION) {
                server.server().register(Endpoint.NODE, m, call -> Mono.empty());
            }
        }
    }

    @AfterEach
    void stopListening() {
        audit.detachAppender(lines);
        audit.setLevel(null);
    }

    private List<String> ask(@Nullable Role role, RpcMethod method, MessageLite body) throws Exception {
        lines.list.clear();
        var setup = TransportFixture.setup()
                .setComponent(role == null ? "agent" : role.name().toLowerCase(Locale.ROOT))
                .setClaim(claim);
        if (role == null) setup.setCredential(ByteString.copyFrom(credential()));
        try (RawPeer peer = RawPeer.tls(node().port(), certificates, role)) {
            peer.setup(setup.build().toByteArray()).request(1, method, Endpoint.NODE, body.toByteArray());
            assertEquals(1, peer.answer().stream());
        }
        return lines.list.stream().map(ILoggingEvent::getFormattedMessage).toList();
    }

    private static byte[] credential() {
        User user = new User("alice@", "labs@", List.of("labs@"), "node7");
        TlsMaterial agent = TlsMaterial.load(TlsTransportTest.files(certificates, Role.AGENT, false), Role.AGENT);
        return Credentials.sign(
                Credentials.about(user, "daos_server", System.currentTimeMillis(), Duration.ofHours(1)),
                agent.key(),
                agent.certificate());
    }

    @Test
    void shouldWriteDownWhatAnAdministratorChangedAndWhatBecameOfIt() throws Exception {
        assertEquals(
                List.of(
                        "user=- address=127.0.0.1 roles=admin outcome=\"ok\" rpc=POOL_DESTROY rank=-1 pool=tank force=true"),
                ask(Role.ADMIN, RpcMethod.POOL_DESTROY, DESTROY));

        server.server()
                .register(
                        Endpoint.NODE,
                        RpcMethod.POOL_CREATE,
                        call -> Mono.error(
                                Fault.of(FaultCode.EXIST, "there is one").asException()));
        server.server().register(Endpoint.NODE, RpcMethod.LOG_MASKS, call -> {
            throw new IllegalStateException("odd");
        });
        assertTrue(ask(Role.ADMIN, RpcMethod.POOL_CREATE, DESTROY).get(0).contains("outcome=\"DER_EXIST(-1004)\""));
        assertTrue(ask(Role.ADMIN, RpcMethod.LOG_MASKS, DESTROY).get(0).contains("outcome=\"DER_MISC(-1025)\""));
    }

    /** It is no proof: whoever has the certificate may say anything, but not write lines of others or become a user. */
    @Test
    void shouldWriteDownWhoAnAdministratorSaysItIs() throws Exception {
        claim = "console:ada";
        assertTrue(ask(Role.ADMIN, RpcMethod.POOL_DESTROY, DESTROY)
                .get(0)
                .startsWith("user=- claim=console:ada address="));
        claim = "a\n\" user=root".repeat(100);
        String said = ask(Role.ADMIN, RpcMethod.POOL_DESTROY, DESTROY).get(0);
        assertTrue(said.startsWith("user=- claim=a???user?root"), said);
        assertTrue(said.length() < 200, said);

        String user = ask(null, RpcMethod.CONTAINER_DESTROY, ContainerRef.getDefaultInstance())
                .get(0);
        assertTrue(user.startsWith("user=alice@node7 address="), user);
    }

    @Test
    void shouldWriteDownTheUserOfAProcess() throws Exception {
        ContainerRef ref = ContainerRef.newBuilder().setContainer("a\nb").build();

        assertEquals(
                List.of("user=alice@node7 address=127.0.0.1 roles=agent outcome=\"ok\" rpc=CONTAINER_DESTROY rank=-1"
                        + " container='a\\nb'"),
                ask(null, RpcMethod.CONTAINER_DESTROY, ref));
    }

    @Test
    void shouldWriteDownWhoTriedWhatItMayNot() throws Exception {
        List<String> said = ask(null, RpcMethod.POOL_DESTROY, DESTROY);

        assertEquals(1, said.size());
        assertTrue(said.get(0).contains("user=alice@node7 "), said::toString);
        assertTrue(said.get(0).contains("outcome=\"DER_NO_PERM(-1001)\" rpc=POOL_DESTROY"), said::toString);
    }

    @Test
    void shouldBeSilentAboutServersAndQuestions() throws Exception {
        var targets = PoolTargetsRequest.newBuilder().setPool("tank").build();
        var show = PropertiesRequest.newBuilder().setPool("tank").build();

        assertEquals(List.of(), ask(Role.SERVER, RpcMethod.POOL_TARGETS, targets));
        assertEquals(1, ask(Role.ADMIN, RpcMethod.POOL_TARGETS, targets).size());
        assertEquals(List.of(), ask(Role.ADMIN, RpcMethod.POOL_PROPERTIES, show));
        assertEquals(List.of(), ask(Role.ADMIN, RpcMethod.POOL_QUERY, show));
    }
}
