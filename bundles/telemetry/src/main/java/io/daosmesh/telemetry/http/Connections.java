package io.daosmesh.telemetry.http;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Who is connected, and who has to go when there are too many: of the address that has the most, the one that waits longest
 * without a complete request, else the one that has read longest. So a newcomer always gets in, and whoever fills the place
 * loses his own. Any thread: the accepting one and those of the connections.
 *
 * @param <C> a connection
 */
final class Connections<C> {
    private final Limits limits;
    private final ReentrantLock lock = new ReentrantLock();
    // in the order of arrival
    private final Map<C, Entry> all = new LinkedHashMap<>();

    private static final class Entry {
        final String origin;
        boolean isAnswered;
        long answerBytes;

        Entry(String origin) {
            this.origin = origin;
        }
    }

    Connections(Limits limits) {
        this.limits = limits;
    }

    /** Takes it in. Returns those that the caller has to cut for it; they are out already. */
    List<C> admit(C connection, String origin) {
        lock.lock();
        try {
            List<C> victims = new ArrayList<>();
            Map<String, Integer> counts = counts();
            if (counts.getOrDefault(origin, 0) >= limits.connectionsPerAddressMax()) victims.add(out(origin));
            else if (all.size() >= limits.connectionsMax()) victims.add(out(largest(counts)));
            all.put(connection, new Entry(origin));
            return victims;
        } finally {
            lock.unlock();
        }
    }

    /** Its request is complete. */
    void answering(C connection) {
        lock.lock();
        try {
            Entry entry = all.get(connection);
            if (entry != null) entry.isAnswered = true;
        } finally {
            lock.unlock();
        }
    }

    /** Counts the bytes of its answer. Returns those that the caller has to cut because too many are under way. */
    List<C> sending(C connection, long bytes) {
        lock.lock();
        try {
            Entry own = all.get(connection);
            if (own == null) return List.of();
            own.answerBytes = bytes;
            List<C> victims = new ArrayList<>();
            while (all.values().stream().mapToLong(e -> e.answerBytes).sum() > limits.answerBytesMax()) {
                C victim = oldestSender(connection);
                if (victim == null) break; // a single answer is as large as it is
                all.remove(victim);
                victims.add(victim);
            }
            return victims;
        } finally {
            lock.unlock();
        }
    }

    void remove(C connection) {
        lock.lock();
        try {
            all.remove(connection);
        } finally {
            lock.unlock();
        }
    }

    List<C> list() {
        lock.lock();
        try {
            return List.copyOf(all.keySet());
        } finally {
            lock.unlock();
        }
    }

    private C out(String origin) {
        C found = null;
        for (Map.Entry<C, Entry> e : all.entrySet()) {
            if (!e.getValue().origin.equals(origin)) continue;
            if (found == null) found = e.getKey();
            if (!e.getValue().isAnswered) {
                found = e.getKey();
                break;
            }
        }
        if (found == null) throw new IllegalStateException("nobody of " + origin);
        all.remove(found);
        return found;
    }

    private @Nullable C oldestSender(C except) {
        Map<String, Integer> counts = counts();
        return all.entrySet().stream()
                .filter(e -> e.getValue().answerBytes > 0 && !e.getKey().equals(except))
                .max(Comparator.comparingInt((Map.Entry<C, Entry> e) -> counts.getOrDefault(e.getValue().origin, 0)))
                .map(Map.Entry::getKey)
                .orElse(null);
    }

    private Map<String, Integer> counts() {
        Map<String, Integer> counts = new LinkedHashMap<>();
        all.values().forEach(e -> counts.merge(e.origin, 1, Integer::sum));
        return counts;
    }

    private static String largest(Map<String, Integer> counts) {
        return counts.entrySet().stream()
                .max(Map.Entry.comparingByValue())
                .map(Map.Entry::getKey)
                .orElseThrow();
    }
}
