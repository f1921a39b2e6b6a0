package io.daosmesh.management.runtime;

import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.port.Endpoint;
import io.daosmesh.model.port.Rpc;
import io.daosmesh.model.port.RpcMessage;
import io.daosmesh.model.port.RpcMethod;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

/**
 * Calls the leader of a replicated service, wherever it is: starts at any replica, follows hints, tries again after a pause
 * until the caller's deadline. Only for requests that may be repeated. Any thread.
 */
final class LeaderCaller {
    private static final int HINTS_AT_ONCE_MAX = 3;
    private static final long PAUSE_MIN_MS = 50;
    private static final long PAUSE_MAX_MS = 500;

    private final Rpc rpc;
    private final Loop loop;
    private final Supplier<Mono<List<String>>> candidates;
    private final AtomicInteger next = new AtomicInteger();
    /** Null: not known. */
    private volatile @Nullable String leader;

    LeaderCaller(Rpc rpc, Loop loop, Supplier<Mono<List<String>>> candidates) {
        this.rpc = rpc;
        this.loop = loop;
        this.candidates = candidates;
    }

    /** The last one that answered as a leader or was named as one. */
    Optional<String> leader() {
        return Optional.ofNullable(leader);
    }

    void hint(String address) {
        leader = address;
    }

    /** @param oneTry how long to wait for one replica before asking the next */
    <T> Mono<T> call(RpcMethod method, MessageLite body, Parser<T> parser, Duration oneTry, Duration all) {
        return Mono.defer(() ->
                attempt(new Request<>(method, body, parser, oneTry.toNanos(), System.nanoTime() + all.toNanos()), 0));
    }

    private <T> Mono<T> attempt(Request<T> r, int tries) {
        String known = leader;
        Mono<String> where = known != null ? Mono.just(known) : candidates.get().flatMap(this::pick);
        return where.materialize().flatMap(found -> {
            String to = found.get();
            if (to != null) return ask(r, tries, to);
            Throwable e = found.getThrowable();
            return recover(r, tries, "", e == null ? Fault.of(FaultCode.NO_SERVICE) : FaultException.faultOf(e));
        });
    }

    private Mono<String> pick(List<String> addresses) {
        if (addresses.isEmpty())
            return Mono.error(Fault.of(FaultCode.NO_SERVICE).asException());
        return Mono.just(addresses.get(Math.floorMod(next.getAndIncrement(), addresses.size())));
    }

    private <T> Mono<T> ask(Request<T> r, int tries, String to) {
        long leftNs = r.endNs - System.nanoTime();
        if (leftNs <= 0)
            return Mono.error(
                    Fault.of(FaultCode.TIMEDOUT, "no leader answered in time").asException());
        return rpc.call(
                        Endpoint.node(to),
                        r.method,
                        RpcMessage.of(r.body),
                        Duration.ofNanos(Math.min(leftNs, r.oneTryNs)),
                        reply -> r.parser.parseFrom(reply.body()))
                .doOnNext(x -> leader = to)
                .onErrorResume(e -> recover(r, tries, to, FaultException.faultOf(e)));
    }

    private <T> Mono<T> recover(Request<T> r, int tries, String to, Fault f) {
        switch (f.code()) {
            case NOTLEADER, NOTREPLICA, NO_SERVICE, UNREACH, TIMEDOUT, AGAIN, BUSY, UNINIT, OOG -> {}
            default -> {
                return Mono.error(f.asException());
            }
        }
        Optional<String> hint = f.code() == FaultCode.NOTLEADER || f.code() == FaultCode.NOTREPLICA
                ? f.argument("leader").filter(h -> !h.isEmpty() && !h.equals(to))
                : Optional.empty();
        leader = hint.orElse(f.code() == FaultCode.BUSY || f.code() == FaultCode.AGAIN ? leader : null);
        if (f.code() == FaultCode.AGAIN && tries % 4 == 3) leader = null;
        long pauseMs = hint.isPresent() && tries < HINTS_AT_ONCE_MAX
                ? 0
                : Math.min(PAUSE_MAX_MS, PAUSE_MIN_MS << Math.min(tries, 8));
        if (System.nanoTime() + pauseMs * 1_000_000 >= r.endNs) return Mono.error(f.asException());
        if (pauseMs == 0) return Mono.defer(() -> attempt(r, tries + 1));
        return Mono.delay(Duration.ofMillis(pauseMs), loop.scheduler()).then(Mono.defer(() -> attempt(r, tries + 1)));
    }

    private record Request<T>(RpcMethod method, MessageLite body, Parser<T> parser, long oneTryNs, long endNs) {}
}
