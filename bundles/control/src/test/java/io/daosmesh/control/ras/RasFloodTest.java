package io.daosmesh.control.ras;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.wire.RasEventMessage;
import io.daosmesh.model.wire.RasStreamRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;

/** Events from several threads as fast as they can, before readers of which some take nothing. */
@Timeout(60)
class RasFloodTest {
    /** What one node tells in a second when everything goes wrong at once. */
    private static final int EVENTS = 10_000;

    private static final int THREADS = 4;
    private static final int KEPT = 2048;
    private static final int CHANGE_EVERY = 10;
    private static final int QUICK = 8;
    private static final int STUCK = 24;

    private final RasRing ring = new RasRing(KEPT, 1_000);
    private final List<Thread> threads = new ArrayList<>();

    @AfterEach
    void end() throws InterruptedException {
        for (Thread t : threads) t.join(TimeUnit.SECONDS.toMillis(20));
    }

    /** Drained by one thread at a time, which the feed promises; looked at after the threads have ended. */
    private static final class Reader extends BaseSubscriber<RasEventMessage> {
        private final long demand;
        final List<RasEventMessage> got = new ArrayList<>();

        Reader(long demand) {
            this.demand = demand;
        }

        @Override
        protected void hookOnSubscribe(Subscription subscription) {
            if (demand > 0) subscription.request(demand);
        }

        @Override
        protected void hookOnNext(RasEventMessage event) {
            got.add(event);
        }

        Set<String> texts(RasEventMessage.Type type) {
            Set<String> texts = new TreeSet<>();
            for (RasEventMessage e : got) if (e.getType() == type) texts.add(e.getMessage());
            return texts;
        }

        List<RasEventMessage> skips() {
            return got.stream().filter(e -> e.getId().equals(RasFeed.SKIPPED)).toList();
        }
    }

    @Test
    void shouldTellEachReaderEverythingOrWhatItMissed() throws InterruptedException {
        Reader quick = follow(new Reader(Long.MAX_VALUE));
        Reader stuck = follow(new Reader(0));
        Reader some = follow(new Reader(100));

        flood();

        assertEquals(0, stuck.got.size());
        assertEquals(100, some.got.size());
        some.request(EVENTS);
        for (Reader reader : List.of(quick, some)) {
            // every event is there once and in its order, or counted in its place
            assertEquals(EVENTS, reader.got.size() - reader.skips().size() + missed(reader));
            List<Long> sequences = reader.got.stream()
                    .filter(e -> !e.getId().equals(RasFeed.SKIPPED))
                    .map(RasEventMessage::getSequence)
                    .toList();
            assertEquals(sequences.stream().sorted().distinct().toList(), sequences);
            // changes have room of their own: a flood of others takes none of it
            assertEquals(
                    EVENTS / CHANGE_EVERY,
                    reader.texts(RasEventMessage.Type.STATE_CHANGE).size());
        }
        assertTrue(missed(some) > 0, "nothing was forgotten");
        assertTrue(some.got.size() <= 100 + 2 * KEPT + some.skips().size(), "kept " + some.got.size());
    }

    private static long missed(Reader reader) {
        return reader.skips().stream()
                .mapToLong(e -> Long.parseLong(e.getMessage().replaceFirst(" .*", "")))
                .sum();
    }

    /** Each new event costs a reader that has all the others a look at this one, not at all that are kept. */
    @Test
    void shouldNotWalkOverWhatAReaderHasRead() throws InterruptedException {
        for (int i = 0; i < QUICK; i++) follow(new Reader(Long.MAX_VALUE));
        for (int i = 0; i < STUCK; i++) follow(new Reader(0));
        long beginNs = System.nanoTime();

        flood();

        // a second is asked for; five let a busy machine pass
        double seconds = (System.nanoTime() - beginNs) / 1e9;
        assertTrue(seconds < 5, seconds + " s for " + EVENTS + " events");
    }

    private Reader follow(Reader reader) {
        RasFeed.of(ring, RasStreamRequest.newBuilder().setFollow(true).build()).subscribe(reader);
        return reader;
    }

    private void flood() throws InterruptedException {
        CountDownLatch begin = new CountDownLatch(1);
        for (int t = 0; t < THREADS; t++) {
            int from = t * (EVENTS / THREADS);
            Thread thread = new Thread(
                    () -> {
                        try {
                            begin.await();
                        } catch (InterruptedException e) {
                            return;
                        }
                        IntStream.range(from, from + EVENTS / THREADS).forEach(this::add);
                    },
                    "flood-" + t);
            threads.add(thread);
            thread.start();
        }
        begin.countDown();
        end();
    }

    private void add(int number) {
        boolean isChange = number % CHANGE_EVERY == 0;
        ring.add(RasEventMessage.newBuilder()
                .setId(isChange ? "swim_rank_dead" : "device_media_error")
                .setType(isChange ? RasEventMessage.Type.STATE_CHANGE : RasEventMessage.Type.INFO_ONLY)
                .setMessage("event " + number)
                .build());
    }
}
