package io.daosmesh.transport;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import reactor.core.Disposable;
import reactor.core.scheduler.Scheduler;

/**
 * The timer of deadlines, most of which are called off. While many are set, its thread always has an earlier task: else nearly
 * each of them would wake it only to make it wait again. While few are set it sleeps. Any thread.
 */
final class SteadyTimer implements Scheduler {
    private static final long TICK_MS = 20;
    /** Deadlines that follow each other closer than this are worth a tick. */
    private static final long CLOSE_NS = TimeUnit.MILLISECONDS.toNanos(5);
    /** So many running; heartbeats and gossip come by twos and threes. */
    private static final int RUN = 16;
    /** Ticks without a deadline after which it sleeps. */
    private static final int IDLE_TICKS = 5;

    private final Scheduler thread;
    private final AtomicBoolean isTicking = new AtomicBoolean();
    private volatile long lastNs = System.nanoTime();
    /** May miss one of another thread: the next run starts the ticks as well. */
    private volatile int run;

    SteadyTimer(Scheduler thread) {
        this.thread = thread;
    }

    @Override
    public Disposable schedule(Runnable task) {
        return thread.schedule(task);
    }

    @Override
    public Disposable schedule(Runnable task, long after, TimeUnit unit) {
        long nowNs = System.nanoTime();
        boolean isClose = nowNs - lastNs < CLOSE_NS;
        lastNs = nowNs;
        if (!isTicking.get()) {
            int length = isClose ? run + 1 : 0;
            run = length;
            if (length >= RUN && isTicking.compareAndSet(false, true)) tickLater();
        }
        return thread.schedule(task, after, unit);
    }

    @Override
    public Disposable schedulePeriodically(Runnable task, long after, long every, TimeUnit unit) {
        return thread.schedulePeriodically(task, after, every, unit);
    }

    @Override
    public Worker createWorker() {
        return thread.createWorker();
    }

    boolean isTicking() {
        return isTicking.get();
    }

    private void tickLater() {
        thread.schedule(this::onTick, TICK_MS, TimeUnit.MILLISECONDS);
    }

    private void onTick() {
        if (System.nanoTime() - lastNs < IDLE_TICKS * TimeUnit.MILLISECONDS.toNanos(TICK_MS)) {
            tickLater();
        } else {
            run = 0;
            isTicking.set(false);
        }
    }

    @Override
    public void dispose() {
        thread.dispose();
    }

    @Override
    public boolean isDisposed() {
        return thread.isDisposed();
    }
}
