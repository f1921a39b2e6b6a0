package io.daosmesh.management.system.service;

import io.daosmesh.management.log.Replies;
import io.daosmesh.management.loop.Loop;
import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.management.maps.MapsKeeper;
import io.daosmesh.management.system.SystemDb;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.ras.RasEvent.Severity;
import io.daosmesh.model.ras.RasId;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Registrations;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.HandlesGoneRequest;
import io.daosmesh.model.wire.LogCommand;
import io.daosmesh.model.wire.LogReply;
import io.daosmesh.model.wire.MapPushMessage;
import io.daosmesh.model.wire.PoolDestroyRequest;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolOutcomeMessage;
import io.daosmesh.model.wire.PoolQueryReply;
import io.daosmesh.model.wire.PoolRef;
import io.daosmesh.model.wire.PoolServiceStopRequest;
import io.daosmesh.model.wire.TargetDestroyRequest;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Destroys pools and undoes half-made ones, on the leader of the management service. A rank that cannot be reached does not
 * hold it up: the rank drops what is left when it finds the pool gone (see Orphans). Any thread.
 */
public final class PoolRemover {
    private static final Logger LOG = LoggerFactory.getLogger(PoolRemover.class);
    private static final Duration TARGETS_MAX = Duration.ofSeconds(15);
    private static final Duration SERVICE_MAX = Duration.ofSeconds(5);
    private static final Duration HANDLES_MAX = Duration.ofSeconds(2);
    private static final Duration PUSH_MAX = Duration.ofSeconds(1);

    private final NodeContext node;
    private final SystemService system;
    private final PoolClient pools;
    private final MapsKeeper maps;
    /** Pools some flow of this node works on. */
    private final Set<UUID> claimed = ConcurrentHashMap.newKeySet();

    public PoolRemover(NodeContext node, SystemService system, PoolClient pools, MapsKeeper maps) {
        this.node = node;
        this.system = system;
        this.pools = pools;
        this.maps = maps;
    }

    public void register(Registrations r) {
        r.on(RpcMethod.POOL_DESTROY, PoolDestroyRequest.parser(), this::destroy);
    }

    void claim(UUID pool) {
        if (!claimed.add(pool))
            throw Fault.of(FaultCode.BUSY, "pool %s is locked", pool)
                    .with("fault", 402)
                    .asException();
    }

    void release(UUID pool) {
        claimed.remove(pool);
    }

    boolean isClaimed(UUID pool) {
        return claimed.contains(pool);
    }

    private Mono<Empty> destroy(PoolDestroyRequest r) {
        return system.read(db -> db.outcome(r.getRequestId())).flatMap(before -> {
            if (before.isPresent())
                return Mono.fromSupplier(() -> Replies.orThrow(before.get().toByteArray()))
                        .thenReturn(Empty.getDefaultInstance());
            return system.read(db -> db.pool(r.getPool()).orElseThrow(() -> SystemHandlers.noPool(r.getPool())))
                    .flatMap(p -> destroy(p, r));
        });
    }

    private Mono<Empty> destroy(PoolEntryMessage p, PoolDestroyRequest r) {
        if (p.getState() == PoolEntryMessage.State.CREATING) {
            return Mono.error(Fault.of(FaultCode.BUSY, "pool '%s' is being created", p.getLabel())
                    .with("fault", 402)
                    .asException());
        }
        UUID id = Ids.uuid(p.getPool());
        claim(id);
        Mono<Empty> work = mayGo(p, r)
                .then(Mono.defer(() -> system.propose(LogCommand.newBuilder()
                        .setPoolDestroying(PoolOutcomeMessage.newBuilder()
                                .setPool(p.getPool())
                                .setRequestId(r.getRequestId())))))
                .flatMap(reply -> reply.getFinished() ? Mono.just(reply) : sweep(p, r.getRequestId(), Optional.empty()))
                .thenReturn(Empty.getDefaultInstance())
                .doFinally(s -> release(id))
                .cache();
        // Goes on when the caller hangs up.
        work.subscribe(ok -> {}, e -> Loop.drop("destroy of pool " + p.getLabel(), e));
        return work;
    }

    /** With containers inside it takes --recursive, and without an answer of its service --force. */
    private Mono<Void> mayGo(PoolEntryMessage p, PoolDestroyRequest r) {
        if (r.getForce() || r.getRecursive() || p.getState() == PoolEntryMessage.State.DESTROYING) return Mono.empty();
        PoolRef ref =
                PoolRef.newBuilder().setPool(Ids.uuid(p.getPool()).toString()).build();
        return pools.call(
                        Ids.uuid(p.getPool()),
                        RpcMethod.POOL_QUERY,
                        ref,
                        PoolQueryReply.parser(),
                        Duration.ofSeconds(8))
                .flatMap(q -> q.getContainerCount() == 0
                        ? Mono.empty()
                        : Mono.error(Fault.of(
                                        FaultCode.INVAL,
                                        "cannot destroy a pool with existing containers (%d)",
                                        q.getContainerCount())
                                .with("fault", 618)
                                .remedy("retry the operation with the recursive flag set to remove containers along"
                                        + " with the pool")
                                .asException()));
    }

    /** Undoes a create; the fault is what a resend of it will get. */
    Mono<LogReply> undo(PoolEntryMessage p, Fault why) {
        return sweep(p, p.getRequestId(), Optional.of(why));
    }

    /** Ends what another leader began. Owner: management loop. */
    void finish(PoolEntryMessage p) {
        UUID id = Ids.uuid(p.getPool());
        if (!claimed.add(id)) return;
        boolean creating = p.getState() == PoolEntryMessage.State.CREATING;
        LOG.info(
                "pool {}: {} of the last leader is {}",
                p.getLabel(),
                creating ? "create" : "destroy",
                creating ? "undone" : "finished");
        // A create that is undone here keeps no outcome, so that its resend makes the pool after all.
        sweep(p, creating ? "" : p.getDestroyRequestId(), Optional.empty())
                .doFinally(s -> release(id))
                .subscribe(ok -> {}, e -> Loop.drop("pool " + p.getLabel() + " is not gone yet", e));
    }

    private Mono<LogReply> sweep(PoolEntryMessage p, String requestId, Optional<Fault> why) {
        GroupMap group = system.replica().read(SystemDb::groupMap);
        PoolOutcomeMessage.Builder outcome =
                PoolOutcomeMessage.newBuilder().setPool(p.getPool()).setRequestId(requestId);
        why.ifPresent(f -> outcome.setFault(f.toWire()));
        return stopServices(p, group)
                .then(Mono.defer(() -> endHandles(p, group)))
                .then(Mono.defer(() -> dropTargets(p, group)))
                .then(Mono.defer(() -> system.propose(LogCommand.newBuilder().setPoolRemoved(outcome))))
                .doOnNext(x -> {
                    pools.forget(Ids.uuid(p.getPool()));
                    tellGone(p, group);
                });
    }

    private Mono<Void> stopServices(PoolEntryMessage p, GroupMap group) {
        PoolServiceStopRequest request = PoolServiceStopRequest.newBuilder()
                .setPool(p.getPool())
                .setDeleteData(true)
                .build();
        return Flux.fromIterable(p.getServiceRanksList())
                .flatMap(rank -> group.member(rank)
                        .map(m -> node.rpc()
                                .call(
                                        Endpoint.node(m.address()),
                                        RpcMethod.POOL_SERVICE_STOP,
                                        RpcMessage.of(request),
                                        SERVICE_MAX,
                                        r -> true)
                                .onErrorResume(e -> later("service", m, e)))
                        .orElseGet(Mono::empty))
                .then();
    }

    /** Nobody answers for the pool's handles any more: who asks again about them is told of none. */
    private Mono<Void> endHandles(PoolEntryMessage p, GroupMap group) {
        HandlesGoneRequest gone = HandlesGoneRequest.newBuilder()
                .setPool(p.getPool())
                .setAll(true)
                .build();
        return tellRanks("handles", p, group, RpcMethod.HANDLES_GONE, RpcMessage.of(gone), HANDLES_MAX)
                .then();
    }

    private Mono<Void> dropTargets(PoolEntryMessage p, GroupMap group) {
        TargetDestroyRequest destroy =
                TargetDestroyRequest.newBuilder().setPool(p.getPool()).build();
        return tellRanks("targets", p, group, RpcMethod.TARGET_DESTROY, RpcMessage.of(destroy), TARGETS_MAX)
                .doOnNext(rank -> deferred(p, rank))
                .then();
    }

    /** Emits the ranks that could not be told. */
    private Flux<Integer> tellRanks(
            String what, PoolEntryMessage p, GroupMap group, RpcMethod method, RpcMessage message, Duration limit) {
        return Flux.fromIterable(p.getRanksList())
                .flatMap(
                        rank -> group.member(rank)
                                .filter(m -> m.state().isInGroup())
                                .map(m -> node.rpc()
                                        .call(Endpoint.rank(m.address(), rank), method, message, limit, r -> true)
                                        .onErrorResume(e -> later(what, m, e)))
                                .orElseGet(() -> Mono.just(false))
                                .filter(isTold -> !isTold)
                                .map(x -> rank),
                        64);
    }

    private static Mono<Boolean> later(String what, Member m, Throwable e) {
        Fault f = FaultException.faultOf(e);
        if (f.code() == FaultCode.NONEXIST) return Mono.just(true);
        LOG.info("pool {} on rank {} go later: {}", what, m.rank(), f.message());
        return Mono.just(false);
    }

    /** The room on the rank is taken until it answers again. */
    private void deferred(PoolEntryMessage p, int rank) {
        UUID pool = Ids.uuid(p.getPool());
        node.ras()
                .raise(
                        RasId.POOL_DESTROY_DEFERRED,
                        Severity.WARNING,
                        "pool:" + pool + " destroy is deferred",
                        Map.of("pool", pool.toString(), "rank", Integer.toString(rank)));
    }

    private void tellGone(PoolEntryMessage p, GroupMap group) {
        maps.gone(Ids.uuid(p.getPool()));
        MapPushMessage message =
                MapPushMessage.newBuilder().addPoolsGone(p.getPool()).build();
        Flux.fromIterable(group.members())
                .map(Member::address)
                .distinct()
                .filter(a -> !a.equals(node.address()))
                .flatMap(a -> node.rpc()
                        .call(Endpoint.node(a), RpcMethod.MAP_PUSH, RpcMessage.of(message), PUSH_MAX, r -> true)
                        .onErrorResume(e -> Mono.empty()))
                .subscribe(ok -> {}, e -> Loop.drop("pool gone", e));
    }
}
