package io.daosmesh.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.read.ListAppender;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.transport.certs.CertificateMaker;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

/** Answers that nobody can take any more, as the peer or the node has ended the connection: nothing for the log. */
class LostAnswersTest extends TransportFixture {
    private static final int RUNS = 30;

    @TempDir
    static Path certificates;

    private final ListAppender<ILoggingEvent> log = new ListAppender<>();
    private SSLContext agent;

    @BeforeAll
    static void makeCertificates() {
        new CertificateMaker(certificates, Instant.now()).generate(false);
    }

    @Override
    NodeConfig.Tls tls(Role role) {
        return TlsTransportTest.files(certificates, role, false);
    }

    @BeforeEach
    void serve() throws Exception {
        log.start();
        ((Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME)).addAppender(log);
        server.server()
                .register(
                        Endpoint.NODE,
                        RpcMethod.NODE_STATUS,
                        call -> Mono.just(RpcMessage.of(Empty.getDefaultInstance())));
        agent = RawPeer.context(certificates, Role.AGENT);
    }

    @AfterEach
    void stopListening() {
        ((Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME)).detachAppender(log);
    }

    private List<String> errors() {
        return List.copyOf(log.list).stream()
                .filter(e -> e.getLevel().isGreaterOrEqual(Level.ERROR))
                .map(e -> e.getFormattedMessage()
                        + (e.getThrowableProxy() == null ? "" : ThrowableProxyUtil.asString(e.getThrowableProxy())))
                .toList();
    }

    private static byte[] requests(int times) throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int i = 0; i < times; i++) {
            byte[] rest = RawPeer.metadata(RpcMethod.NODE_STATUS, Endpoint.NODE, new byte[0], 0);
            DataOutputStream f = new DataOutputStream(bytes);
            RawPeer.header(f, 6 + rest.length, 2 * i + 1, RawPeer.REQUEST_RESPONSE, RawPeer.FLAG_METADATA);
            f.write(rest);
        }
        return bytes.toByteArray();
    }

    private RawPeer agent(int run) throws Exception {
        return RawPeer.tls(node().port(), agent, "127.0.2." + (1 + run % 200)).setup();
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            assertTrue(latch.await(LONG.toMillis(), TimeUnit.MILLISECONDS));
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private void assertQuiet() {
        Leaks.await("the connections are gone", () -> server.held().connections() == 0);
        assertEquals(List.of(), errors());
    }

    @Test
    void shouldSayNothingWhenAPeerEndsItsSideBeforeTheAnswers() throws Exception {
        for (int run = 0; run < RUNS; run++) {
            CountDownLatch isEnded = new CountDownLatch(1);
            server.server().register(Endpoint.NODE, RpcMethod.LEADER_QUERY, call -> {
                // on the event loop: it finds all of the rest at once
                awaitQuietly(isEnded);
                return Mono.just(RpcMessage.of(Empty.getDefaultInstance()));
            });
            try (RawPeer peer = agent(run)) {
                peer.request(101, RpcMethod.LEADER_QUERY, Endpoint.NODE, new byte[0]);
                peer.out.write(requests(5));
                peer.out.flush();
                peer.socket.shutdownOutput();
                isEnded.countDown();

                peer.in.readAllBytes();
            }
        }
        assertQuiet();
    }

    /** The node itself ends the connection while answers wait to be encrypted. */
    @Test
    void shouldSayNothingWhenAPeerIsCutOffBeforeTheAnswers() throws Exception {
        for (int run = 0; run < RUNS; run++) {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            bytes.writeBytes(requests(5));
            bytes.writeBytes(new byte[] {0, 0, 6, 0, 0, 0, 1, (byte) 0xfc, 0});
            try (RawPeer peer = agent(run)) {
                peer.out.write(bytes.toByteArray());
                peer.out.flush();

                peer.in.readAllBytes();
            }
        }
        assertQuiet();
    }

    @Test
    void shouldSayNothingWhenAPeerIsGoneBeforeTheAnswers() throws Exception {
        Sinks.One<RpcMessage> later = Sinks.one();
        AtomicInteger asked = new AtomicInteger();
        server.server().register(Endpoint.NODE, RpcMethod.LEADER_QUERY, call -> {
            asked.incrementAndGet();
            return later.asMono();
        });
        for (int run = 0; run < RUNS; run++) {
            RawPeer peer = agent(run);
            peer.request(1, RpcMethod.LEADER_QUERY, Endpoint.NODE, new byte[0]);
            int soFar = run + 1;
            Leaks.await("it has asked", () -> asked.get() == soFar);
            if (run % 2 == 0) peer.socket.shutdownOutput();
            else peer.close();
        }
        later.tryEmitValue(RpcMessage.of(Empty.getDefaultInstance()));

        assertQuiet();
    }
}
