package io.daosmesh.cli.events;

import io.daosmesh.model.wire.RasEventMessage;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Queue;
import reactor.core.publisher.Flux;

/**
 * Brings events of several nodes into the order of their times: each waits for {@link #HOLD_NS}, in which an older one of another
 * node may come. What comes later than that is shown when it comes. Bounded; pure but for {@link #of}. One thread at a time.
 */
public final class TimeOrder {
    /** Longer than events of one moment take to get here, shorter than an operator notices. */
    static final long HOLD_NS = 500_000_000L;

    static final int WAITING_MAX = 4096;
    private static final Duration TICK = Duration.ofMillis(100);

    private record Arrival(RasEventMessage event, long atNs) {}

    private final Queue<Arrival> arrivals = new ArrayDeque<>();
    private final PriorityQueue<RasEventMessage> waiting = new PriorityQueue<>(
            Comparator.comparingLong(RasEventMessage::getTimestampUs).thenComparingLong(RasEventMessage::getSequence));

    /** Asks for no more of {@code events} than the reader takes, besides what waits. */
    public static Flux<RasEventMessage> of(Flux<RasEventMessage> events) {
        TimeOrder order = new TimeOrder();
        Flux<Optional<RasEventMessage>> ticks =
                Flux.interval(TICK).onBackpressureDrop().map(i -> Optional.empty());
        return Flux.merge(events.map(Optional::of), ticks).concatMapIterable(e -> order.on(e, System.nanoTime()));
    }

    /** @param event empty: time has passed */
    List<RasEventMessage> on(Optional<RasEventMessage> event, long nowNs) {
        event.ifPresent(e -> {
            arrivals.add(new Arrival(e, nowNs));
            waiting.add(e);
        });
        List<RasEventMessage> due = new ArrayList<>();
        for (Arrival a = arrivals.peek(); a != null && isDue(a, nowNs); a = arrivals.peek()) {
            arrivals.remove();
            long us = a.event().getTimestampUs();
            while (!waiting.isEmpty() && waiting.peek().getTimestampUs() <= us) due.add(waiting.remove());
        }
        return due;
    }

    private boolean isDue(Arrival a, long nowNs) {
        return nowNs - a.atNs() >= HOLD_NS || arrivals.size() > WAITING_MAX;
    }
}
