package io.daosmesh.agent;

import com.google.protobuf.MessageLite;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.port.Endpoint;
import io.daosmesh.model.port.Rpc;
import io.daosmesh.model.port.RpcMessage;
import io.daosmesh.model.port.RpcMethod;
import io.daosmesh.model.port.RpcReply;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import reactor.core.publisher.Mono;

/** Calls to whichever server answers. Any thread: atomic words. */
final class SystemCalls {
    private static final int ASKED_MAX = 16;
    static final int HINTS_MAX = 4;
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

    /** One server after the other, until one gives an answer that another would not better. */
    <T> Mono<T> askAny(RpcMethod method, MessageLite request, RpcReply.Decoder<T> decoder) {
        return Mono.defer(() -> {
            Set<String> all = new LinkedHashSet<>(configured);
            all.addAll(learned.get());
            return ask(all.stream().limit(ASKED_MAX).toList(), HINTS_MAX, method, request, decoder);
        });
    }

    /** The same of these servers, following the hint of who leads. */
    <T> Mono<T> ask(
            List<String> servers, int hintsLeft, RpcMethod method, MessageLite request, RpcReply.Decoder<T> decoder) {
        if (servers.isEmpty()) return Mono.error(Fault.of(FaultCode.NO_SERVICE).asException());
        Mono<T> first =
                rpc.get().call(Endpoint.node(servers.get(0)), method, RpcMessage.of(request), CALL_LIMIT, decoder);
        return first.onErrorResume(e -> {
            Fault fault = FaultException.faultOf(e);
            if (fault.code().retry() == FaultCode.Retry.NEVER) return Mono.error(e);
            List<String> rest = new ArrayList<>(servers.subList(1, servers.size()));
            Optional<String> hint = fault.argument("leader").filter(h -> h.contains(":") && !h.equals(servers.get(0)));
            int hints = hintsLeft;
            if (hint.isPresent() && hintsLeft > 0) {
                rest.remove(hint.get());
                rest.add(0, hint.get());
                hints--;
            }
            return rest.isEmpty() ? Mono.error(e) : ask(rest, hints, method, request, decoder);
        });
    }
}
