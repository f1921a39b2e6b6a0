package io.daosmesh.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.RpcCall;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.DataSessionReply;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.transport.certs.CertificateMaker;
import io.daosmesh.transport.server.Sessions;
import io.daosmesh.transport.wire.ClearChannel;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import reactor.core.publisher.Mono;

/** What somebody who listens on a clear data channel, or guesses, can do with it. */
class ClearChannelTest extends TransportFixture {
    @TempDir
    static Path certificates;

    @BeforeAll
    static void makeCertificates() {
        new CertificateMaker(certificates, Instant.now()).generate(false);
    }

    @Override
    NodeConfig.Tls tls(Role role) {
        return TlsTransportTest.files(certificates, role, true);
    }

    private DataSessionReply session() {
        RpcMessage ask = RpcMessage.of(Empty.getDefaultInstance());
        return client(Role.AGENT)
                .call(node(), RpcMethod.DATA_SESSION, ask, LONG, r -> DataSessionReply.parseFrom(r.body()))
                .block(LONG);
    }

    /** Connects and proves; the frames that follow are the caller's. */
    private RawPeer open(DataSessionReply session, byte[] key, String from) throws IOException {
        return RawPeer.clear(node().port(), session.getSession().toByteArray(), key, from);
    }

    private static void sealed(RawPeer peer, byte[] frame, int flip) throws IOException {
        CRC32C crc = new CRC32C();
        crc.update(frame);
        int length = frame.length + 4;
        peer.out.writeByte(length >>> 16);
        peer.out.writeShort(length);
        peer.out.write(frame);
        peer.out.writeInt((int) crc.getValue() ^ flip);
        peer.out.flush();
    }

    private static byte[] setup(String component) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream f = new DataOutputStream(bytes);
        f.writeInt(0);
        f.writeShort(0x01 << 10);
        f.writeInt(1 << 16);
        f.writeInt(5000);
        f.writeInt(20_000);
        for (String mime : new String[] {"message/x.rsocket.composite-metadata.v0", "application/octet-stream"}) {
            f.writeByte(mime.length());
            f.writeBytes(mime);
        }
        f.write(TransportFixture.setup().setComponent(component).build().toByteArray());
        return bytes.toByteArray();
    }

    private static byte[] request(RpcMethod method, int rank) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream f = new DataOutputStream(bytes);
        f.writeInt(1);
        f.writeShort(RawPeer.REQUEST_RESPONSE << 10 | RawPeer.FLAG_METADATA);
        f.write(RawPeer.metadata(method, rank, new byte[0], 0));
        return bytes.toByteArray();
    }

    private static RawPeer.@Nullable Answer asked(RawPeer peer, String component, RpcMethod method, int flip)
            throws IOException {
        sealed(peer, setup(component), 0);
        sealed(peer, request(method, method == RpcMethod.OBJECT_FETCH ? RANK : -1), flip);
        return peer.answer();
    }

    private void serve() {
        server.server().register(RANK, RpcMethod.OBJECT_FETCH, c -> Mono.empty());
    }

    @Test
    void shouldServeWhoHoldsTheKeyOnce() throws Exception {
        serve();
        DataSessionReply s = session();
        byte[] key = s.getKey().toByteArray();
        try (RawPeer first = open(s, key, "127.0.0.1")) {
            RawPeer.Answer served = asked(first, "agent", RpcMethod.OBJECT_FETCH, 0);
            assertNotNull(served);
            assertEquals(1, served.stream());
        }

        try (RawPeer again = open(s, key, "127.0.0.1")) {
            assertRefused(again.answer());
        }
    }

    /** A proof may begin with any byte, also with that of a TLS record. */
    @Test
    void shouldTakeProofsThatBeginLikeTls() throws Exception {
        serve();
        boolean hasBeenSeen = false;
        for (int i = 0; i < 5000 && !hasBeenSeen; i++) {
            RpcCall.Peer me = new RpcCall.Peer(Role.AGENT, -1, 0, "", "0.1.0", Optional.empty(), "127.0.0.1");
            Sessions.Session s = server.sessions().issue(me);
            try (RawPeer peer = RawPeer.plain(node().port(), "127.0.0.1")) {
                peer.out.writeInt(ClearChannel.MAGIC);
                peer.out.write(s.id());
                peer.out.flush();
                byte[] proof = ClearChannel.proof(s.key(), s.id(), peer.in.readNBytes(ClearChannel.NONCE_BYTES));
                hasBeenSeen = proof[0] == 0x16;
                peer.out.write(proof);
                peer.out.flush();
                if (hasBeenSeen) assertEquals(1, asked(peer, "agent", RpcMethod.OBJECT_FETCH, 0).stream());
                else sealed(peer, setup("agent"), 0);
            }
        }
        assertTrue(hasBeenSeen, "1 in 256");
    }

    @Test
    void shouldRefuseControlOnDataChannel() throws Exception {
        DataSessionReply s = session();
        try (RawPeer peer = open(s, s.getKey().toByteArray(), "127.0.0.1")) {
            RawPeer.Answer answer = asked(peer, "agent", RpcMethod.NODE_STATUS, 0);

            assertNotNull(answer);
            assertTrue(answer.text().contains("may not be called"), answer.text());
        }
    }

    @Test
    void shouldRefuseWhoOnlyListened() throws Exception {
        DataSessionReply s = session();
        try (RawPeer guess = open(s, new byte[ClearChannel.KEY_BYTES], "127.0.0.1");
                RawPeer elsewhere = open(session(), s.getKey().toByteArray(), "127.0.0.2");
                RawPeer made = open(
                        DataSessionReply.newBuilder()
                                .setSession(com.google.protobuf.ByteString.copyFrom(new byte[16]))
                                .build(),
                        s.getKey().toByteArray(),
                        "127.0.0.1")) {
            for (RawPeer p : new RawPeer[] {guess, elsewhere, made}) assertRefused(p.answer());
        }
    }

    @Test
    void shouldRefuseKeyThatCameFromAnotherAddress() throws Exception {
        DataSessionReply s = session();
        try (RawPeer elsewhere = open(s, s.getKey().toByteArray(), "127.0.0.2")) {
            assertRefused(elsewhere.answer());
        }
    }

    @Test
    void shouldRefuseAnotherRoleThanTheKeyIsFor() throws Exception {
        DataSessionReply s = session();
        try (RawPeer peer = open(s, s.getKey().toByteArray(), "127.0.0.1")) {
            assertRefused(asked(peer, "server", RpcMethod.SHARD_UPDATE, 0));
        }
    }

    @Test
    void shouldEndChannelWhoseFramesAreDamaged() throws Exception {
        serve();
        DataSessionReply s = session();
        try (RawPeer peer = open(s, s.getKey().toByteArray(), "127.0.0.1")) {
            assertNull(asked(peer, "agent", RpcMethod.OBJECT_FETCH, 1));
        }
    }

    private static void assertRefused(RawPeer.@Nullable Answer answer) {
        assertNotNull(answer);
        assertEquals(RawPeer.ERROR, answer.type());
        assertTrue(answer.text().contains("daosmesh:"), answer.text());
    }
}
