package io.daosmesh.engine.runtime;

import io.daosmesh.engine.target.Done;
import io.daosmesh.engine.target.TurnPipeline;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.storage.Blob;
import io.daosmesh.storage.kv.KvStore;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The thread of one target, and the thread that makes its turns durable meanwhile. Requests are bounded; completions of
 * what is under way are not refused, because their number is bounded by the requests.
 */
final class TargetThread implements TurnPipeline.Loop, TurnPipeline.TurnIo {
    /** Requests waiting for their turn; more are refused with BUSY. */
    static final int REQUESTS_MAX = 1024;

    private static final int TASKS_PER_TURN = 256;
    private static final long TICK_NS = 50_000_000L;
    private static final Logger log = LoggerFactory.getLogger(TargetThread.class);

    private final ConcurrentLinkedQueue<Runnable> queue = new ConcurrentLinkedQueue<>();
    private final AtomicInteger requests = new AtomicInteger();
    private final AtomicInteger unhandled = new AtomicInteger();
    private final AtomicReference<@Nullable Thread> parked = new AtomicReference<>();
    private final Thread thread;
    private final ExecutorService committer;
    private final KvStore kv;
    private final TurnPipeline pipeline;
    private final java.util.function.Consumer<Throwable> onBroken;
    private final java.util.function.Consumer<Fault> onIndexFailed;
    private Runnable onTick = () -> {};
    private volatile boolean isStopping;
    private long nextTickNs = System.nanoTime();

    /**
     * @param onBroken told, on the loop, of an error that nobody expected
     * @param onIndexFailed told, on any thread, that the index takes no writes any more
     */
    TargetThread(
            String name,
            KvStore kv,
            java.util.function.Consumer<Throwable> onBroken,
            java.util.function.Consumer<Fault> onIndexFailed) {
        this.kv = kv;
        this.onBroken = onBroken;
        this.onIndexFailed = onIndexFailed;
        this.pipeline = new TurnPipeline(this, this);
        this.thread = new Thread(this::run, name);
        this.thread.setDaemon(true);
        this.committer = Executors.newSingleThreadExecutor(r -> {
            Thread t = new Thread(r, name + "-commit");
            t.setDaemon(true);
            return t;
        });
    }

    TurnPipeline pipeline() {
        return pipeline;
    }

    void start(Runnable tick) {
        onTick = tick;
        thread.start();
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

    int waitingRequests() {
        return requests.get();
    }

    @Override
    public void execute(Runnable work) {
        queue.add(work);
        Thread t = parked.getAndSet(null);
        if (t != null) LockSupport.unpark(t);
    }

    private void run() {
        while (!isStopping || !queue.isEmpty()) {
            int done = 0;
            for (Runnable work = queue.poll(); work != null; work = queue.poll()) {
                guarded(work);
                if (++done == TASKS_PER_TURN) break;
            }
            guarded(pipeline::onDrained);
            long now = System.nanoTime();
            if (now - nextTickNs >= 0) {
                nextTickNs = now + TICK_NS;
                guarded(onTick);
                guarded(pipeline::onDrained);
            }
            if (done == 0) park(nextTickNs - now);
        }
    }

    private void park(long nanos) {
        parked.set(Thread.currentThread());
        if (queue.isEmpty() && !isStopping) LockSupport.parkNanos(this, Math.max(1, nanos));
        parked.set(null);
    }

    private void guarded(Runnable work) {
        try {
            work.run();
        } catch (FaultException e) {
            log.warn("{}: {}", thread.getName(), e.fault().message());
        } catch (RuntimeException | Error e) {
            log.error("{}: {}", thread.getName(), e.toString(), e);
            unhandled.incrementAndGet();
            onBroken.accept(e);
        }
    }

    @Override
    public void commit(TurnPipeline.Commit commit, Done done) {
        if (commit.flush().isEmpty()) {
            write(commit, done);
            return;
        }
        AtomicInteger pending = new AtomicInteger(commit.flush().size());
        AtomicReference<@Nullable Fault> failed = new AtomicReference<>();
        for (Blob blob : commit.flush()) {
            blob.flush(fault -> {
                if (fault != null) failed.compareAndSet(null, fault);
                if (pending.decrementAndGet() > 0) return;
                Fault f = failed.get();
                if (f != null) done.done(f);
                else write(commit, done);
            });
        }
    }

    private void write(TurnPipeline.Commit commit, Done done) {
        try {
            committer.execute(() -> {
                Fault fault = writeLate(commit);
                try {
                    if (fault == null) kv.write(commit.batch(), commit.isDurable());
                } catch (RuntimeException e) {
                    fault = indexFault(FaultException.faultOf(e));
                }
                done.done(fault);
            });
        } catch (RejectedExecutionException e) {
            done.done(Fault.of(FaultCode.AGAIN, "the engine restarts"));
        }
    }

    /** On this thread, or waited for: each request to a device is answered. */
    private static @Nullable Fault writeLate(TurnPipeline.Commit commit) {
        for (Map.Entry<Blob, List<Blob.Write>> e : commit.late().entrySet()) {
            CompletableFuture<Optional<Fault>> answer = new CompletableFuture<>();
            try {
                e.getKey().writeDurably(e.getValue(), fault -> answer.complete(Optional.ofNullable(fault)));
            } catch (RuntimeException broken) {
                // a driver that throws has answered nothing: the turn must end all the same
                return FaultException.faultOf(broken);
            }
            Optional<Fault> fault = answer.join();
            if (fault.isPresent()) return fault.get();
        }
        return null;
    }

    /**
     * What a failed write has left on the medium is unknown, so the target stops; whoever waits tries again elsewhere, where
     * the same update is recognised or done.
     */
    private Fault indexFault(Fault why) {
        // closed: the storage goes, nothing has failed
        if (why.code() != FaultCode.UNINIT) onIndexFailed.accept(why);
        return Fault.of(FaultCode.AGAIN, "nothing is written: %s", why.message());
    }

    /** Ends the threads; what is queued is still run. Bounded. */
    void stop(long waitMs) {
        isStopping = true;
        LockSupport.unpark(thread);
        try {
            thread.join(waitMs);
            committer.shutdown();
            if (!committer.awaitTermination(waitMs, TimeUnit.MILLISECONDS))
                log.warn("{}: a commit is still under way", thread.getName());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
