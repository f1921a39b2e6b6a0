package io.daosmesh.control.ras;

import io.daosmesh.model.wire.RasEventMessage;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * The newest events of this node, bounded: the oldest are forgotten. STATE_CHANGE events have room of their own, so that no flood
 * of others makes them forgotten. Any thread (readers are tools on transport threads); one short lock. Sequences grow over
 * restarts because they start from the clock.
 */
final class RasRing {
    private final int eventsMax;
    private final Deque<RasEventMessage> changes = new ArrayDeque<>();
    private final Deque<RasEventMessage> others = new ArrayDeque<>();
    private final List<Runnable> readers = new CopyOnWriteArrayList<>();
    private long last;
    private final long first;
    /** @param firstSequence e.g. microseconds since 1970 at the start of this node */
    RasRing(int eventsMax, long firstSequence) {
        this.eventsMax = eventsMax;
        this.first = firstSequence;
        this.last = firstSequence;
    }

    RasEventMessage add(RasEventMessage event) {
        RasEventMessage numbered;
        synchronized (this) {
            numbered = event.toBuilder().setSequence(++last).build();
            Deque<RasEventMessage> events = event.getType() == RasEventMessage.Type.STATE_CHANGE ? changes : others;
            events.addLast(numbered);
            if (events.size() > eventsMax) events.removeFirst();
        }
        readers.forEach(Runnable::run);
        return numbered;
    }

    synchronized long last() {
        return last;
    }

    /** Events after a sequence, oldest first; those forgotten are missing. */
    synchronized List<RasEventMessage> after(long sequence, int countMax) {
        List<RasEventMessage> found = new ArrayList<>();
        Iterator<RasEventMessage> a = changes.iterator();
        Iterator<RasEventMessage> b = others.iterator();
        RasEventMessage x = next(a, sequence);
        RasEventMessage y = next(b, sequence);
        while (found.size() < countMax && (x != null || y != null)) {
            if (y == null || (x != null && x.getSequence() < y.getSequence())) {
                found.add(x);
                x = next(a, sequence);
            } else {
                found.add(y);
                y = next(b, sequence);
            }
        }
        return found;
    }

    private static @Nullable RasEventMessage next(Iterator<RasEventMessage> events, long sequence) {
        while (events.hasNext()) {
            RasEventMessage e = events.next();
            if (e.getSequence() > sequence) return e;
        }
        return null;
    }

    /**
     * How many events between {@code sequence} and the next one that is kept are forgotten; a sequence from before this start
     * tells nothing.
     */
    synchronized long lost(long sequence) {
        if (sequence <= first) return 0;
        List<RasEventMessage> next = after(sequence, 1);
        return next.isEmpty() ? 0 : next.get(0).getSequence() - 1 - sequence;
    }

    /** Runs {@code onEvent} after each new event on the thread that raised it; it must not block. */
    AutoCloseable listen(Runnable onEvent) {
        readers.add(onEvent);
        return () -> readers.remove(onEvent);
    }
}
