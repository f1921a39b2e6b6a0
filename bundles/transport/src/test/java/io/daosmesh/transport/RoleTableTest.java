package io.daosmesh.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.daosmesh.model.access.User;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.CredentialMessage;
import io.daosmesh.model.wire.DataSessionReply;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.ReplyHeader;
import io.daosmesh.model.wire.SetupMessage;
import io.daosmesh.transport.RoleTable.Caller;
import io.daosmesh.transport.certs.CertificateMaker;
import io.daosmesh.transport.credential.Credentials;
import io.daosmesh.transport.tls.TlsMaterial;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Every RPC, every caller, every kind of channel: served or refused as {@code role-table.txt} says, and nothing else. */
class RoleTableTest extends TransportFixture {
    private static final int FIRE = 0x05;

    private enum Mode {
        TLS,
        CLEAR_DATA,
        INSECURE
    }

    @TempDir
    static Path certificates;

    private final AtomicInteger served = new AtomicInteger();
    private Mode mode = Mode.TLS;

    @BeforeAll
    static void makeCertificates() {
        new CertificateMaker(certificates, Instant.now()).generate(false);
    }

    @Override
    NodeConfig.Tls tls(Role role) {
        if (mode == Mode.INSECURE) return InsecureTransportTest.INSECURE;
        return TlsTransportTest.files(certificates, role, mode == Mode.CLEAR_DATA);
    }

    /** A server that answers everything, at the node and at the rank. */
    private int serveAll(Mode wanted) {
        mode = wanted;
        ServerTransport all = openServer("daos_server", 0);
        for (int place : new int[] {Endpoint.NODE, RANK}) {
            for (RpcMethod method : RpcMethod.values()) {
                // the transport answers this one itself
                if (method == RpcMethod.DATA_SESSION && place == Endpoint.NODE) continue;
                register(all, place, method);
            }
        }
        return Endpoint.node(all.address()).port();
    }

    private void register(ServerTransport all, int place, RpcMethod method) {
        if (method.kind() == RpcMethod.Kind.STREAM) {
            all.server().registerStream(place, method, call -> {
                served.incrementAndGet();
                return Flux.just(RpcMessage.of(Empty.getDefaultInstance()));
            });
        } else {
            all.server().register(place, method, call -> {
                served.incrementAndGet();
                return Mono.empty();
            });
        }
    }

    private static SetupMessage setup(Caller caller, boolean isSigned) {
        SetupMessage.Builder b = TransportFixture.setup()
                .setComponent(
                        caller == Caller.USER || caller == Caller.NOBODY
                                ? "agent"
                                : caller.name().toLowerCase(Locale.ROOT));
        return caller == Caller.USER
                ? b.setCredential(ByteString.copyFrom(credential(isSigned))).build()
                : b.build();
    }

    private static byte[] credential(boolean isSigned) {
        User user = new User("alice@", "labs@", List.of("labs@"), "node7");
        CredentialMessage about =
                Credentials.about(user, "daos_server", System.currentTimeMillis(), Duration.ofHours(1));
        if (!isSigned) return Credentials.unsigned(about);
        TlsMaterial agent = TlsMaterial.load(TlsTransportTest.files(certificates, Role.AGENT, false), Role.AGENT);
        return Credentials.sign(about, agent.key(), agent.certificate());
    }

    private static @Nullable Role certificate(Caller caller) {
        return caller == Caller.USER || caller == Caller.NOBODY ? null : Role.valueOf(caller.name());
    }

    private static RawPeer overTls(int port, Caller caller) throws Exception {
        return RawPeer.tls(port, certificates, certificate(caller))
                .setup(setup(caller, true).toByteArray());
    }

    private static RawPeer clear(int port, Caller caller) throws Exception {
        try (RawPeer control = overTls(port, caller)) {
            control.request(1, RpcMethod.DATA_SESSION, Endpoint.NODE, new byte[0]);
            DataSessionReply s = DataSessionReply.parseFrom(reply(control, 1).getBody());
            return RawPeer.clear(port, s.getSession().toByteArray(), s.getKey().toByteArray(), "127.0.0.1")
                    .seal()
                    .setup(setup(caller, true).toBuilder()
                            .clearCredential()
                            .build()
                            .toByteArray());
        }
    }

    /** The answer's header; what ends a stream has none and is passed over. */
    private static ReplyHeader reply(RawPeer peer, int stream) throws IOException {
        while (true) {
            RawPeer.Answer a = peer.answer();
            assertNotNull(a, "the connection was closed");
            assertTrue(a.stream() != 0, a::text);
            if (a.stream() != stream || a.rest().length == 0) continue;
            DataInputStream in = new DataInputStream(new ByteArrayInputStream(a.rest()));
            in.skipNBytes(3);
            in.skipNBytes(in.readUnsignedByte() + 1);
            return ReplyHeader.parseFrom(in.readNBytes(in.readUnsignedByte() << 16 | in.readUnsignedShort()));
        }
    }

    /** Asks for everything and compares; names all that is wrong at once. */
    private void askAll(RawPeer peer, Caller caller, boolean isClearChannel) throws IOException {
        RoleTable table = RoleTable.of(RoleTable.text());
        List<String> wrong = new ArrayList<>();
        int stream = 1;
        for (RpcMethod method : RpcMethod.values()) {
            for (int place : new int[] {Endpoint.NODE, RANK}) {
                int before = served.get();
                boolean isRefused = isRefused(peer, method, place, stream);
                stream += 4;
                boolean isHandled = served.get() > before
                        || method == RpcMethod.DATA_SESSION && place == Endpoint.NODE && !isRefused;
                boolean mayCall = table.mayCall(method, caller, isClearChannel);
                if (isHandled != mayCall || isRefused == mayCall) {
                    wrong.add(method + " at " + place + " by " + caller + ": handled " + isHandled + ", refused "
                            + isRefused + ", the table says " + mayCall);
                }
            }
        }
        assertEquals(List.of(), wrong);
    }

    /** NO_PERM; of what is never answered, that it was not handled. */
    private boolean isRefused(RawPeer peer, RpcMethod method, int place, int stream) throws IOException {
        switch (method.kind()) {
            case CALL -> peer.request(stream, method, place, new byte[0]);
            case STREAM -> peer.stream(stream, method, place);
            case FIRE -> {
                int before = served.get();
                peer.frame(stream, FIRE, RawPeer.FLAG_METADATA, RawPeer.metadata(method, place, new byte[0], 0));
                // frames of a connection are taken in order: once this is answered, the one before is done with
                byte[] unknown = RawPeer.metadata(method, place, new byte[0], 0);
                peer.frame(stream + 2, RawPeer.REQUEST_RESPONSE, RawPeer.FLAG_METADATA, unknown);
                reply(peer, stream + 2);
                return served.get() == before;
            }
            default -> throw new IllegalArgumentException(method.toString());
        }
        ReplyHeader reply = reply(peer, stream);
        return reply.hasFault() && reply.getFault().getCode() == FaultCode.NO_PERM.number();
    }

    private void assertNotLetIn(RawPeer peer) throws IOException {
        RawPeer.Answer answer = peer.answer();
        assertNotNull(answer);
        assertEquals(0, answer.stream());
        assertEquals(RawPeer.ERROR, answer.type());
        int stream = 1;
        try {
            for (RpcMethod method : RpcMethod.values()) peer.request(stream += 2, method, RANK, new byte[0]);
        } catch (IOException e) {
            // closed meanwhile
        }
        for (RawPeer.Answer a = answer; a != null; a = peer.answer()) assertEquals(0, a.stream());
        assertEquals(0, served.get());
    }

    @Test
    void shouldFailForRpcThatNobodyHasDecidedAbout() throws IOException {
        String without = RoleTable.text().replaceAll("(?m)^RAFT .*$", "");

        AssertionError e = assertThrows(AssertionError.class, () -> RoleTable.of(without));

        assertTrue(e.getMessage().contains("decide who may call RAFT"), e.getMessage());
    }

    @Test
    void shouldFailForRpcThatNobodyHasDecidedToWriteDownOrNot() throws IOException {
        String without = RoleTable.text().replaceAll("(?m)^(POOL_CREATE +tls +)audit", "$1     ");

        AssertionError e = assertThrows(AssertionError.class, () -> RoleTable.of(without));

        assertTrue(e.getMessage().contains("audit or -"), e.getMessage());
    }

    @Test
    void shouldWriteDownWhatTheTableNames() throws IOException {
        RoleTable table = RoleTable.of(RoleTable.text());
        for (RpcMethod method : RpcMethod.values()) {
            assertEquals(table.isAudited(method), method.isAudited(), method.toString());
            // streams and gossip end in other ways
            if (method.isAudited()) assertEquals(RpcMethod.Kind.CALL, method.kind(), method.toString());
        }
    }

    @Test
    void shouldServeOverTlsWhomTheTableNames() throws Exception {
        int port = serveAll(Mode.TLS);
        for (Caller caller : List.of(Caller.SERVER, Caller.ADMIN, Caller.AGENT, Caller.USER)) {
            try (RawPeer peer = overTls(port, caller)) {
                askAll(peer, caller, false);
            }
        }
    }

    @Test
    void shouldServeOnClearDataChannelsWhomTheTableNames() throws Exception {
        int port = serveAll(Mode.CLEAR_DATA);
        for (Caller caller : List.of(Caller.SERVER, Caller.ADMIN, Caller.AGENT, Caller.USER)) {
            try (RawPeer control = overTls(port, caller);
                    RawPeer data = clear(port, caller)) {
                askAll(control, caller, false);
                askAll(data, caller, true);
            }
        }
    }

    @Test
    void shouldServeWithoutCertificatesWhomTheTableNames() throws Exception {
        int port = serveAll(Mode.INSECURE);
        for (Caller caller : List.of(Caller.SERVER, Caller.ADMIN, Caller.AGENT, Caller.USER)) {
            try (RawPeer peer =
                    RawPeer.plain(port, "127.0.0.1").setup(setup(caller, false).toByteArray())) {
                askAll(peer, caller, false);
            }
        }
    }

    @Test
    void shouldServeNobodyNothing() throws Exception {
        for (Mode each : List.of(Mode.TLS, Mode.CLEAR_DATA)) {
            int port = serveAll(each);
            for (String claimed : List.of("server", "admin", "agent")) {
                byte[] setup =
                        TransportFixture.setup().setComponent(claimed).build().toByteArray();
                try (RawPeer shown = RawPeer.tls(port, certificates, null).setup(setup);
                        RawPeer plain = RawPeer.plain(port, "127.0.0.1").setup(setup)) {
                    assertNotLetIn(shown);
                    assertNotLetIn(plain);
                }
            }
        }
        try (RawPeer noRole = RawPeer.plain(serveAll(Mode.INSECURE), "127.0.0.1")
                .setup(TransportFixture.setup().setComponent("nobody").build().toByteArray())) {
            assertNotLetIn(noRole);
        }
    }

    @Test
    void shouldServeNobodyUnderAnotherRolesName() throws Exception {
        int port = serveAll(Mode.TLS);
        for (Caller shown : List.of(Caller.SERVER, Caller.ADMIN, Caller.AGENT, Caller.USER)) {
            for (Caller claimed : List.of(Caller.SERVER, Caller.ADMIN, Caller.AGENT)) {
                if (shown == claimed || shown == Caller.USER && claimed == Caller.AGENT) continue;
                byte[] setup = setup(shown, true).toBuilder()
                        .setComponent(claimed.name().toLowerCase(Locale.ROOT))
                        .build()
                        .toByteArray();
                try (RawPeer peer =
                        RawPeer.tls(port, certificates, certificate(shown)).setup(setup)) {
                    assertNotLetIn(peer);
                }
            }
        }
    }
}
