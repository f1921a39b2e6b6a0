package io.daosmesh.client.hedge;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.IntUnaryOperator;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;

/**
 * All requests of a client that are under way. One timer looks at them now and then while there are any: a request that is
 * answered soon costs none, and no other thread. Any thread.
 */
public final class Watch {
    /** After so long it is looked whether somebody else leads by now: as long as a hedge waits at most. */
    static final long OVERDUE_NS = Hedging.DELAY_MAX_NS;

    /** Argument of the fault of a try that was given up since a newer map is there already. */
    public static final String MAP_IS_NEW = "map_is_new";

    private static final long TICK_MIN_NS = Hedging.DELAY_MIN_NS;
    private static final long TICK_MAX_NS = 25_000_000L;
    /** So long the timer goes on without requests: a client that reads one after the other starts it once. */
    private static final long IDLE_NS = 1_000_000_000L;

    private final Hedging hedging;
    private final LongSupplier clockNs;
    private final Scheduler timer;
    private final LongAdder hedges;
    private final LongAdder won;
    private final Set<Race<?>> open = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean isTicking = new AtomicBoolean();
    /** Of the timer. */
    private volatile long busyNs;

    /**
     * @param clockNs monotonic
     * @param hedges counts requests sent to another replica beside the first
     * @param won counts those of them that have answered first
     */
    public Watch(LongSupplier clockNs, Scheduler timer, LongAdder hedges, LongAdder won) {
        this.hedging = new Hedging(clockNs.getAsLong());
        this.clockNs = clockNs;
        this.timer = timer;
        this.hedges = hedges;
        this.won = won;
    }

    /** Whom a read asks; see {@link Hedging#choose}. */
    public Hedging.Choice choose(int count, IntUnaryOperator rankOf, int salt, boolean isFirstTry) {
        return hedging.choose(new Hedging.Holders(count, rankOf, salt), isFirstTry, clockNs.getAsLong());
    }

    /**
     * The request, watched: ends as it does, or with TIMEDOUT and {@link #MAP_IS_NEW} when it has waited for half a second and
     * by a newer map somebody else is to be asked.
     *
     * @param other a read is asked of it as well when it is late; null = of nobody
     */
    public <T> Mono<T> watch(Sent sent, Mono<T> request, @Nullable Alternative<T> other) {
        return Mono.create(sink -> {
            if (other != null) hedging.onSent();
            Race<T> race = new Race<>(this, sent, other, sink, clockNs.getAsLong());
            open.add(race);
            if (!isTicking.get() && isTicking.compareAndSet(false, true)) {
                busyNs = clockNs.getAsLong();
                tickLater();
            }
            race.start(request);
        });
    }

    private void tickLater() {
        long shortest = Math.min(hedging.delayNs(Hedging.Kind.SHORT), hedging.delayNs(Hedging.Kind.LONG));
        long ns = Math.max(TICK_MIN_NS, Math.min(TICK_MAX_NS, shortest / 2));
        timer.schedule(this::onTimer, ns, TimeUnit.NANOSECONDS);
    }

    private void onTimer() {
        boolean isOver = false;
        try {
            isOver = onTick();
        } finally {
            if (!isOver) tickLater();
        }
    }

    /** True if the timer has ended, since nothing has been under way for a while. */
    private boolean onTick() {
        long nowNs = clockNs.getAsLong();
        hedging.onTick(nowNs);
        for (Race<?> r : open) {
            try {
                r.onTick(nowNs);
            } catch (RuntimeException e) {
                r.fail(e);
            }
        }
        if (!open.isEmpty()) busyNs = nowNs;
        if (nowNs - busyNs < IDLE_NS) return false;
        isTicking.set(false);
        // one may have come in between that took the timer for a running one
        return open.isEmpty() || !isTicking.compareAndSet(false, true);
    }

    long delayNs(Sent sent) {
        Hedging.Kind kind = sent.kind();
        return kind == null ? Hedging.DELAY_MAX_NS : hedging.delayNs(kind);
    }

    boolean isAvoided(Sent sent, long nowNs) {
        return hedging.isAvoided(sent.rank(), nowNs);
    }

    boolean mayHedge() {
        return hedging.mayHedge();
    }

    void remove(Race<?> race) {
        open.remove(race);
    }

    void onFirst(Sent sent, long sentNs, boolean isInTime) {
        Hedging.Kind kind = sent.kind();
        long nowNs = clockNs.getAsLong();
        if (kind != null) hedging.onAnswered(kind, nowNs - sentNs);
        if (isInTime) hedging.onInTime(sent.rank(), nowNs);
    }

    void onSecond(Sent first, int second, boolean isFirstLate) {
        long nowNs = clockNs.getAsLong();
        if (isFirstLate) {
            won.increment();
            hedging.onOvertaken(first.rank(), nowNs);
        }
        hedging.onInTime(second, nowNs);
    }

    /** Nothing came from there. */
    void onLost(Sent first) {
        hedging.onOvertaken(first.rank(), clockNs.getAsLong());
    }

    /** @param isMoved the first is not waited for any more: no request beside it */
    void onHedge(Sent first, boolean isMoved) {
        if (isMoved) onLost(first);
        else hedges.increment();
    }

    /** Under way, for tests of what is left behind. */
    int openCount() {
        return open.size();
    }
}
