package io.daosmesh.management.loop;

import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.leader.LeaderSearch;
import io.daosmesh.model.leader.LeaderWalk;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

/**
 * Calls the leader of a replicated service, wherever it is, as {@link LeaderSearch} finds it: starts at any replica and tries until the
 * caller's deadline. Only for requests that may be repeated. Any thread.
 */
public final class LeaderCaller {
    private static final LeaderSearch.Manner MANNER =
            new LeaderSearch.Manner(Integer.MAX_VALUE, 3, true, false, 50, 500);

    private final Rpc rpc;
    private final Loop loop;
    private final Supplier<Mono<List<String>>> candidates;
    private final AtomicInteger next = new AtomicInteger();
    /** Null: not known. */
    private volatile @Nullable String leader;

    public LeaderCaller(Rpc rpc, Loop loop, Supplier<Mono<List<String>>> candidates) {
        this.rpc = rpc;
        this.loop = loop;
        this.candidates = candidates;
    }

    /** The last one that answered as a leader or was named as one. */
    public Optional<String> leader() {
        return Optional.ofNullable(leader);
    }

    public void hint(String address) {
        leader = address;
    }

    /** @param oneTry how long to wait for one replica before asking the next */
    public <T> Mono<T> call(RpcMethod method, MessageLite body, Parser<T> parser, Duration oneTry, Duration all) {
        return Mono.defer(() -> {
            String known = leader;
            long endNs = System.nanoTime() + all.toNanos();
            LeaderSearch search = new LeaderSearch(
                    MANNER, known == null ? "" : known, Fault.of(FaultCode.TIMEDOUT, "no leader answered in time"));
            return new LeaderWalk(search, candidates(search), () -> endNs - System.nanoTime(), loop.scheduler())
                    .run((to, leftNs) -> {
                        remember(search.leader());
                        Duration limit = Duration.ofNanos(Math.min(leftNs, oneTry.toNanos()));
                        return rpc.call(
                                Endpoint.node(to),
                                method,
                                RpcMessage.of(body),
                                limit,
                                reply -> parser.parseFrom(reply.body()));
                    })
                    .doOnNext(x -> remember(search.asked()))
                    .doOnError(e -> remember(search.leader()));
        });
    }

    private void remember(String address) {
        leader = address.isEmpty() ? null : address;
    }

    private Mono<List<String>> candidates(LeaderSearch search) {
        return Mono.defer(candidates)
                .map(this::rotated)
                .switchIfEmpty(Mono.error(() -> Fault.of(FaultCode.NO_SERVICE).asException()))
                .onErrorResume(e -> {
                    search.onNobody(FaultException.faultOf(e));
                    return Mono.empty();
                });
    }

    private List<String> rotated(List<String> addresses) {
        List<String> all = new ArrayList<>(addresses);
        if (!all.isEmpty()) Collections.rotate(all, -Math.floorMod(next.getAndIncrement(), all.size()));
        return all;
    }
}
