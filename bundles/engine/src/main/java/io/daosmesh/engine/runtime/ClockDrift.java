package io.daosmesh.engine.runtime;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.ras.RasId;
import io.daosmesh.model.time.Hlc;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A clock that is behind what is stored, because it is slow or was set back: at a start it is waited for, since the records are
 * no worse for it; at work what is ahead of it is refused. Any thread.
 */
final class ClockDrift {
    /** Between two looks: a clock that is mended meanwhile ends the wait. */
    private static final long LOOK_MS_MAX = 100;
    /** A clock that stands still is given up so much after it should have been there. */
    private static final long STILL_MS_MAX = 1_000;

    private static final long EVENT_PAUSE_NS = TimeUnit.SECONDS.toNanos(10);
    private static final String REMEDY = "set the clock of the node (NTP), then start the engine again";
    private static final Logger log = LoggerFactory.getLogger(ClockDrift.class);

    /** Who is told of it: operators. */
    interface Events {
        void raise(RasId id, String message, Map<String, String> fields);
    }

    private final Hlc hlc;
    private final int rank;
    private final long waitMsMax;
    private final Events events;
    private final AtomicLong newestFound = new AtomicLong();
    private final AtomicLong raisedNs = new AtomicLong(System.nanoTime() - EVENT_PAUSE_NS);

    /** @param waitMsMax milliseconds that a start waits at most */
    ClockDrift(Hlc hlc, int rank, long waitMsMax, Events events) {
        this.hlc = hlc;
        this.rank = rank;
        this.waitMsMax = waitMsMax;
        this.events = events;
    }

    /** Of a record that came. HLC_SYNC when it is more than a second ahead. */
    void merge(long epoch) {
        try {
            hlc.merge(epoch);
        } catch (FaultException e) {
            long now = System.nanoTime();
            long last = raisedNs.get();
            if (now - last >= EVENT_PAUSE_NS && raisedNs.compareAndSet(last, now)) raise(millis(hlc.behindNs(epoch)));
            throw e;
        }
    }

    /** Of a record that a start has found. */
    void found(long epoch) {
        newestFound.accumulateAndGet(epoch, Math::max);
    }

    /**
     * Until the clock may give newer epochs than those found. Blocks; HLC_SYNC when that would last longer than allowed.
     *
     * @param pause for so many milliseconds
     */
    void awaitFound(LongConsumer pause) {
        long newest = newestFound.get();
        long firstMs = millis(hlc.behindNs(newest));
        if (firstMs > 0) raise(firstMs);
        long waitedMs = 0;
        for (long ms = firstMs; ms > 0; ms = millis(hlc.behindNs(newest))) {
            if (ms > waitMsMax || waitedMs > waitMsMax + STILL_MS_MAX)
                throw tooFar(ms).asException();
            long step = Math.min(ms, LOOK_MS_MAX);
            pause.accept(step);
            waitedMs += step;
        }
        hlc.merge(newest);
        if (waitedMs > 0) log.info("rank {}: waited {} ms for the clock", rank, waitedMs);
    }

    static void sleep(long ms) {
        try {
            TimeUnit.MILLISECONDS.sleep(ms);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw Fault.of(FaultCode.CANCELED, "stopped while it waited for the clock")
                    .asException();
        }
    }

    private Fault tooFar(long ms) {
        return Fault.of(
                        FaultCode.HLC_SYNC,
                        "the clock is %d ms behind the newest record, more than clock.drift.max.ms = %d",
                        ms,
                        waitMsMax)
                .remedy(REMEDY);
    }

    private void raise(long driftMs) {
        String message = "the clock of rank " + rank + " is " + driftMs + " ms behind the data";
        log.warn("{}", message);
        events.raise(
                RasId.ENGINE_CLOCK_DRIFT,
                "clock drift detected",
                Map.of("rank", Integer.toString(rank), "data", message));
    }

    private static long millis(long ns) {
        return (ns + 999_999) / 1_000_000;
    }
}
