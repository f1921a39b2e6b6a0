package io.daosmesh.control.ras;

import io.daosmesh.model.wire.RasEventMessage;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * The newest events of this node, bounded: the oldest are forgotten. Any thread (readers are tools on transport threads);
 * one short lock. Sequences grow over restarts because they start from the clock.
 */
final class RasRing {
    private final int eventsMax;
    private final Deque<RasEventMessage> events = new ArrayDeque<>();
    private final List<Runnable> readers = new CopyOnWriteArrayList<>();
    private long last;

    /** @param firstSequence e.g. microseconds since 1970 at the start of this node */
    RasRing(int eventsMax, long firstSequence) {
        this.eventsMax = eventsMax;
        this.last = firstSequence;
    }

    RasEventMessage add(RasEventMessage event) {
        RasEventMessage numbered;
        synchronized (this) {
            numbered = event.toBuilder().setSequence(++last).build();
            events.addLast(numbered);
            if (events.size() > eventsMax) events.removeFirst();
        }
        readers.forEach(Runnable::run);
        return numbered;
    }

    synchronized long last() {
        return last;
    }

    /** Events after a sequence, oldest first; those forgotten are missing at the front. */
    synchronized List<RasEventMessage> after(long sequence, int countMax) {
        List<RasEventMessage> found = new ArrayList<>();
        for (RasEventMessage event : events) {
            if (event.getSequence() > sequence && found.size() < countMax) found.add(event);
        }
        return found;
    }

    /** How many events after {@code sequence} are already forgotten; a sequence from before this start tells nothing. */
    synchronized long lost(long sequence) {
        return Optional.ofNullable(events.peekFirst())
                .filter(first -> sequence > 0 && events.size() == eventsMax)
                .map(first -> Math.max(0, first.getSequence() - 1 - sequence))
                .orElse(0L);
    }

    /** Runs {@code onEvent} after each new event on the thread that raised it; it must not block. */
    AutoCloseable listen(Runnable onEvent) {
        readers.add(onEvent);
        return () -> readers.remove(onEvent);
    }
}
