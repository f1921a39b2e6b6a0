package io.daosmesh.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.time.Hlc;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.transport.certs.CertificateMaker;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** What a stranger, and what a peer gone bad, can do to a node: nothing. */
class HostileTest extends TransportFixture {
    private static final int SILENT = 4000;
    private static final long HALF_SECOND = Hlc.fromNanos(500_000_000L);

    @TempDir
    static Path certificates;

    private final AtomicInteger served = new AtomicInteger();

    @BeforeAll
    static void makeCertificates() {
        new CertificateMaker(certificates, Instant.now()).generate(false);
    }

    @Override
    NodeConfig.Tls tls(Role role) {
        return TlsTransportTest.files(certificates, role, false);
    }

    private int port() {
        return node().port();
    }

    private void serveStatus() {
        server.server().register(Endpoint.NODE, RpcMethod.NODE_STATUS, call -> {
            served.incrementAndGet();
            return Mono.just(RpcMessage.of(Empty.getDefaultInstance()));
        });
    }

    private static String status(Rpc rpc, Endpoint to) {
        RpcMessage ask = RpcMessage.of(Empty.getDefaultInstance());
        return rpc.call(to, RpcMethod.NODE_STATUS, ask, LONG, r -> "ok").block(LONG);
    }

    private static void await(String what, BooleanSupplier condition) {
        long end = System.nanoTime() + LONG.toNanos();
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < end, what);
            java.util.concurrent.locks.LockSupport.parkNanos(2_000_000);
        }
    }

    /** Writes until the other side has had enough; the bytes that it took. */
    private static long flood(RawPeer peer, byte[] bytes, int times) {
        long taken = 0;
        try {
            for (int i = 0; i < times; i++) {
                peer.out.write(bytes);
                taken += bytes.length;
            }
            peer.out.flush();
        } catch (IOException e) {
            return taken;
        }
        return taken;
    }

    @Test
    void shouldTellClearPeerNothingButThatTlsIsWanted() throws Exception {
        try (RawPeer peer = RawPeer.plain(port(), "127.0.0.1")) {
            peer.setup();

            RawPeer.Answer answer = peer.answer();

            assertEquals(RawPeer.ERROR, answer.type());
            assertTrue(answer.text().contains("daosmesh:"), answer.text());
        }
    }

    @Test
    void shouldNotReadLargeFirstFrame() throws Exception {
        try (RawPeer plain = RawPeer.plain(port(), "127.0.0.1");
                RawPeer nobody = RawPeer.tls(port(), certificates, null);
                RawPeer agent = RawPeer.tls(port(), certificates, Role.AGENT)) {
            for (RawPeer peer : List.of(plain, nobody, agent)) {
                RawPeer.header(peer.out, 0xFFFFFF, 0, 0x01, 0);

                flood(peer, new byte[1 << 16], 256);

                RawPeer.Answer last = peer.answer();
                assertTrue(last == null || last.type() == RawPeer.ERROR, "the connection goes on");
            }
        }
    }

    @Test
    void shouldRefuseFirstFrameThatIsNoSetup() throws Exception {
        try (RawPeer agent = RawPeer.tls(port(), certificates, Role.AGENT)) {
            agent.request(1, RpcMethod.NODE_STATUS, -1, new byte[0]);

            assertNull(agent.answer());
        }
    }

    @Test
    void shouldRefuseNobodyWithoutCredential() throws Exception {
        serveStatus();
        try (RawPeer nobody = RawPeer.tls(port(), certificates, null)) {
            nobody.setup();
            nobody.request(1, RpcMethod.NODE_STATUS, -1, new byte[0]);

            RawPeer.Answer answer = nobody.answer();

            assertEquals(0, answer.stream());
            assertEquals(RawPeer.ERROR, answer.type());
            assertEquals(0, served.get());
        }
    }

    @Test
    void shouldServeOthersWhileManyAreSilent() throws Exception {
        serveStatus();
        List<RawPeer> silent = new ArrayList<>();
        try {
            for (int i = 0; i < SILENT; i++) silent.add(RawPeer.plain(port(), "127.0.0.1"));

            Rpc polite = client(Role.AGENT);
            await("a polite one gets in", () -> isServed(polite));
            await("few of them are kept", () -> open(silent) <= 128);
        } finally {
            for (RawPeer p : silent) p.close();
        }
        assertEquals("ok", status(client(Role.ADMIN), node()));
    }

    @Test
    void shouldNotPileUpConnectionsWhileEventLoopsAreBusy() throws Exception {
        CountDownLatch mayGoOn = new CountDownLatch(1);
        for (int i = 0; i < LOOPS; i++) server.loops().loop(i).execute(() -> awaitQuietly(mayGoOn));
        List<RawPeer> crowd = new ArrayList<>();
        try {
            for (int i = 0; i < 1000; i++) crowd.add(RawPeer.plain(port(), "127.0.0.2"));

            await("most are closed before anybody looks at them", () -> open(crowd) <= 256);
            mayGoOn.countDown();
            await("few of them are kept", () -> open(crowd) <= 128);
        } finally {
            mayGoOn.countDown();
            for (RawPeer p : crowd) p.close();
        }
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            assertTrue(latch.await(20, TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** While it empties its queue of connects, the kernel may drop one of ours: then we connect again, as clients do. */
    private boolean isServed(Rpc rpc) {
        try {
            return status(rpc, node()).equals("ok");
        } catch (FaultException e) {
            assertEquals(FaultCode.UNREACH, e.code());
            return false;
        }
    }

    private static int open(List<RawPeer> peers) {
        int open = 0;
        for (RawPeer p : peers) {
            try {
                p.socket.setSoTimeout(1);
                if (p.in.read() >= 0) open++;
            } catch (java.net.SocketTimeoutException e) {
                open++;
            } catch (IOException e) {
                continue; // reset
            }
        }
        return open;
    }

    @Test
    void shouldCloseWhoNeverSaysWhoItIs() throws Exception {
        try (RawPeer silent = RawPeer.plain(port(), "127.0.0.1");
                RawPeer half = RawPeer.plain(port(), "127.0.0.1");
                RawPeer handshaken = RawPeer.tls(port(), certificates, Role.AGENT)) {
            half.out.write(new byte[] {0x16, 0x03, 0x01});
            half.out.flush();
            handshaken.out.write(new byte[] {0, 0, 40});
            handshaken.out.flush();

            assertEquals(-1, silent.in.read());
            assertTrue(half.in.readAllBytes().length < 100);
            assertNull(handshaken.answer());
        }
    }

    @Test
    void shouldRefuseFragmentsAndStrangeFrames() throws Exception {
        for (int[] typeAndFlags : new int[][] {
            {RawPeer.REQUEST_RESPONSE, RawPeer.FLAG_FOLLOWS},
            {RawPeer.REQUEST_STREAM, RawPeer.FLAG_FOLLOWS},
            {RawPeer.PAYLOAD, RawPeer.FLAG_FOLLOWS},
            {0x07, 0},
            {0x0C, 0},
            {0x02, 0},
            {0x01, 0}
        }) {
            try (RawPeer agent = RawPeer.tls(port(), certificates, Role.AGENT).setup()) {
                agent.frame(1, typeAndFlags[0], typeAndFlags[1], new byte[100]);

                assertNull(agent.answer(), Arrays.toString(typeAndFlags));
            }
        }
    }

    @Test
    void shouldRefuseRequestLargerThanItsMethodAllowsBeforeParsing() throws Exception {
        serveStatus();
        server.server().register(RANK, RpcMethod.OBJECT_FETCH, c -> {
            served.incrementAndGet();
            return Mono.empty();
        });
        try (RawPeer agent = RawPeer.tls(port(), certificates, Role.AGENT).setup()) {
            byte[] emptyValues = new byte[4 << 20];
            for (int i = 0; i < emptyValues.length; i += 2) emptyValues[i] = 0x1a;

            agent.request(1, RpcMethod.OBJECT_FETCH, RANK, emptyValues);

            assertTrue(agent.answer().text().contains("request body of 4194304 bytes"));
            agent.request(3, RpcMethod.NODE_STATUS, -1, new byte[0]);
            assertEquals(3, agent.answer().stream(), "the connection goes on");
            assertEquals(1, served.get());
        }
    }

    @Test
    void shouldBoundStreamsOfConnection() throws Exception {
        AtomicInteger running = new AtomicInteger();
        server.server()
                .registerStream(
                        Endpoint.NODE,
                        RpcMethod.MAP_STREAM,
                        c -> Flux.<RpcMessage>never()
                                .doOnSubscribe(s -> running.incrementAndGet())
                                .doOnCancel(running::decrementAndGet));
        try (RawPeer agent = RawPeer.tls(port(), certificates, Role.AGENT).setup()) {
            for (int i = 0; i < 2000; i++) agent.stream(2 * i + 1, RpcMethod.MAP_STREAM, -1);

            int refused = 0;
            while (refused < 1996) if (agent.answer().text().contains("streams")) refused++;
            assertEquals(4, running.get());
        }
        await("streams end with their connection", () -> running.get() == 0);
    }

    @Test
    void shouldNotKeepAnswersForPeerThatTakesNone() throws Exception {
        AtomicInteger answered = new AtomicInteger();
        server.server().register(RANK, RpcMethod.OBJECT_FETCH, c -> {
            answered.incrementAndGet();
            return Mono.just(message(bytes(1 << 20)));
        });
        serveStatus();
        try (RawPeer agent = RawPeer.tls(port(), certificates, Role.AGENT).setup()) {
            Thread sender = new Thread(() -> {
                try {
                    for (int i = 0; i < 5000; i++) agent.request(2 * i + 1, RpcMethod.OBJECT_FETCH, RANK, new byte[0]);
                } catch (IOException e) {
                    return; // pushed back, then closed
                }
            });
            sender.start();
            await("answers are made", () -> answered.get() > 16);

            assertEquals("ok", status(client(Role.AGENT), node()));
            assertFalse(answered.get() > 200, "answers are piled up: " + answered.get());
            agent.socket.close();
            sender.join(LONG.toMillis());
        }
    }

    private static long wallClock() {
        Instant now = Instant.now();
        return Hlc.fromNanos((now.toEpochMilli() - Hlc.ORIGIN_MS) * 1_000_000L);
    }

    @Test
    void shouldBelieveClocksOfServersOnly() throws Exception {
        serveStatus();
        try (RawPeer agent = RawPeer.tls(port(), certificates, Role.AGENT).setup()) {
            long ahead = wallClock() + 2 * HALF_SECOND - HALF_SECOND / 10;
            byte[] header = RawPeer.metadata(RpcMethod.NODE_STATUS, -1, new byte[0], ahead);
            agent.frame(1, RawPeer.REQUEST_RESPONSE, RawPeer.FLAG_METADATA, header);

            agent.answer();

            assertTrue(server.hlc().now() < wallClock() + HALF_SECOND, "an agent has moved the clock");
        }
    }

    @Test
    void shouldRefuseServerAtAddressThatItsCertificateDoesNotName() throws Exception {
        for (String address :
                List.of("10.9.8.7:10001", "10.9.8.7", "[10.9.8.7]:1", "node7:10001", "127.0.0.1.evil:1")) {
            try (RawPeer server = RawPeer.tls(port(), certificates, Role.SERVER)) {
                server.setup(serverAt(address));
                server.request(1, RpcMethod.NODE_STATUS, -1, new byte[0]);

                RawPeer.Answer answer = server.answer();

                assertEquals(0, answer.stream(), address);
                assertEquals(RawPeer.ERROR, answer.type(), address);
            }
        }
    }

    @Test
    void shouldServeServerAtAddressOfItsCertificate() throws Exception {
        serveStatus();
        for (String address : List.of("127.0.0.1:10001", "localhost:10002", "")) {
            try (RawPeer server = RawPeer.tls(port(), certificates, Role.SERVER)) {
                server.setup(serverAt(address));
                server.request(1, RpcMethod.NODE_STATUS, -1, new byte[0]);

                assertEquals(1, server.answer().stream(), address);
            }
        }
    }

    private static byte[] serverAt(String address) {
        return setup().setComponent("server").setAddress(address).build().toByteArray();
    }
}
