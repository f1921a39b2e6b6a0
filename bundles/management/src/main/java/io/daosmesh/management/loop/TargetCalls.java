package io.daosmesh.management.loop;

import com.google.protobuf.MessageLite;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.rpc.RpcReply;
import io.daosmesh.model.wire.TargetCreateReply;
import io.daosmesh.model.wire.TargetCreateRequest;
import io.daosmesh.model.wire.TargetDestroyRequest;
import io.daosmesh.model.wire.TargetQueryReply;
import io.daosmesh.model.wire.TargetQueryRequest;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Has ranks make, show and remove their part of a pool. Any thread. */
public final class TargetCalls {
    private static final int AT_ONCE_MAX = 64;

    private final NodeContext node;

    public TargetCalls(NodeContext node) {
        this.node = node;
    }

    /**
     * On all of them, or the first fault, which names its rank: others may have done it, or be at it still. By rank the indexes
     * of targets that cannot serve for their device; ranks without any are left out.
     */
    public Mono<Map<Integer, List<Integer>>> create(Collection<Member> on, TargetCreateRequest request, Duration max) {
        return Flux.fromIterable(on)
                .flatMap(
                        m -> retried(
                                        m,
                                        RpcMethod.TARGET_CREATE,
                                        request,
                                        max,
                                        r -> TargetCreateReply.parseFrom(r.body()))
                                .map(reply -> Map.entry(m.rank(), reply.getOutIndexesList())),
                        AT_ONCE_MAX)
                .filter(e -> !e.getValue().isEmpty())
                .collectMap(Map.Entry::getKey, Map.Entry::getValue);
    }

    public Mono<Void> remove(Collection<Member> from, TargetDestroyRequest request, Duration max) {
        return Flux.fromIterable(from)
                .flatMap(m -> retried(m, RpcMethod.TARGET_DESTROY, request, max, r -> true), AT_ONCE_MAX)
                .then();
    }

    /** Asked once: what does not answer, or does not serve the pool, is a fault. */
    public Mono<TargetQueryReply> query(Member of, UUID pool, Duration max) {
        TargetQueryRequest request =
                TargetQueryRequest.newBuilder().setPool(Ids.bytes(pool)).build();
        return node.rpc()
                .call(
                        Endpoint.rank(of.address(), of.rank()),
                        RpcMethod.TARGET_QUERY,
                        RpcMessage.of(request),
                        max,
                        r -> TargetQueryReply.parseFrom(r.body()));
    }

    /** Whether a rank has a part of the pool; asked again while its engine starts. */
    public Mono<Boolean> has(Member m, UUID pool, Duration max) {
        TargetQueryRequest request =
                TargetQueryRequest.newBuilder().setPool(Ids.bytes(pool)).build();
        return retried(m, RpcMethod.TARGET_QUERY, request, max, r -> true)
                .onErrorResume(
                        e -> FaultException.faultOf(e).code() == FaultCode.NONEXIST ? Mono.just(false) : Mono.error(e));
    }

    /** A rank that has just joined may still be starting its engine: AGAIN is asked again until the deadline. */
    private <T> Mono<T> retried(
            Member m, RpcMethod method, MessageLite request, Duration max, RpcReply.Decoder<T> decoder) {
        long endNs = System.nanoTime() + max.toNanos();
        return Mono.defer(() -> node.rpc()
                        .call(Endpoint.rank(m.address(), m.rank()), method, RpcMessage.of(request), max, decoder))
                .retryWhen(Waits.retry(
                        node.loop(), endNs, c -> c == FaultCode.AGAIN || c == FaultCode.BUSY || c == FaultCode.OOG))
                .onErrorMap(e -> onRank(m, FaultException.faultOf(e)));
    }

    private static FaultException onRank(Member m, Fault f) {
        Fault named = new Fault(
                f.code(),
                "rank " + m.rank() + ": " + (f.text().isEmpty() ? f.code().meaning() : f.text()),
                f.arguments(),
                f.remedy());
        return named.asException();
    }
}
