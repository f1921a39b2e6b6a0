package io.daosmesh.engine.runtime.loop;

import io.daosmesh.engine.turn.Done;
import io.daosmesh.engine.turn.TurnPipeline;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.storage.kv.KvBatch;
import io.daosmesh.storage.kv.KvStore;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One target's turns on one of the node's event loops, and the thread that makes them durable meanwhile. On the loop,
 * because the messages of a target come and go there: a turn is what has arrived together. Requests are bounded;
 * completions of what is under way are not refused, because their number is bounded by the requests.
 */
public final class TargetLoop implements TurnPipeline.Loop, TurnPipeline.TurnIo {
    /** Requests waiting for their turn; more are refused with BUSY. */
    static final int REQUESTS_MAX = 1024;

    /** Then the network has its turn, at the end of what is being done. */
    static final long TURN_MAX_NS = 2_000_000L;

    private static final long TICK_MS = 50;
    /** After two seconds without work, which is longer than a lease: an idle node leaves the processor alone. */
    private static final long IDLE_TICK_MS = 500;

    private static final int IDLE_TICKS = 40;
    /** Nothing was written: the storage goes, or its log is full. */
    private static final Set<FaultCode> WHOLE = Set.of(FaultCode.UNINIT, FaultCode.BUSY, FaultCode.CANCELED);

    private static final Logger log = LoggerFactory.getLogger(TargetLoop.class);

    private final ConcurrentLinkedQueue<Runnable> queue = new ConcurrentLinkedQueue<>();
    private final AtomicInteger requests = new AtomicInteger();
    /** A turn is coming, or will with the start. */
    private final AtomicBoolean isAwake = new AtomicBoolean(true);

    private final CountDownLatch ended = new CountDownLatch(1);
    private final String name;
    private final ScheduledExecutorService loop;
    private final ExecutorService committer;
    private final KvStore kv;
    private final TurnPipeline pipeline;
    private final Consumer<Throwable> onBroken;
    private final Consumer<Fault> onIndexFailed;
    private volatile @Nullable Future<?> tick;
    private Runnable onTick = () -> {};
    /** Since there was work. On the loop. */
    private int idleTicks;

    private volatile boolean isStopping;

    /**
     * @param onBroken told, on the loop, of an error that nobody expected
     * @param onIndexFailed told, on any thread, that the index takes no writes any more
     */
    TargetLoop(
            String name,
            ScheduledExecutorService loop,
            KvStore kv,
            Consumer<Throwable> onBroken,
            Consumer<Fault> onIndexFailed) {
        this.name = name;
        this.loop = loop;
        this.kv = kv;
        this.onBroken = onBroken;
        this.onIndexFailed = onIndexFailed;
        this.pipeline = new TurnPipeline(this, this);
        this.committer = Executors.newSingleThreadExecutor(r -> {
            Thread t = new Thread(r, name + "-commit");
            t.setDaemon(true);
            return t;
        });
    }

    public TurnPipeline pipeline() {
        return pipeline;
    }

    /** What was put on the loop before runs now. */
    void start(Runnable onTick) {
        try {
            this.onTick = onTick;
            tick = loop.schedule(this::onTick, TICK_MS, TimeUnit.MILLISECONDS);
            loop.execute(this::turn);
        } catch (RejectedExecutionException e) {
            ended.countDown();
        }
    }

    /** A request from outside; false when the queue is full or the loop has ended. */
    boolean offer(Runnable request) {
        if (isStopping) return false;
        if (requests.incrementAndGet() > REQUESTS_MAX) {
            requests.decrementAndGet();
            return false;
        }
        execute(() -> {
            requests.decrementAndGet();
            request.run();
        });
        return true;
    }

    public int waitingRequests() {
        return requests.get();
    }

    @Override
    public void execute(Runnable work) {
        queue.add(work);
        if (!isAwake.getAndSet(true)) wake(0);
    }

    /** Like {@link #execute}, but not before this time has passed. */
    void executeAfter(long delayNs, Runnable work) {
        try {
            loop.schedule(() -> execute(work), delayNs, TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException e) {
            // the transport is closed: nobody can be answered any more
            ended.countDown();
        }
    }

    /** @param delayNs 1: not before the network has had its turn */
    private void wake(long delayNs) {
        try {
            if (delayNs == 0) loop.execute(this::turn);
            else loop.schedule(this::turn, delayNs, TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException e) {
            // the transport is closed: nobody can be answered any more
            ended.countDown();
        }
    }

    private void turn() {
        if (ended.getCount() == 0) return;
        long startNs = System.nanoTime();
        Runnable work = queue.poll();
        if (work != null) onWork();
        while (work != null) {
            guarded(work);
            work = System.nanoTime() - startNs < TURN_MAX_NS ? queue.poll() : null;
        }
        guarded(pipeline::onDrained);
        isAwake.set(false);
        if (!queue.isEmpty()) {
            if (!isAwake.getAndSet(true)) wake(1);
        } else if (isStopping) {
            pipeline.abandon();
            ended.countDown();
        }
    }

    private void onWork() {
        Future<?> slow = tick;
        if (idleTicks >= IDLE_TICKS && slow != null && slow.cancel(false)) tickAfter(TICK_MS);
        idleTicks = 0;
    }

    private void onTick() {
        if (ended.getCount() == 0) return;
        guarded(onTick);
        guarded(() -> pipeline.onLook(System.nanoTime()));
        guarded(pipeline::onDrained);
        if (idleTicks < IDLE_TICKS) idleTicks++;
        tickAfter(idleTicks < IDLE_TICKS ? TICK_MS : IDLE_TICK_MS);
    }

    private void tickAfter(long ms) {
        try {
            if (!isStopping) tick = loop.schedule(this::onTick, ms, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            // the transport is closed: nobody can be answered any more
            ended.countDown();
        }
    }

    private void guarded(Runnable work) {
        try {
            work.run();
        } catch (FaultException e) {
            log.warn("{}: {}", name, e.fault().message());
        } catch (RuntimeException | Error e) {
            log.error("{}: {}", name, e.toString(), e);
            onBroken.accept(e);
        }
    }

    @Override
    public void commit(KvBatch batch, boolean isDurable, Done done) {
        try {
            committer.execute(() -> {
                Fault fault = null;
                try {
                    kv.write(batch, isDurable);
                } catch (RuntimeException e) {
                    fault = indexFault(FaultException.faultOf(e));
                }
                done.done(fault);
            });
        } catch (RejectedExecutionException e) {
            done.done(Fault.of(FaultCode.AGAIN, "the engine restarts"));
        }
    }

    /**
     * What a failed write has left on the medium is unknown, so the target stops; whoever waits tries again elsewhere, where
     * the same update is recognised or done.
     */
    private Fault indexFault(Fault why) {
        // the device of a value is out: nothing was written, and the index is whole
        if (why.code() == FaultCode.NVME_IO) return why;
        boolean isWhole = WHOLE.contains(why.code());
        if (!isWhole) onIndexFailed.accept(why);
        return Fault.of(FaultCode.AGAIN, "nothing is written: %s", why.message());
    }

    /** What is queued is still run. Bounded; not on the loop. */
    void stop(long waitMs) {
        isStopping = true;
        wake(0);
        Future<?> t = tick;
        if (t != null) t.cancel(false);
        try {
            if (t != null && !ended.await(waitMs, TimeUnit.MILLISECONDS)) log.warn("{}: the loop is still busy", name);
            committer.shutdown();
            if (!committer.awaitTermination(waitMs, TimeUnit.MILLISECONDS))
                log.warn("{}: a commit is still under way", name);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        ended.countDown();
    }
}
