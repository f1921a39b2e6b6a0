package io.daosmesh.telemetry.web;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/** Wrong passwords of each address within a minute: testing one takes a processor a tenth of a second. Any thread. */
final class Failures {
    static final int PER_MINUTE_MAX = 10;
    /** Addresses remembered; the one that failed first is forgotten. */
    private static final int ADDRESSES_MAX = 1024;

    private static final long MINUTE_NS = TimeUnit.MINUTES.toNanos(1);

    private record Count(long sinceNs, int failed) {}

    private final ReentrantLock lock = new ReentrantLock();
    private final Map<String, Count> counts = new LinkedHashMap<>();

    boolean mayTry(String origin, long nowNs) {
        lock.lock();
        try {
            Count count = counts.get(origin);
            if (count == null) return true;
            if (nowNs - count.sinceNs() < MINUTE_NS) return count.failed() < PER_MINUTE_MAX;
            counts.remove(origin);
            return true;
        } finally {
            lock.unlock();
        }
    }

    void add(String origin, long nowNs) {
        lock.lock();
        try {
            Count count = counts.getOrDefault(origin, new Count(nowNs, 0));
            counts.put(origin, new Count(count.sinceNs(), count.failed() + 1));
            if (counts.size() > ADDRESSES_MAX)
                counts.remove(counts.keySet().iterator().next());
        } finally {
            lock.unlock();
        }
    }
}
