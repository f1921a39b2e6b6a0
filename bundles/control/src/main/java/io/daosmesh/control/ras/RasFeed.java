package io.daosmesh.control.ras;

import io.daosmesh.model.wire.RasEventMessage;
import io.daosmesh.model.wire.RasStreamRequest;
import java.util.concurrent.atomic.AtomicInteger;
import reactor.core.publisher.Flux;
import reactor.core.publisher.FluxSink;

/**
 * One reader of the ring: sends as much as the reader asks for. A reader slower than the ring gets one event
 * {@code ras_events_skipped} in place of those that were forgotten. Owner: the feed itself, drained by one thread at a time.
 */
final class RasFeed {
    static final String SKIPPED = "ras_events_skipped";
    private static final int BATCH_MAX = 64;

    private final RasRing ring;
    private final FluxSink<RasEventMessage> sink;
    private final boolean follow;
    private final long end;
    private final AtomicInteger wakeups = new AtomicInteger();
    private long position;

    private RasFeed(RasRing ring, RasStreamRequest request, FluxSink<RasEventMessage> sink) {
        this.ring = ring;
        this.sink = sink;
        this.follow = request.getFollow();
        this.position = request.getAfterSequence();
        this.end = ring.last();
    }

    static Flux<RasEventMessage> of(RasRing ring, RasStreamRequest request) {
        return Flux.create(
                sink -> {
                    RasFeed feed = new RasFeed(ring, request, sink);
                    AutoCloseable listening = ring.listen(feed::drain);
                    sink.onDispose(() -> close(listening));
                    sink.onRequest(n -> feed.drain());
                    feed.drain();
                },
                FluxSink.OverflowStrategy.IGNORE);
    }

    /** Whoever comes while another thread drains only leaves a note. */
    private void drain() {
        if (wakeups.getAndIncrement() != 0) return;
        int seen = 1;
        do {
            sendWhatIsWanted();
            seen = wakeups.addAndGet(-seen);
        } while (seen != 0);
    }

    private void sendWhatIsWanted() {
        while (!sink.isCancelled() && sink.requestedFromDownstream() > 0 && ring.hasAfter(position)) {
            var news = ring.news(position, (int) Math.min(BATCH_MAX, sink.requestedFromDownstream()));
            if (news.events().isEmpty()) break;
            if (news.lostCount() > 0) {
                sink.next(skipped(news.lostCount()));
                position += news.lostCount();
                continue;
            }
            boolean isFirst = true;
            for (RasEventMessage event : news.events()) {
                // what is missing before it is told first
                if (!isFirst && event.getSequence() > position + 1) break;
                sink.next(event);
                position = event.getSequence();
                isFirst = false;
            }
        }
        if (!follow && (position >= end || !ring.hasAfter(position))) sink.complete();
    }

    private static RasEventMessage skipped(long count) {
        return RasEventMessage.newBuilder()
                .setId(SKIPPED)
                .setType(RasEventMessage.Type.INFO_ONLY)
                .setSeverity(RasEventMessage.Severity.WARNING)
                .setTimestampUs(System.currentTimeMillis() * 1_000)
                .setMessage(count + " events were skipped: the node keeps the newest of each type only")
                .build();
    }

    private static void close(AutoCloseable listening) {
        try {
            listening.close();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
