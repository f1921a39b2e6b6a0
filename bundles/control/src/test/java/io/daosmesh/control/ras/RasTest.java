package io.daosmesh.control.ras;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.metric.MetricSource;
import io.daosmesh.model.metric.StatsGauge;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.ras.RasEvent.Severity;
import io.daosmesh.model.ras.RasId;
import io.daosmesh.model.ras.RasLine;
import io.daosmesh.model.wire.RasEventMessage;
import io.daosmesh.model.wire.RasStreamRequest;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;

@Timeout(20)
class RasTest {
    private static final NodeConfig CONFIG = new NodeConfig(
            "daos_server",
            "127.0.0.1:10001",
            "127.0.0.1",
            10001,
            List.of("127.0.0.1:10001"),
            "/node1",
            0,
            Path.of("/nowhere"),
            new NodeConfig.Tls(true, false, Optional.empty(), Optional.empty(), Optional.empty()),
            List.of());

    /** Takes only what a test asks for. */
    private static final class Reader extends BaseSubscriber<RasEventMessage> {
        final List<RasEventMessage> got = new ArrayList<>();
        boolean done;

        @Override
        protected void hookOnSubscribe(Subscription subscription) {}

        @Override
        protected void hookOnNext(RasEventMessage event) {
            got.add(event);
        }

        @Override
        protected void hookOnComplete() {
            done = true;
        }
    }

    /** The alert on a dead engine asks for an increase: a series that begins at 1 has none. */
    @Test
    void shouldCountEveryEventFromZero() {
        RasJournal journal = new RasJournal(CONFIG, Map.of());
        try {
            Map<String, Double> before = counts(journal);
            journal.raise(RasId.ENGINE_DIED, Severity.ERROR, "gone", Map.of());

            for (RasId id : RasId.values()) assertEquals(0, before.get(id.label()), id.label());
            assertEquals(1, counts(journal).get("engine_died"));
        } finally {
            journal.stop();
        }
    }

    private static Map<String, Double> counts(RasJournal journal) {
        Map<String, Double> counts = new TreeMap<>();
        journal.collect(new MetricSource.Sink() {
            @Override
            public void counter(String name, String help, Map<String, String> labels, double value) {
                counts.put(labels.getOrDefault("id", name), value);
            }

            @Override
            public void gauge(String name, String help, Map<String, String> labels, double value) {}

            @Override
            public void stats(String name, String help, Map<String, String> labels, StatsGauge value) {}
        });
        return counts;
    }

    @Test
    void shouldSendNoMoreThanTheReaderAsksFor() {
        RasRing ring = ring(8, 5);
        Reader reader = new Reader();

        RasFeed.of(ring, RasStreamRequest.getDefaultInstance()).subscribe(reader);
        assertEquals(0, reader.got.size());
        reader.request(2);
        assertEquals(2, reader.got.size());
        assertFalse(reader.done);
        reader.request(10);

        assertEquals(5, reader.got.size());
        assertTrue(reader.done);
    }

    @Test
    void shouldTellASlowReaderHowManyEventsItMissed() {
        RasRing ring = ring(4, 2);
        Reader reader = new Reader();
        RasFeed.of(ring, RasStreamRequest.newBuilder().setFollow(true).build()).subscribe(reader);
        reader.request(2);

        for (int i = 0; i < 10; i++) ring.add(event("later" + i));
        reader.request(100);

        assertEquals(RasFeed.SKIPPED, reader.got.get(2).getId());
        assertTrue(
                reader.got.get(2).getMessage().startsWith("6 events"),
                reader.got.get(2).getMessage());
        assertEquals("later6", reader.got.get(3).getMessage());
        assertEquals(7, reader.got.size());
        assertFalse(reader.done);
        ring.add(event("live"));
        assertEquals("live", reader.got.get(7).getMessage());
        reader.cancel();
    }

    @Test
    void shouldGoOnAfterASequence() {
        RasRing ring = ring(8, 4);
        long second = ring.after(0, 8).get(1).getSequence();
        Reader reader = new Reader();

        RasFeed.of(ring, RasStreamRequest.newBuilder().setAfterSequence(second).build())
                .subscribe(reader);
        reader.request(100);

        assertEquals(2, reader.got.size());
    }

    @Test
    void shouldWriteTheLineOfTheAdministrationGuide() {
        RasEventMessage event = RasEventMessage.newBuilder()
                .setId("swim_rank_dead")
                .setTypeValue(0)
                .setSeverityValue(2)
                .setTimestampUs(1_637_501_551_747_408L)
                .setHost("wolf-112.wolf.hpdd.intel.com")
                .setMessage("SWIM marked rank as dead.")
                .putAllFields(Map.of("inc", "63a058833280000", "tid", "1", "pid", "253454", "rank", "6"))
                .build();

        assertEquals(
                "&&& RAS EVENT id: [swim_rank_dead] ts: [2021-11-21T13:32:31.747408+0000] host:"
                        + " [wolf-112.wolf.hpdd.intel.com] type: [STATE_CHANGE] sev: [NOTICE] msg: [SWIM marked rank as"
                        + " dead.] pid: [253454] tid: [1] rank: [6] inc: [63a058833280000]",
                RasLine.of(event, ZoneOffset.UTC));
        String long_ = RasLine.of(event("x".repeat(200) + "\n"), ZoneOffset.UTC);
        assertTrue(long_.contains("x".repeat(127) + "$]"), long_);
    }

    @Test
    void shouldSendEventsToSyslogAndIntoTheFeed() throws Exception {
        try (DatagramSocket daemon = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
            daemon.setSoTimeout(5_000);
            RasJournal journal = new RasJournal(CONFIG, Map.of("syslog", "127.0.0.1:" + daemon.getLocalPort()));

            journal.raise(RasId.SWIM_RANK_DEAD, Severity.NOTICE, "SWIM marked rank as dead.", Map.of("rank", "6"));

            DatagramPacket packet = new DatagramPacket(new byte[2048], 2048);
            daemon.receive(packet);
            String text = new String(packet.getData(), 0, packet.getLength(), StandardCharsets.UTF_8);
            assertTrue(text.startsWith("<29>daos_server["), text);
            assertTrue(text.contains("&&& RAS EVENT id: [swim_rank_dead]"), text);
            Reader reader = new Reader();
            journal.feed(RasStreamRequest.getDefaultInstance()).subscribe(reader);
            reader.request(10);
            assertEquals("6", reader.got.get(0).getFieldsOrThrow("rank"));
            assertEquals(1, reader.got.size());
            journal.stop();
        }
    }

    @Test
    void shouldHoldBackAFloodOfOneIdAndTellHowMuch() {
        RateLimit limit = new RateLimit();
        long second = 1_000_000_000L;
        int passed = 0;
        for (int i = 0; i < 1000; i++) if (limit.passes(RasId.DEVICE_MEDIA_ERROR, 5 * second)) passed++;

        assertEquals(RateLimit.EVENTS_MAX, passed);
        assertTrue(limit.passes(RasId.DEVICE_PLUGGED, 5 * second));
        for (int i = 0; i < 1000; i++) assertTrue(limit.passes(RasId.SWIM_RANK_DEAD, 5 * second));
        assertEquals(List.of(), limit.due(14 * second));
        assertEquals(List.of(new RateLimit.Held(RasId.DEVICE_MEDIA_ERROR, 900)), limit.due(15 * second));
        assertEquals(List.of(), limit.due(16 * second));
        assertTrue(limit.passes(RasId.DEVICE_MEDIA_ERROR, 16 * second));
    }

    /** As many as come in a second when everything goes wrong at once, and nobody reads. */
    @Test
    void shouldLoseNoStateChangeAmongTenThousandEvents() {
        RasJournal journal = new RasJournal(CONFIG, Map.of());
        List<RasEventMessage> sent = new ArrayList<>();
        journal.bindStates(sent::add);

        for (int i = 0; i < 10_000; i++) {
            if (i % 100 == 0)
                journal.raise(RasId.SWIM_RANK_DEAD, Severity.NOTICE, "dead", Map.of("rank", String.valueOf(i)));
            journal.raise(RasId.values()[i % RasId.values().length], Severity.NOTICE, "flood", Map.of());
        }
        journal.tellHeld(System.nanoTime() + 20_000_000_000L);

        Reader reader = new Reader();
        journal.feed(RasStreamRequest.getDefaultInstance()).subscribe(reader);
        reader.request(Long.MAX_VALUE);
        assertEquals(
                100,
                reader.got.stream().filter(e -> e.getMessage().equals("dead")).count());
        assertEquals(
                100, sent.stream().filter(e -> e.getMessage().equals("dead")).count());
        assertTrue(reader.got.size() <= 2 * 2048, "kept " + reader.got.size());
        assertTrue(reader.got.stream()
                .anyMatch(e -> e.getId().equals("ras_events_held")
                        && e.getFieldsOrDefault("data", "").startsWith("id=device_media_error count=")));
        journal.stop();
    }

    @Test
    void shouldKeepStateChangesForAManagementThatComesLater() {
        RasJournal journal = new RasJournal(CONFIG, Map.of());
        List<RasEventMessage> sent = new ArrayList<>();

        journal.raise(RasId.ENGINE_DIED, Severity.ERROR, "x", Map.of("rank", "1"));
        journal.raise(RasId.DEVICE_PLUGGED, Severity.NOTICE, "y", Map.of());
        journal.bindStates(sent::add);

        assertEquals(
                List.of("engine_died"),
                sent.stream().map(RasEventMessage::getId).toList());
        journal.stop();
    }

    @Test
    void shouldSendRfc5424OverTcpAndConnectAgain() throws Exception {
        try (ServerSocket daemon = new ServerSocket(0, 4, InetAddress.getLoopbackAddress())) {
            RasJournal journal = new RasJournal(CONFIG, Map.of("syslog", "tcp://127.0.0.1:" + daemon.getLocalPort()));
            journal.raise(RasId.SWIM_RANK_DEAD, Severity.NOTICE, "SWIM marked rank as dead.", Map.of("rank", "6"));
            String text = frame(daemon);
            assertTrue(
                    text.matches("<29>1 \\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6}[+-]\\d\\d:\\d\\d \\S+"
                            + " daos_server \\d+ swim_rank_dead - &&& RAS EVENT id: \\[swim_rank_dead\\] .*"),
                    text);

            // the daemon has closed the connection
            journal.raise(RasId.SWIM_RANK_ALIVE, Severity.NOTICE, "SWIM marked rank as alive.", Map.of("rank", "6"));

            assertTrue(frame(daemon).contains(" swim_rank_alive - "));
            journal.stop();
        }
    }

    /** One message with its count of octets; then the daemon hangs up. */
    private static String frame(ServerSocket daemon) throws Exception {
        daemon.setSoTimeout(10_000);
        try (Socket s = daemon.accept()) {
            s.setSoTimeout(10_000);
            StringBuilder length = new StringBuilder();
            for (int c = s.getInputStream().read();
                    c != ' ';
                    c = s.getInputStream().read()) length.append((char) c);
            return new String(
                    s.getInputStream().readNBytes(Integer.parseInt(length.toString())), StandardCharsets.UTF_8);
        }
    }

    private static RasRing ring(int max, int count) {
        RasRing ring = new RasRing(max, 1_000);
        for (int i = 0; i < count; i++) ring.add(event("event" + i));
        return ring;
    }

    private static RasEventMessage event(String message) {
        return RasEventMessage.newBuilder().setId("x").setMessage(message).build();
    }
}
