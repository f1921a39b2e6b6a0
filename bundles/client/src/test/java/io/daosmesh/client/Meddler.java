package io.daosmesh.client;

import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.rpc.RpcReply;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/**
 * One client's way to the fake system, on which exactly one thing happens, at an object request of a given number: others
 * do something before it, or the request or its answer gets lost, for a try or for good.
 */
public final class Meddler implements Rpc {
    /** What becomes of the chosen request. */
    public enum Fate {
        DELIVERED,
        /** Lost before it was carried out; the client tries again. */
        LOST,
        /** Carried out, the answer is lost; the client tries again. */
        ANSWER_LOST,
        /** The client gives up, nothing was done. */
        FAILED_BEFORE,
        /** The client gives up, but it was done. */
        FAILED_AFTER,
        /** The client gives up, and it arrives when {@link #deliverLate} says. */
        LATE,
        /** The client's process ends with this request, which is done; it sends nothing any more. */
        CRASH_AFTER
    }

    private final FakeCluster cluster;
    private final AtomicInteger calls = new AtomicInteger();
    private final ConcurrentLinkedQueue<Mono<?>> late = new ConcurrentLinkedQueue<>();
    private volatile int chosen = -1;
    private volatile Fate fate = Fate.DELIVERED;
    private volatile Runnable others = () -> {};
    private volatile boolean hasCrashed;

    public Meddler(FakeCluster cluster) {
        this.cluster = cluster;
    }

    public ClientConfig config() {
        return ClientConfig.of(this, List.of(FakeCluster.address(0)))
                .withLimits(Duration.ofSeconds(20), Duration.ofMillis(200));
    }

    /** From now on: at the {@code number}-th request, first of all what others do, then the fate of it. */
    public void choose(int number, Fate its, Runnable first) {
        calls.set(0);
        fate = its;
        others = first;
        chosen = number;
    }

    /** True if the client came as far as the chosen request. */
    public boolean wasReached() {
        return calls.get() > chosen;
    }

    /** For a client that ends: waits until the chosen request is done, or the client came to its end without it. */
    public void awaitCrash(BooleanSupplier isOver, Duration longest) {
        long endNs = System.nanoTime() + longest.toNanos();
        while (!hasCrashed && !isOver.getAsBoolean()) {
            if (System.nanoTime() > endNs) throw new AssertionError("neither crashed nor over");
            LockSupport.parkNanos(1_000_000);
        }
    }

    public void deliverLate() {
        for (Mono<?> call : late) call.onErrorResume(e -> Mono.empty()).block();
    }

    @Override
    public <T> Mono<T> call(
            Endpoint to, RpcMethod method, RpcMessage request, Duration deadline, RpcReply.Decoder<T> decoder) {
        Mono<T> call = cluster.call(to, method, request, deadline, decoder);
        if (!FakeCluster.isForEngine(method)) return call;
        int number = calls.getAndIncrement();
        if (chosen >= 0 && fate == Fate.CRASH_AFTER && number > chosen) return Mono.never();
        if (number != chosen) return call;
        return Mono.fromRunnable(others)
                .subscribeOn(Schedulers.boundedElastic())
                .then(Mono.defer(() -> meet(call)));
    }

    private <T> Mono<T> meet(Mono<T> call) {
        Mono<T> lost = Mono.error(FakeCluster.fault(FaultCode.TIMEDOUT));
        Mono<T> given = Mono.error(FakeCluster.fault(FaultCode.IO));
        return switch (fate) {
            case DELIVERED -> call;
            case LOST -> lost;
            case ANSWER_LOST -> call.then(lost);
            case FAILED_BEFORE -> given;
            case FAILED_AFTER -> call.then(given);
            case CRASH_AFTER ->
                call.then(Mono.fromRunnable(() -> hasCrashed = true)).then(Mono.never());
            case LATE -> {
                late.add(call);
                yield given;
            }
        };
    }

    @Override
    public Mono<Void> fire(Endpoint to, RpcMethod method, RpcMessage request) {
        return cluster.fire(to, method, request);
    }

    @Override
    public <T> Flux<T> stream(Endpoint to, RpcMethod method, RpcMessage request, RpcReply.Decoder<T> decoder) {
        return cluster.stream(to, method, request, decoder);
    }

    @Override
    public AutoCloseable onPeerClosed(PeerListener listener) {
        return cluster.onPeerClosed(listener);
    }
}
