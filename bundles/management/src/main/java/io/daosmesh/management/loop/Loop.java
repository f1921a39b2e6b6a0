package io.daosmesh.management.loop;

import io.daosmesh.model.fault.FaultException;
import java.time.Duration;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/** The management thread: listeners are called and maps compared on it. Nothing on it blocks. Any thread may hand work over. */
public final class Loop implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Loop.class);

    /** Group additions, removals and openings wait for the disk; a few at once are enough. */
    private static final int BLOCKING_MAX = 4;

    private static final int WAITING_MAX = 256;

    private final long startedNs = System.nanoTime();
    private final ScheduledThreadPoolExecutor executor;
    private final Scheduler scheduler;
    private final Scheduler blocking =
            Schedulers.newBoundedElastic(BLOCKING_MAX, WAITING_MAX, "daosmesh-management-io", 30, true);

    public Loop() {
        executor = new ScheduledThreadPoolExecutor(1, work -> {
            Thread t = new Thread(work, "daosmesh-management");
            t.setDaemon(true);
            return t;
        });
        executor.setRemoveOnCancelPolicy(true);
        executor.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        scheduler = Schedulers.fromExecutorService(executor, "daosmesh-management");
    }

    /** Nanoseconds since the start of the node's management. */
    public long upNs() {
        return System.nanoTime() - startedNs;
    }

    /** For timers and hops of reactive flows. */
    public Scheduler scheduler() {
        return scheduler;
    }

    public Scheduler blocking() {
        return blocking;
    }

    public void run(Runnable work) {
        try {
            executor.execute(() -> guarded(work));
        } catch (RejectedExecutionException closed) {
            LOG.debug("work after the end is dropped");
        }
    }

    public void every(Duration period, Runnable work) {
        executor.scheduleWithFixedDelay(
                () -> guarded(work), period.toMillis(), period.toMillis(), TimeUnit.MILLISECONDS);
    }

    public void after(Duration delay, Runnable work) {
        try {
            executor.schedule(() -> guarded(work), delay.toMillis(), TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException closed) {
            LOG.debug("work after the end is dropped");
        }
    }

    /** Logs what nobody waits for. */
    public static void drop(String what, Throwable error) {
        LOG.debug("{}: {}", what, FaultException.faultOf(error).message());
    }

    private static void guarded(Runnable work) {
        try {
            work.run();
        } catch (RuntimeException e) {
            LOG.error("management work failed", e);
        }
    }

    @Override
    public void close() {
        scheduler.dispose();
        blocking.dispose();
        executor.shutdownNow();
        try {
            if (!executor.awaitTermination(3, TimeUnit.SECONDS)) LOG.warn("the management thread does not end");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
