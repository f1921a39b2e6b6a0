package io.daosmesh.agent;

import com.google.protobuf.MessageLite;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.leader.LeaderSearch;
import io.daosmesh.model.leader.LeaderWalk;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.rpc.RpcReply;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/** Calls to whichever server answers. Any thread: atomic words. */
final class SystemCalls {
    private static final int ASKED_MAX = 16;
    private static final LeaderSearch.Manner ONCE = new LeaderSearch.Manner(1, 4, false, false, 0, 0);
    /** The first connection of a process may take longer than a call is waited for, and is there for the next one. */
    private static final LeaderSearch.Manner AGAIN = new LeaderSearch.Manner(4, 4, false, false, 100, 400);

    private static final Duration CALL_LIMIT = Duration.ofSeconds(2);

    private final Supplier<Rpc> rpc;
    private final List<String> configured;
    private final AtomicReference<List<String>> learned = new AtomicReference<>(List.of());

    /** @param rpc asked at each call: certificates are renewed while the agent runs */
    SystemCalls(Supplier<Rpc> rpc, List<String> configured) {
        this.rpc = rpc;
        this.configured = List.copyOf(configured);
    }

    /** Addresses that the system itself has told: asked after the configured ones. */
    void learn(List<String> addresses) {
        learned.set(List.copyOf(addresses));
    }

    /** One server after the other, a few rounds, until one gives an answer that another would not better. */
    <T> Mono<T> askAny(RpcMethod method, MessageLite request, RpcReply.Decoder<T> decoder) {
        return Mono.defer(() -> {
            Set<String> all = new LinkedHashSet<>(configured);
            all.addAll(learned.get());
            return walk(AGAIN, all.stream().limit(ASKED_MAX).toList())
                    .run((to, leftNs) -> call(to, method, request, decoder));
        });
    }

    /** The same of these servers once, following the hint of who leads. */
    <T> Mono<T> ask(List<String> servers, RpcMethod method, MessageLite request, RpcReply.Decoder<T> decoder) {
        return Mono.defer(() -> walk(ONCE, servers).run((to, leftNs) -> call(to, method, request, decoder)));
    }

    private static LeaderWalk walk(LeaderSearch.Manner manner, List<String> servers) {
        LeaderSearch search = new LeaderSearch(manner, "", Fault.of(FaultCode.NO_SERVICE));
        return new LeaderWalk(search, Mono.just(servers), () -> Long.MAX_VALUE, Schedulers.parallel());
    }

    private <T> Mono<T> call(String to, RpcMethod method, MessageLite request, RpcReply.Decoder<T> decoder) {
        return rpc.get().call(Endpoint.node(to), method, RpcMessage.of(request), CALL_LIMIT, decoder);
    }
}
