package io.daosmesh.telemetry.http;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Counts what was refused and says so once a minute: whoever sends nonsense must not fill the log. Any thread. */
final class Refusals {
    private static final Logger log = LoggerFactory.getLogger(Refusals.class);
    private static final long PAUSE_NS = TimeUnit.MINUTES.toNanos(1);

    private final AtomicLong count = new AtomicLong();
    private final AtomicLong told = new AtomicLong();
    private final AtomicLong nextNs = new AtomicLong(System.nanoTime());

    void add(String origin, String reason) {
        long all = count.incrementAndGet();
        long nowNs = System.nanoTime();
        long due = nextNs.get();
        if (nowNs - due < 0 || !nextNs.compareAndSet(due, nowNs + PAUSE_NS)) return;
        long before = told.getAndSet(all);
        log.warn("{} requests for metrics refused or cut off, the last from {}: {}", all - before, origin, reason);
    }

    long count() {
        return count.get();
    }
}
