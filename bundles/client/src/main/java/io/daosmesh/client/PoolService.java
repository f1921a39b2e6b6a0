package io.daosmesh.client;

import com.google.protobuf.MessageLite;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.port.Endpoint;
import io.daosmesh.model.port.RpcMessage;
import io.daosmesh.model.port.RpcMethod;
import io.daosmesh.model.port.RpcReply;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolFindReply;
import io.daosmesh.model.wire.PoolRef;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/**
 * Calls to the service of one pool: finds its replicas, follows the hint to the leader. Any thread; every request it sends
 * may be sent again (reads, or changes that carry a request id).
 */
final class PoolService {
    /** Half a second of pauses: a server that has too much to do may have less by then. */
    private static final int BUSY_TRIES_MAX = 6;

    private final Cluster cluster;
    private volatile PoolEntryMessage entry;
    /** Address of the replica that answered as leader last; empty = not known. */
    private volatile String leader = "";

    private PoolService(Cluster cluster, PoolEntryMessage entry) {
        this.cluster = cluster;
        this.entry = entry;
    }

    /** NONEXIST when no such pool is known. */
    static Mono<PoolService> find(Cluster cluster, String pool) {
        return cluster.retrying.run(
                state -> ask(cluster, pool).map(found -> new PoolService(cluster, found)),
                (fault, failed) -> failed.pause());
    }

    private static Mono<PoolEntryMessage> ask(Cluster cluster, String pool) {
        return cluster.askAny(
                        RpcMethod.POOL_FIND,
                        PoolRef.newBuilder().setPool(pool).build(),
                        reply -> PoolFindReply.parseFrom(reply.body()))
                .map(found -> {
                    cluster.offer(found.getGroupMap());
                    if (found.getEntry().getPool().isEmpty()) {
                        throw Fault.of(FaultCode.NONEXIST, "pool '%s' does not exist", pool)
                                .asException();
                    }
                    return found.getEntry();
                });
    }

    PoolEntryMessage entry() {
        return entry;
    }

    <T> Mono<T> call(RpcMethod method, MessageLite request, RpcReply.Decoder<T> decoder) {
        return call(method, request, decoder, this::recover);
    }

    /** The same for opening: that others have it open may last for ever and is told soon. */
    <T> Mono<T> open(RpcMethod method, MessageLite request, RpcReply.Decoder<T> decoder) {
        return Mono.defer(() -> call(method, request, decoder, new Opening()));
    }

    /** Owner: one call. */
    private final class Opening implements Retrying.Recovery {
        /** In a row, but for detours. */
        private int busyTries;

        @Override
        public boolean mayTryAgain(Fault fault) {
            if (fault.code() == FaultCode.BUSY) busyTries++;
            else if (fault.code() != FaultCode.NOTLEADER) busyTries = 0;
            return busyTries <= BUSY_TRIES_MAX && Retrying.Recovery.super.mayTryAgain(fault);
        }

        @Override
        public Mono<Void> recover(Fault fault, Retrying.Try failed) {
            return PoolService.this.recover(fault, failed);
        }
    }

    private <T> Mono<T> call(
            RpcMethod method, MessageLite request, RpcReply.Decoder<T> decoder, Retrying.Recovery recovery) {
        return cluster.retrying.run(
                state -> {
                    String address = addressFor(state.number());
                    return cluster.config
                            .rpc()
                            .call(Endpoint.node(address), method, RpcMessage.of(request), state.limit(), decoder)
                            .publishOn(Schedulers.parallel())
                            .doOnSuccess(answer -> leader = address)
                            .doOnError(e -> forget(address, FaultException.faultOf(e)));
                },
                recovery);
    }

    private String addressFor(int tryNumber) {
        String known = leader;
        if (!known.isEmpty()) return known;
        List<String> replicas = replicas();
        return replicas.get(tryNumber % replicas.size());
    }

    private List<String> replicas() {
        Set<String> addresses = new LinkedHashSet<>();
        for (int rank : entry.getServiceRanksList()) {
            cluster.groupMap().member(rank).ifPresent(member -> addresses.add(member.address()));
        }
        if (addresses.isEmpty()) addresses.addAll(cluster.config.addresses());
        return new ArrayList<>(addresses);
    }

    /** Runs before {@link #recover}: whoever failed is not asked first again, a hint is followed. */
    private void forget(String address, Fault fault) {
        if (fault.code().retry() == FaultCode.Retry.NEVER) return;
        leader = fault.argument("leader")
                .map(this::hinted)
                .filter(hint -> !hint.equals(address))
                .orElse("");
    }

    /** A hint is an address, or the number of a rank. */
    private String hinted(String hint) {
        if (hint.contains(":")) return hint;
        try {
            return cluster.groupMap()
                    .member(Integer.parseInt(hint))
                    .map(member -> member.address())
                    .orElse("");
        } catch (NumberFormatException e) {
            return "";
        }
    }

    private Mono<Void> recover(Fault fault, Retrying.Try failed) {
        boolean hasHint = fault.code() == FaultCode.NOTLEADER && !leader.isEmpty();
        // Two hints in a row may point at each other while a leader is being elected: pause from the second on.
        if (hasHint && failed.number() < 1) return Mono.empty();
        if (failed.number() % 3 != 2) return failed.pause();
        return failed.pause().then(refreshed());
    }

    /** The replicas may have moved, or the node that ran them. */
    private Mono<Void> refreshed() {
        return ask(cluster, Ids.uuid(entry.getPool()).toString())
                .doOnNext(found -> entry = found)
                .then()
                .onErrorResume(
                        e -> FaultException.faultOf(e).code().retry() != FaultCode.Retry.NEVER, e -> Mono.empty());
    }
}
