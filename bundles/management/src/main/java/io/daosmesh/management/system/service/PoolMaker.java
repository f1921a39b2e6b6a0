package io.daosmesh.management.system.service;

import io.daosmesh.management.log.Replies;
import io.daosmesh.management.loop.LeaderCaller;
import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.management.loop.TargetCalls;
import io.daosmesh.management.properties.ContainerProperties;
import io.daosmesh.management.raft.RaftGroup;
import io.daosmesh.management.raft.Voter;
import io.daosmesh.management.system.PoolPlan;
import io.daosmesh.management.system.SystemDb;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Registrations;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.LogCommand;
import io.daosmesh.model.wire.PoolCreateReply;
import io.daosmesh.model.wire.PoolCreateRequest;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolMapMessage;
import io.daosmesh.model.wire.PoolMapRequest;
import io.daosmesh.model.wire.PoolOutcomeMessage;
import io.daosmesh.model.wire.PoolServiceStartRequest;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Makes pools, on the leader of the management service: entry in the database, targets on every rank, service, entry ready.
 * Whatever fails on the way is undone everywhere. Any thread.
 */
public final class PoolMaker {
    private static final Logger LOG = LoggerFactory.getLogger(PoolMaker.class);
    private static final Duration TARGETS_MAX = Duration.ofSeconds(60);
    private static final Duration SERVICE_MAX = Duration.ofSeconds(20);
    /** Creates under way at once; more are refused, not queued. */
    private static final int CREATES_MAX = 16;

    private final NodeContext node;
    private final SystemService system;
    private final PoolClient pools;
    private final PoolRemover remover;
    private final TargetCalls targets;
    /** By request id: a resend joins the first. */
    private final Map<String, Mono<PoolCreateReply>> underWay = new ConcurrentHashMap<>();

    public PoolMaker(NodeContext node, SystemService system, PoolClient pools, PoolRemover remover) {
        this.node = node;
        this.system = system;
        this.pools = pools;
        this.remover = remover;
        this.targets = new TargetCalls(node);
    }

    public void register(Registrations r) {
        r.on(RpcMethod.POOL_CREATE, PoolCreateRequest.parser(), this::create);
    }

    /** Goes on when its caller is gone; its outcome is kept. */
    private Mono<PoolCreateReply> create(PoolCreateRequest asked) {
        ContainerProperties.checkLabel("pool", asked.getLabel());
        PoolCreateRequest r = asked.getRequestId().isEmpty()
                ? asked.toBuilder().setRequestId(UUID.randomUUID().toString()).build()
                : asked;
        Mono<PoolCreateReply> running = underWay.get(r.getRequestId());
        if (running != null) return running;
        if (underWay.size() >= CREATES_MAX)
            return Mono.error(Fault.of(FaultCode.BUSY, "%d pools are being created", CREATES_MAX)
                    .asException());
        Mono<PoolCreateReply> made = Mono.defer(() -> begin(r))
                .doFinally(s -> underWay.remove(r.getRequestId()))
                .cache();
        Mono<PoolCreateReply> first = underWay.putIfAbsent(r.getRequestId(), made);
        return first != null ? first : made;
    }

    private Mono<PoolCreateReply> begin(PoolCreateRequest r) {
        return system.read(SystemDb::groupMapMessage)
                .flatMap(message -> system.read(db -> db.outcome(r.getRequestId()))
                        .flatMap(before -> {
                            if (before.isPresent()) return outcome(before.get());
                            GroupMap group = GroupMap.fromWire(message);
                            PoolPlan plan = PoolPlan.of(r, group, UUID.randomUUID(), message.getPropertiesMap());
                            RaftGroup.checkSize(plan.first());
                            remover.claim(plan.pool());
                            return system.propose(LogCommand.newBuilder().setPoolBegin(plan.entry()))
                                    .flatMap(reply -> reply.getFinished() ? outcome(reply) : carryOut(plan))
                                    .doFinally(s -> remover.release(plan.pool()));
                        }));
    }

    private static Mono<PoolCreateReply> outcome(io.daosmesh.model.wire.LogReply reply) {
        if (reply.hasFault()) return Mono.error(Fault.fromWire(reply.getFault()).asException());
        return Mono.just(Replies.body(reply, PoolCreateReply.parser()));
    }

    private Mono<PoolCreateReply> carryOut(PoolPlan plan) {
        return targets.create(plan.members(), plan.targets(), TARGETS_MAX)
                .flatMap(out -> startService(withoutFaulty(plan, out)))
                .then(Mono.defer(() -> leaderRank(plan)))
                .map(plan::reply)
                .flatMap(reply -> system.propose(LogCommand.newBuilder()
                                .setPoolReady(PoolOutcomeMessage.newBuilder()
                                        .setPool(plan.entry().getPool())
                                        .setRequestId(plan.entry().getRequestId())
                                        .setReply(reply.toByteString())))
                        .thenReturn(reply))
                .doOnNext(reply -> LOG.info(
                        "pool {} ({}) made on ranks {}, service on {}",
                        plan.entry().getLabel(),
                        plan.pool(),
                        plan.entry().getRanksList(),
                        plan.entry().getServiceRanksList()))
                .onErrorResume(e -> undo(plan, FaultException.faultOf(e)));
    }

    private static PoolPlan withoutFaulty(PoolPlan plan, Map<Integer, List<Integer>> out) {
        if (!out.isEmpty())
            LOG.warn("pool {} begins without targets of devices that do not serve, by rank: {}", plan.pool(), out);
        return plan.without(out);
    }

    private Mono<PoolCreateReply> undo(PoolPlan plan, Fault why) {
        FaultException again = Fault.of(FaultCode.AGAIN, why.text()).asException();
        return system.read(db -> db.pool(plan.pool().toString())
                        .filter(p -> p.getState() == PoolEntryMessage.State.CREATING)
                        .isPresent())
                // Not the leader any more: the next one finds the entry and undoes it; a resend makes the pool anew.
                .onErrorMap(e -> again)
                .flatMap(isHalf -> {
                    // Made after all, only its answer was lost: to sweep it away now would destroy a pool in use.
                    if (!isHalf) return Mono.error(again);
                    LOG.warn(
                            "pool {} could not be made and is undone: {}",
                            plan.entry().getLabel(),
                            why.message());
                    return remover.undo(plan.entry(), why).then(Mono.error(why.asException()));
                });
    }

    private Mono<Void> startService(PoolPlan plan) {
        PoolServiceStartRequest request = plan.start().toBuilder()
                .addAllIdentities(plan.peers().stream()
                        .map(p -> Voter.fresh(p).identity())
                        .toList())
                .build();
        return Flux.fromIterable(plan.peers())
                .flatMap(p -> node.rpc()
                        .call(
                                Endpoint.node(p),
                                RpcMethod.POOL_SERVICE_START,
                                RpcMessage.of(request),
                                SERVICE_MAX,
                                r -> true))
                .then();
    }

    /** Waits until the service leads itself and has its map. */
    private Mono<Integer> leaderRank(PoolPlan plan) {
        LeaderCaller caller = new LeaderCaller(node.rpc(), node.loop(), () -> Mono.just(plan.peers()));
        PoolMapRequest request =
                PoolMapRequest.newBuilder().setPool(plan.entry().getPool()).build();
        return caller.call(RpcMethod.POOL_MAP, request, PoolMapMessage.parser(), Duration.ofSeconds(2), SERVICE_MAX)
                .map(map -> plan.serviceRank(caller.leader()));
    }

    /** A new leader finishes what the last one left half done. Owner: management loop. */
    public void takeOver() {
        for (PoolEntryMessage p : system.replica().read(SystemDb::pools)) {
            UUID id = Ids.uuid(p.getPool());
            boolean half = p.getState() != PoolEntryMessage.State.READY;
            if (half && !remover.isClaimed(id)) {
                pools.forget(id);
                remover.finish(p);
            }
        }
    }
}
