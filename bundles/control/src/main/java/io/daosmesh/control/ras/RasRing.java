package io.daosmesh.control.ras;

import io.daosmesh.model.wire.RasEventMessage;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * The newest events of this node, bounded: the oldest are forgotten. STATE_CHANGE events have room of their own, so that no flood
 * of others makes them forgotten. Any thread (readers are tools on transport threads); one short lock. Sequences grow over
 * restarts because they start from the clock.
 */
final class RasRing {
    private final int eventsMax;
    /** By sequence: who has read almost all must not walk over the rest for each new event. */
    private final NavigableMap<Long, RasEventMessage> changes = new TreeMap<>();

    private final NavigableMap<Long, RasEventMessage> others = new TreeMap<>();
    private final List<Runnable> readers = new CopyOnWriteArrayList<>();
    private volatile long last; // written under the lock
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
            numbered = event.toBuilder().setSequence(last + 1).build();
            NavigableMap<Long, RasEventMessage> events =
                    event.getType() == RasEventMessage.Type.STATE_CHANGE ? changes : others;
            events.put(numbered.getSequence(), numbered);
            if (events.size() > eventsMax) events.pollFirstEntry();
            last = numbered.getSequence();
        }
        readers.forEach(Runnable::run);
        return numbered;
    }

    long last() {
        return last;
    }

    /** Events after a sequence, oldest first; those forgotten are missing. */
    synchronized List<RasEventMessage> after(long sequence, int countMax) {
        List<RasEventMessage> found = new ArrayList<>();
        Iterator<RasEventMessage> a = changes.tailMap(sequence, false).values().iterator();
        Iterator<RasEventMessage> b = others.tailMap(sequence, false).values().iterator();
        RasEventMessage x = next(a);
        RasEventMessage y = next(b);
        while (found.size() < countMax && (x != null || y != null)) {
            if (y == null || (x != null && x.getSequence() < y.getSequence())) {
                found.add(x);
                x = next(a);
            } else {
                found.add(y);
                y = next(b);
            }
        }
        return found;
    }

    private static @Nullable RasEventMessage next(Iterator<RasEventMessage> events) {
        return events.hasNext() ? events.next() : null;
    }

    /** What a reader of a sequence has not had: so many are forgotten, then come these. */
    record News(long lostCount, List<RasEventMessage> events) {}

    /** Whether there is anything newer; without the lock, since every reader asks for every event. */
    boolean hasAfter(long sequence) {
        return last > Math.max(sequence, first);
    }

    /** @param sequence one from before this start tells nothing about what is forgotten */
    synchronized News news(long sequence, int countMax) {
        List<RasEventMessage> events = after(sequence, countMax);
        boolean isSilent = sequence <= first || events.isEmpty();
        return new News(isSilent ? 0 : events.get(0).getSequence() - 1 - sequence, events);
    }

    /** Runs {@code onEvent} after each new event on the thread that raised it; it must not block. */
    AutoCloseable listen(Runnable onEvent) {
        readers.add(onEvent);
        return () -> readers.remove(onEvent);
    }
}
