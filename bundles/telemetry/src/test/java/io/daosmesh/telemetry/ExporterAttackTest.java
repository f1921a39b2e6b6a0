package io.daosmesh.telemetry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.metric.MetricSource;
import io.daosmesh.telemetry.http.Limits;
import io.daosmesh.telemetry.web.WebAccess;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Strangers on bare sockets against the page, while someone honest keeps asking. */
@Timeout(60)
class ExporterAttackTest {
    private static final String STRANGER = "127.0.0.2";
    private static final String HONEST = "127.0.0.1";
    private static final Limits LIMITS = new Limits(32, 8, 1_500, 3_000, 8 << 20);
    /** Prometheus gives up after 10 s; a page that is not attacked answers in some milliseconds. */
    private static final long SCRAPE_MAX_MS = 2_000;

    private final Set<MetricSource> sources = ConcurrentHashMap.newKeySet();
    private Exporter exporter;
    private Attackers attackers;

    @BeforeEach
    void open() throws IOException {
        exporter = new Exporter(
                new InetSocketAddress(InetAddress.getByName(HONEST), 0),
                sources,
                new WebAccess(Optional.empty()),
                LIMITS);
        attackers = new Attackers(exporter.port());
    }

    /** Nothing stays: first no connection, and when the page closes no thread. */
    @AfterEach
    void close() throws IOException {
        attackers.close();
        await(() -> exporter.connectionCount() == 0, "a connection stays behind");
        exporter.close();
        await(() -> threads() == 0, "a thread stays behind");
    }

    private static long threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(t -> t.isAlive() && t.getName().startsWith("daos-metrics"))
                .count();
    }

    private static void await(BooleanSupplier condition, String otherwise) {
        long endNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(15);
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() - endNs < 0, otherwise);
            Thread.onSpinWait();
        }
    }

    private void scrape(String from) throws IOException {
        long startNs = System.nanoTime();
        try (Socket socket = new Socket()) {
            socket.setSoTimeout((int) SCRAPE_MAX_MS);
            socket.bind(new InetSocketAddress(InetAddress.getByName(from), 0));
            socket.connect(new InetSocketAddress(InetAddress.getByName(HONEST), exporter.port()), 2_000);
            socket.getOutputStream()
                    .write("GET /metrics HTTP/1.1\r\nHost: node\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            String text = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertTrue(
                    text.startsWith("HTTP/1.1 200 "),
                    () -> text.lines().findFirst().orElse("nothing"));
            assertTrue(text.endsWith("\n") && text.contains("process_start_time_seconds"), "a part of the answer");
        }
        long tookMs = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNs);
        assertTrue(tookMs < SCRAPE_MAX_MS, "a scrape took " + tookMs + " ms");
    }

    @ParameterizedTest
    @CsvSource({
        "8, 127.0.0.2, 'GET /met'",
        "200, 127.0.0.2, 'GET /met'",
        "200, 127.0.0.2, 'GET /metrics HTTP/1.1\r\nHost: a\r\n'",
        "200, 127.0.0.2, ''",
        "200, 127.0.0.1, 'GET /met'",
        "200, 127.0.0.1, ''"
    })
    void shouldAnswerWhileOthersSendHalfOfTheirRequest(int count, String from, String half) throws IOException {
        for (int i = 0; i < count; i++) {
            attackers.say(from, half);
            if (i % 20 == 0) scrape(HONEST);
        }

        for (int i = 0; i < 5; i++) scrape(HONEST);
        await(
                () -> exporter.connectionCount() <= LIMITS.connectionsPerAddressMax() + 1,
                "more connections of one address than there may be");
        for (Socket s : attackers.all()) assertEquals("", Attackers.answer(s));
    }

    @Test
    void shouldAnswerWhileManyAddressesSendHalfOfTheirRequest() throws IOException {
        for (int address = 2; address < 60; address++) {
            for (int i = 0; i < 5; i++) attackers.say("127.0.0." + address, "GET /met");
        }

        scrape(HONEST);
        assertTrue(exporter.connectionCount() <= LIMITS.connectionsMax());
    }

    /** The threads of those who were cut off for a newcomer may take a while to end. */
    @Test
    void shouldKeepNewcomerWaitingUntilPlaceIsFree() throws IOException {
        exporter.close();
        Limits two = new Limits(2, 2, 10_000, 10_000, 8 << 20);
        InetSocketAddress any = new InetSocketAddress(InetAddress.getByName(HONEST), 0);
        exporter = new Exporter(any, sources, new WebAccess(Optional.empty()), two);
        attackers = new Attackers(exporter.port());
        String ask = "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";
        CountDownLatch collecting = new CountDownLatch(1);
        CountDownLatch mayGoOn = new CountDownLatch(1);
        sources.add(sink -> {
            collecting.countDown();
            awaitQuietly(mayGoOn);
        });
        attackers.say("127.0.0.2", ask);
        attackers.say("127.0.0.3", ask);
        awaitQuietly(collecting);
        attackers.say("127.0.0.4", ask);
        attackers.say("127.0.0.5", ask);

        Socket last = attackers.say("127.0.0.6", ask);

        last.setSoTimeout(200);
        assertThrows(SocketTimeoutException.class, () -> last.getInputStream().read(), "it is not turned away");
        mayGoOn.countDown();
        last.setSoTimeout((int) SCRAPE_MAX_MS);
        assertTrue(Attackers.answer(last).startsWith("HTTP/1.1 200 "));
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            assertTrue(latch.await(10, TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {STRANGER, HONEST})
    void shouldAnswerWhileOthersDoNotRead(String from) throws IOException {
        sources.add(sink -> {
            for (int i = 0; i < 60_000; i++) sink.gauge("engine_many", "", Map.of("number", "" + i), i);
        });
        scrape(HONEST);

        for (int i = 0; i < 100; i++) {
            attackers.say(from, "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
            if (i % 20 == 0) scrape(HONEST);
        }

        scrape(HONEST);
    }

    @Test
    void shouldCutOffWhoDripsHisRequest() throws IOException {
        Socket dripping = attackers.say(STRANGER, "GET /metrics HTTP/1.1\r\n");
        long startNs = System.nanoTime();

        await(() -> !mayWrite(dripping, "a"), "the drip goes on");

        long tookMs = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNs);
        assertTrue(tookMs < 3 * LIMITS.requestMs(), "cut off after " + tookMs + " ms");
        scrape(HONEST);
    }

    /** Byte by byte, so slowly that the request does not grow too long. */
    private static boolean mayWrite(Socket socket, String text) {
        try {
            socket.setSoTimeout(20);
            socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
            return socket.getInputStream().read() >= 0;
        } catch (java.net.SocketTimeoutException e) {
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    static List<String> endless() {
        return List.of(
                "GET /metrics HTTP/1.1\r\nX-Long: ",
                "GET /metrics HTTP/1.1\r\nA: b\r\nX-Many: ",
                "GET /",
                "POST /metrics HTTP/1.1\r\nContent-Length: 9000000000\r\n\r\n",
                "POST /metrics HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n");
    }

    @ParameterizedTest
    @org.junit.jupiter.params.provider.MethodSource("endless")
    void shouldCutOffWhoNeverStops(String start) throws IOException {
        Socket socket = attackers.say(STRANGER, start);
        byte[] more = "x".repeat(4096).getBytes(StandardCharsets.US_ASCII);
        OutputStream out = socket.getOutputStream();
        long sent = 0;

        try {
            for (; sent < 64 << 20; sent += more.length) out.write(more);
        } catch (IOException e) {
            // hung up on
        }

        assertTrue(sent < 64 << 20, "took " + sent + " bytes");
        scrape(HONEST);
    }

    @ParameterizedTest
    @CsvSource({
        "400, 'GARBAGE\r\n\r\n'",
        "400, '\u0016\u0003\u0001\u0002\u0000'",
        "400, 'get /metrics HTTP/1.1\r\n\r\n'",
        "400, 'GET http://node/metrics HTTP/1.1\r\n\r\n'",
        "400, 'GET /%zz HTTP/1.1\r\n\r\n'",
        "505, 'GET /metrics HTTP/2.0\r\n\r\n'",
        "400, 'GET /metrics HTTP/1.1\r\nno field\r\n\r\n'",
        "400, 'GET /metrics HTTP/1.1\r\nA: b\r\n folded\r\n\r\n'",
        "400, 'GET /metrics HTTP/1.1\r\nA : b\r\n\r\n'",
        "413, 'GET /metrics HTTP/1.1\r\nContent-Length: 5\r\n\r\n'",
        "413, 'GET /metrics HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 7\r\n\r\n'",
        "413, 'GET /metrics HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n'",
        "404, 'GET /../../etc/passwd HTTP/1.1\r\n\r\n'",
        "405, 'DELETE /metrics HTTP/1.1\r\n\r\n'",
        "200, 'HEAD /metrics HTTP/1.1\r\n\r\n'",
        "200, 'GET /metrics HTTP/1.0\r\n\r\n'",
        "200, 'GET /metrics?name=x HTTP/1.1\r\nContent-Length: 0\r\n\r\n'",
        "200, 'GET /-/healthy HTTP/1.1\r\n\r\n'"
    })
    void shouldAnswerWithOneStatus(int status, String request) throws IOException {
        String answer = Attackers.answer(attackers.say(STRANGER, request));

        assertTrue(
                answer.startsWith("HTTP/1.1 " + status + " "),
                answer.lines().findFirst().orElse("nothing"));
        assertTrue(answer.contains("Connection: close\r\n"), answer);
    }

    @Test
    void shouldRefuseManyFields() throws IOException {
        String request = "GET /metrics HTTP/1.1\r\n" + "A: b\r\n".repeat(100) + "\r\n";

        assertTrue(Attackers.answer(attackers.say(STRANGER, request)).startsWith("HTTP/1.1 431 "));
    }

    /** One source that hangs holds up numbers, not threads. */
    @Test
    void shouldRefuseWhileASourceHangs() throws Exception {
        java.util.concurrent.CountDownLatch go = new java.util.concurrent.CountDownLatch(1);
        java.util.concurrent.CountDownLatch hangs = new java.util.concurrent.CountDownLatch(1);
        sources.add(sink -> {
            hangs.countDown();
            try {
                go.await(30, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        attackers.say(HONEST, "GET /metrics HTTP/1.1\r\n\r\n");
        assertTrue(hangs.await(10, TimeUnit.SECONDS));

        for (int i = 0; i < 50; i++) attackers.say(STRANGER, "GET /metrics HTTP/1.1\r\n\r\n");

        await(
                () -> exporter.connectionCount() <= LIMITS.connectionsPerAddressMax() + 1,
                "more connections of one address than there may be");
        assertTrue(threads() <= LIMITS.connectionsMax() + 2);
        go.countDown();
        sources.clear();
    }
}
