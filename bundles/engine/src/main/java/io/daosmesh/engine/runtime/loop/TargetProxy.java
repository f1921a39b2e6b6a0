package io.daosmesh.engine.runtime.loop;

import io.daosmesh.engine.dtx.DtxRoom;
import io.daosmesh.engine.rank.Target;
import io.daosmesh.engine.read.Fetched;
import io.daosmesh.engine.read.ValueCache;
import io.daosmesh.engine.scrub.ScrubReport;
import io.daosmesh.engine.shard.Host;
import io.daosmesh.engine.shard.PoolShard;
import io.daosmesh.engine.shard.TargetContext;
import io.daosmesh.engine.turn.Answer;
import io.daosmesh.engine.turn.VosLatencies;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.port.RankIdentity;
import io.daosmesh.model.wire.FetchRequest;
import io.daosmesh.storage.EngineStorage;
import io.daosmesh.storage.PoolSpace;
import io.daosmesh.storage.TargetStorage;
import io.daosmesh.storage.kv.KvStore;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;
import reactor.core.publisher.MonoSink;

/** One target with its loop: the proxy that others hold. Any thread; everything but hot reads is enqueued. */
public final class TargetProxy {
    /** Argument of the fault of a target that an {@link io.daosmesh.model.fault.Invariant} has stopped. */
    public static final String ASSERTED = "asserted";

    /** Of the heap, for what an engine's targets remember of updates. */
    private static final int UPDATES_PART = 8;

    private final TargetStorage storage;
    private final TargetLoop loop;
    private final Target target;
    private final KvStore kv;
    private final TargetMetrics metrics = new TargetMetrics();
    private final BiConsumer<TargetProxy, Fault> onStopped;
    private volatile @Nullable Fault broken;

    /** @param onStopped told once when the target has stopped serving; any thread */
    public TargetProxy(
            RankIdentity identity,
            EngineStorage engine,
            int index,
            Host host,
            EngineContext context,
            BiConsumer<TargetProxy, Fault> onStopped) {
        this.storage = engine.target(index);
        this.kv = storage.takeKv();
        this.onStopped = onStopped;
        this.loop = new TargetLoop(
                "engine-" + identity.rank() + "-target-" + index,
                context.loops().loop(identity.engineIndex() * engine.targetCount() + index),
                kv,
                this::onBroken,
                this::stopServing);
        RpcPeers peers = new RpcPeers(context, loop);
        DtxRoom updates = DtxRoom.ofBytes(Runtime.getRuntime().maxMemory() / UPDATES_PART / engine.targetCount());
        TargetContext own = new TargetContext(
                identity.rank(), index, kv, storage.buffers(), loop.pipeline(), loop, peers, host, updates);
        long cacheBytes = context.settings().valueCacheBytes() / engine.targetCount();
        this.target = new Target(own, new ValueCache(engine.newBuffers(cacheBytes)));
    }

    private void onBroken(Throwable error) {
        if (error instanceof io.daosmesh.model.fault.Invariant.InvariantBroken)
            stopServing(Fault.of(FaultCode.IO, "%s", String.valueOf(error.getMessage()))
                    .with(ASSERTED, true));
    }

    /** For good: until the engine starts anew. AGAIN, because another target leads as soon as this one is excluded. */
    private void stopServing(Fault why) {
        Fault stopped = Fault.of(FaultCode.AGAIN, "target %d has stopped: %s", storage.index(), why.message())
                .with("state", "stopped");
        synchronized (this) {
            if (broken != null) return;
            broken = stopped;
        }
        loop.execute(() -> target.stop(stopped));
        onStopped.accept(this, why);
    }

    public TargetStorage storage() {
        return storage;
    }

    public TargetMetrics metrics() {
        return metrics;
    }

    public TargetLoop loop() {
        return loop;
    }

    /** Any thread. */
    public Collection<PoolShard> shards() {
        return target.shards();
    }

    /** Any thread: the index of the pool is damaged here, so the target serves nothing of it. */
    public boolean hasFailed(UUID pool) {
        return shards().stream().anyMatch(s -> s.pool().equals(pool) && s.state() == PoolShard.State.FAILED);
    }

    /** Any thread, by pool. */
    public Map<UUID, ScrubReport> scrubReports() {
        return target.scrubReports();
    }

    public VosLatencies latencies() {
        return target.latencies();
    }

    /** Reads the index on this thread, which may take long; before {@link #start}. */
    public void open(List<PoolSpace> spaces) {
        target.open(spaces);
    }

    /** @param onTick runs on the loop, every 50 ms while there is work and some times a second otherwise */
    public void start(Runnable onTick) {
        boolean wasWhole = kv.damage() == null;
        loop.start(() -> {
            Fault damage = wasWhole ? kv.damage() : null;
            // read errors are as final as write errors: what cannot be read must not be denied
            if (damage != null) stopServing(damage);
            target.onTick();
            onTick.run();
        });
    }

    public ValueCache cache() {
        return target.cache();
    }

    /** At once, on this thread; null = {@link #request} it. */
    public @Nullable Fetched hotFetch(FetchRequest r) {
        return broken == null ? target.hotFetch(r) : null;
    }

    /** Runs on the loop; never refused. */
    public void run(Consumer<Target> work) {
        loop.execute(() -> work.accept(target));
    }

    /** The same after a pause. */
    public void runAfter(long delayNs, Consumer<Target> work) {
        if (delayNs <= 0) run(work);
        else loop.executeAfter(delayNs, () -> work.accept(target));
    }

    /** Ends on the loop after this time; at once if there is none. */
    public Mono<Void> pause(long ns) {
        return ns <= 0 ? Mono.empty() : Mono.create(sink -> loop.executeAfter(ns, sink::success));
    }

    /** One request: BUSY when the queue is full. */
    public <T> Mono<T> request(BiConsumer<Target, Answer<T>> work) {
        return Mono.create(sink -> {
            Fault stopped = broken;
            if (stopped != null) sink.error(stopped.asException());
            else if (!loop.offer(() -> asked(work, sink))) sink.error(busy().asException());
        });
    }

    private <T> void asked(BiConsumer<Target, Answer<T>> work, MonoSink<T> sink) {
        target.setAsker(sink.contextView().getOrDefault(Asker.KEY, null));
        answer(work, sink);
        target.setAsker(null);
    }

    private Fault busy() {
        return Fault.of(FaultCode.BUSY, "target %d has too many requests waiting", storage.index());
    }

    /** The same for this node's own work, which is bounded elsewhere. */
    public <T> Mono<T> internal(BiConsumer<Target, Answer<T>> work) {
        return Mono.create(sink -> loop.execute(() -> answer(work, sink)));
    }

    private <T> void answer(BiConsumer<Target, Answer<T>> work, MonoSink<T> sink) {
        try {
            work.accept(target, (value, fault) -> {
                if (fault != null) sink.error(refusal(fault).asException());
                else if (value != null) sink.success(value);
                else sink.success();
            });
        } catch (FaultException e) {
            sink.error(refusal(e.fault()).asException());
        } catch (RuntimeException | Error e) {
            sink.error(e);
            throw e;
        }
    }

    /** Of an index that cannot be read whoever asks hears to try again: the target stops, another one leads soon. */
    private Fault refusal(Fault fault) {
        Fault damage = kv.damage();
        if (damage == null || fault.code() != damage.code()) return fault;
        return Fault.of(FaultCode.AGAIN, "target %d stops: %s", storage.index(), fault.message())
                .with("state", "stopped");
    }

    public void stop(long waitMs) {
        loop.stop(waitMs);
    }
}
