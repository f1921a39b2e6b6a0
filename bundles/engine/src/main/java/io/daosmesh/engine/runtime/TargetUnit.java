package io.daosmesh.engine.runtime;

import io.daosmesh.engine.object.Env;
import io.daosmesh.engine.object.Host;
import io.daosmesh.engine.object.PoolShard;
import io.daosmesh.engine.object.Target;
import io.daosmesh.engine.target.Answer;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.storage.BufferPool;
import io.daosmesh.storage.TargetStorage;
import java.util.Collection;
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
    private volatile @Nullable Fault broken;

    TargetUnit(int rank, TargetStorage storage, BufferPool buffers, Host host, EngineContext context) {
        this.storage = storage;
        this.thread = new TargetThread("engine-" + rank + "-target-" + storage.index(), storage.kv(), this::onBroken);
        RpcPeers peers = new RpcPeers(context, thread);
        this.target = new Target(
                new Env(rank, storage.index(), storage.kv(), buffers, thread.pipeline(), thread, peers, host));
    }

    private void onBroken(Throwable error) {
        if (error instanceof io.daosmesh.model.fault.Invariant.InvariantBroken)
            broken = Fault.of(FaultCode.IO, "the target has stopped: %s", String.valueOf(error.getMessage()));
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

    void start() {
        thread.start(target::onTick);
    }

    /** Runs on the loop; never refused. */
    void run(Consumer<Target> work) {
        thread.execute(() -> work.accept(target));
    }

    /** One request: BUSY when the queue is full. */
    <T> Mono<T> request(java.util.function.BiConsumer<Target, Answer<T>> work) {
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
    <T> Mono<T> internal(java.util.function.BiConsumer<Target, Answer<T>> work) {
        return Mono.create(sink -> thread.execute(() -> answer(work, sink)));
    }

    private <T> void answer(java.util.function.BiConsumer<Target, Answer<T>> work, MonoSink<T> sink) {
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
