package io.daosmesh.engine.runtime;

import io.daosmesh.engine.object.Env;
import io.daosmesh.engine.object.Host;
import io.daosmesh.engine.object.PoolShard;
import io.daosmesh.engine.object.Target;
import io.daosmesh.engine.object.VosLatencies;
import io.daosmesh.engine.target.Answer;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.storage.BufferPool;
import io.daosmesh.storage.TargetStorage;
import java.util.Collection;
import java.util.UUID;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;
import reactor.core.publisher.MonoSink;

/** One target with its thread: the proxy that others hold. Any thread; everything is enqueued. */
final class TargetUnit {
    private final TargetStorage storage;
    private final TargetThread thread;
    private final Target target;
    private final TargetMetrics metrics = new TargetMetrics();
    private final BiConsumer<TargetUnit, Fault> onStopped;
    private volatile @Nullable Fault broken;

    /** @param onStopped told once when the target has stopped serving; any thread */
    TargetUnit(
            int rank,
            TargetStorage storage,
            BufferPool buffers,
            Host host,
            EngineContext context,
            BiConsumer<TargetUnit, Fault> onStopped) {
        this.storage = storage;
        this.onStopped = onStopped;
        String name = "engine-" + rank + "-target-" + storage.index();
        this.thread = new TargetThread(name, storage.kv(), this::onBroken, this::stopServing);
        RpcPeers peers = new RpcPeers(context, thread);
        this.target = new Target(
                new Env(rank, storage.index(), storage.kv(), buffers, thread.pipeline(), thread, peers, host));
    }

    private void onBroken(Throwable error) {
        if (error instanceof io.daosmesh.model.fault.Invariant.InvariantBroken)
            stopServing(Fault.of(FaultCode.IO, "%s", String.valueOf(error.getMessage())));
    }

    /** For good: until the engine starts anew. AGAIN, because another target leads as soon as this one is excluded. */
    private void stopServing(Fault why) {
        Fault stopped = Fault.of(FaultCode.AGAIN, "target %d has stopped: %s", storage.index(), why.message())
                .with("state", "stopped");
        synchronized (this) {
            if (broken != null) return;
            broken = stopped;
        }
        thread.execute(() -> target.stop(stopped));
        onStopped.accept(this, why);
    }

    TargetStorage storage() {
        return storage;
    }

    TargetMetrics metrics() {
        return metrics;
    }

    TargetThread thread() {
        return thread;
    }

    /** Any thread. */
    Collection<PoolShard> shards() {
        return target.shards();
    }

    /** Any thread: the index of the pool is damaged here, so the target serves nothing of it. */
    boolean hasFailed(UUID pool) {
        return shards().stream().anyMatch(s -> s.pool().equals(pool) && s.state() == PoolShard.State.FAILED);
    }

    VosLatencies latencies() {
        return target.latencies();
    }

    void start() {
        thread.start(target::onTick);
    }

    /** Runs on the loop; never refused. */
    void run(Consumer<Target> work) {
        thread.execute(() -> work.accept(target));
    }

    /** One request: BUSY when the queue is full. */
    <T> Mono<T> request(BiConsumer<Target, Answer<T>> work) {
        return Mono.create(sink -> {
            Fault stopped = broken;
            if (stopped != null) sink.error(stopped.asException());
            else if (!thread.offer(() -> answer(work, sink))) sink.error(busy().asException());
        });
    }

    private Fault busy() {
        return Fault.of(FaultCode.BUSY, "target %d has too many requests waiting", storage.index());
    }

    /** The same for this node's own work, which is bounded elsewhere. */
    <T> Mono<T> internal(BiConsumer<Target, Answer<T>> work) {
        return Mono.create(sink -> thread.execute(() -> answer(work, sink)));
    }

    private <T> void answer(BiConsumer<Target, Answer<T>> work, MonoSink<T> sink) {
        try {
            work.accept(target, (value, fault) -> {
                if (fault != null) sink.error(fault.asException());
                else if (value != null) sink.success(value);
                else sink.success();
            });
        } catch (FaultException e) {
            sink.error(e);
        } catch (RuntimeException | Error e) {
            sink.error(e);
            throw e;
        }
    }

    void stop(long waitMs) {
        thread.stop(waitMs);
    }
}
