package io.daosmesh.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.read.ListAppender;
import com.google.protobuf.ByteString;
import io.daosmesh.model.fuzz.Fuzz;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.transport.certs.CertificateMaker;
import io.daosmesh.transport.server.Listener;
import io.netty.buffer.PooledByteBufAllocator;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Frames that are damaged, from strangers and from a peer with a good certificate: the node serves others and keeps nothing. */
@Tag("fuzz")
@Timeout(900)
class DamagedFramesTest extends TransportFixture {
    private static final int BATCH = 20;
    private static final long DIRECT_BYTES_MAX = 384L << 20;
    private static final int KEEPALIVE = 0x03;
    private static final int REQUEST_N = 0x08;
    private static final int CANCEL = 0x09;

    @TempDir
    static Path certificates;

    private final ListAppender<ILoggingEvent> log = new ListAppender<>();
    private Rpc polite;

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
        log.start();
        ((Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME)).addAppender(log);
        for (int place : new int[] {Endpoint.NODE, RANK}) {
            for (RpcMethod m : RpcMethod.values()) {
                if (m.kind() == RpcMethod.Kind.STREAM) {
                    server.server()
                            .registerStream(
                                    place,
                                    m,
                                    c -> Flux.just(RpcMessage.of(Empty.getDefaultInstance()))
                                            .repeat(3));
                } else {
                    server.server().register(place, m, c -> Mono.just(RpcMessage.of(Empty.getDefaultInstance())));
                }
            }
        }
        polite = client(Role.ADMIN);
    }

    @AfterEach
    void stopListening() {
        ((Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME)).detachAppender(log);
    }

    private static byte[] frame(int stream, int type, int flags, byte[] rest) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream f = new DataOutputStream(bytes);
        RawPeer.header(f, 6 + rest.length, stream, type, flags);
        f.write(rest);
        return bytes.toByteArray();
    }

    private static byte[] joined(byte[]... parts) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (byte[] p : parts) bytes.writeBytes(p);
        return bytes.toByteArray();
    }

    private static byte[] metadata(RpcMethod method, int rank, byte[] data) throws IOException {
        return joined(RawPeer.metadata(method, rank, new byte[20], 0), data);
    }

    /** Every kind of frame that a peer of ours sends. */
    private static byte[][] frames() throws IOException {
        byte[] n = {0, 0, 0, 5};
        byte[] status = metadata(RpcMethod.NODE_STATUS, Endpoint.NODE, new byte[0]);
        byte[] update = metadata(RpcMethod.OBJECT_UPDATE, RANK, new byte[2000]);
        byte[] stream = joined(n, metadata(RpcMethod.MAP_STREAM, Endpoint.NODE, new byte[0]));
        return new byte[][] {
            frame(1, RawPeer.REQUEST_RESPONSE, RawPeer.FLAG_METADATA, status),
            frame(3, RawPeer.REQUEST_RESPONSE, RawPeer.FLAG_METADATA, update),
            joined(
                    frame(5, RawPeer.REQUEST_STREAM, RawPeer.FLAG_METADATA, stream),
                    frame(5, REQUEST_N, 0, n),
                    frame(5, CANCEL, 0, new byte[0])),
            frame(7, 0x05, RawPeer.FLAG_METADATA, status),
            frame(0, KEEPALIVE, 0x80, new byte[12]),
            joined(
                    frame(9, RawPeer.REQUEST_RESPONSE, RawPeer.FLAG_METADATA, status),
                    frame(11, RawPeer.REQUEST_RESPONSE, RawPeer.FLAG_METADATA, update))
        };
    }

    private static String from(int run) {
        return "127.0.1." + (1 + run % 200);
    }

    /** Sends, says that this is all, and waits until the node has closed or is silent. */
    private static void send(RawPeer peer, byte[] input) throws IOException {
        try (peer) {
            peer.out.write(input);
            peer.out.flush();
            peer.socket.shutdownOutput();
            peer.socket.setSoTimeout(2000);
            while (peer.in.read() >= 0) {}
        } catch (SocketTimeoutException e) {
            return; // it waits for the rest of a frame: closed by the deadlines of admission and keep-alives, or now by
            // us
        } catch (SocketException | javax.net.ssl.SSLException e) {
            return; // reset
        }
    }

    private interface Sender {
        void send(int run, byte[] input) throws Exception;
    }

    private void damage(Fuzz fuzz, Sender sender) throws Exception {
        for (int run = 0; run < Fuzz.runs(); run++) {
            byte[] input = fuzz.input(run);
            long startNs = System.nanoTime();
            sender.send(run, input);
            String shown = "run " + run + ": " + HexFormat.of().formatHex(input, 0, Math.min(input.length, 500));
            assertTrue(System.nanoTime() - startNs < LONG.toNanos(), shown);
            // what fails in a handler or in the library is written there
            assertEquals(List.of(), errors(), shown);
            log.list.clear();
            if (run % BATCH == BATCH - 1) assertUnharmed(shown);
        }
    }

    private List<String> errors() {
        return List.copyOf(log.list).stream()
                .filter(e -> e.getLevel().isGreaterOrEqual(Level.ERROR))
                .map(DamagedFramesTest::told)
                .toList();
    }

    private static String told(ILoggingEvent e) {
        return e.getFormattedMessage()
                + (e.getThrowableProxy() == null ? "" : ThrowableProxyUtil.asString(e.getThrowableProxy()));
    }

    private void assertUnharmed(String shown) {
        Leaks.checkBuffers(shown);
        RpcMessage ask = RpcMessage.of(Empty.getDefaultInstance());
        assertEquals(
                "ok",
                polite.call(node(), RpcMethod.NODE_STATUS, ask, LONG, r -> "ok").block(LONG),
                shown);
        Listener.Held one = new Listener.Held(1, 0, 1, 0);
        Leaks.await(
                "only the polite one is left after " + shown,
                () -> server.held().equals(one));
        assertTrue(PooledByteBufAllocator.DEFAULT.metric().usedDirectMemory() < DIRECT_BYTES_MAX, shown);
    }

    @Test
    void shouldServeOthersWhileFramesOfAnAgentAreDamaged() throws Exception {
        SSLContext agent = RawPeer.context(certificates, Role.AGENT);
        damage(
                Fuzz.of("frames").good(frames()),
                (run, input) ->
                        send(RawPeer.tls(node().port(), agent, from(run)).setup(), input));
    }

    /** The envelope within a frame whose length is right. */
    @Test
    void shouldServeOthersWhileEnvelopesAreDamaged() throws Exception {
        SSLContext agent = RawPeer.context(certificates, Role.AGENT);
        byte[] status = metadata(RpcMethod.NODE_STATUS, Endpoint.NODE, new byte[0]);
        byte[] update = metadata(RpcMethod.OBJECT_UPDATE, RANK, new byte[200]);
        int[] types = {
            RawPeer.REQUEST_RESPONSE, RawPeer.REQUEST_STREAM, 0x05, REQUEST_N, CANCEL, KEEPALIVE, RawPeer.ERROR
        };
        damage(Fuzz.of("envelopes").good(status, update), (run, input) -> {
            byte[] first = frame(1, types[run % types.length], RawPeer.FLAG_METADATA, input);
            byte[] second = frame(3, RawPeer.REQUEST_RESPONSE, RawPeer.FLAG_METADATA, input);
            send(RawPeer.tls(node().port(), agent, from(run)).setup(), joined(first, second));
        });
    }

    @Test
    void shouldKeepNothingOfSetupThatEndsEarly() throws Exception {
        SSLContext nobody = RawPeer.context(certificates, null);
        byte[] rest =
                frameRest(RawPeer.setupFrame(TransportFixture.setup().build().toByteArray()));
        for (int length = 0; length < rest.length; length++) {
            byte[] cut = frame(0, 0x01, 0, Arrays.copyOf(rest, length));
            send(RawPeer.tls(node().port(), nobody, from(length)), cut);
        }

        assertUnharmed("SETUP that ends early");
        assertEquals(List.of(), errors());
    }

    private static byte[] frameRest(byte[] frame) {
        return Arrays.copyOfRange(frame, 9, frame.length);
    }

    @Test
    void shouldServeOthersWhileFirstFramesAreDamaged() throws Exception {
        SSLContext agent = RawPeer.context(certificates, Role.AGENT);
        SSLContext nobody = RawPeer.context(certificates, null);
        byte[] plain = TransportFixture.setup().build().toByteArray();
        byte[] shown = TransportFixture.setup()
                .setCredential(ByteString.copyFrom(new byte[300]))
                .build()
                .toByteArray();
        Fuzz fuzz = Fuzz.of("first frames")
                .good(joined(RawPeer.setupFrame(plain), frames()[0]), joined(RawPeer.setupFrame(shown), frames()[5]));
        damage(fuzz, (run, input) -> {
            RawPeer peer = switch (run % 3) {
                case 0 -> RawPeer.tls(node().port(), agent, from(run));
                case 1 -> RawPeer.tls(node().port(), nobody, from(run));
                default -> RawPeer.plain(node().port(), from(run));
            };
            send(peer, input);
        });
    }
}
