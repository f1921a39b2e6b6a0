package io.daosmesh.management.pool.service;

import io.daosmesh.management.loop.LeaderCaller;
import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.management.loop.TargetCalls;
import io.daosmesh.management.pool.Extension;
import io.daosmesh.management.raft.RaftGroup;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.LogCommand;
import io.daosmesh.model.wire.LogReply;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolFindReply;
import io.daosmesh.model.wire.PoolRef;
import io.daosmesh.model.wire.PoolTargetsRequest;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;

/**
 * Extends pools by more ranks, on the leader of the pool's service: space on each rank, then the map. What fails before the
 * map knows of it is undone; what a dead leader leaves is found there by the next extension, or goes with the pool. Any thread.
 */
final class PoolExtender {
    private static final Logger LOG = LoggerFactory.getLogger(PoolExtender.class);
    /** Below what dmg waits for one answer. */
    private static final Duration TARGETS_MAX = Duration.ofSeconds(20);

    private static final Duration FIND_TRY = Duration.ofMillis(1500);
    private static final Duration FIND_MAX = Duration.ofSeconds(5);
    private static final Duration UNDO_MAX = Duration.ofSeconds(5);

    private final LeaderCaller system;
    private final TargetCalls targets;
    /** One a pool. */
    private final Map<UUID, Running> underWay = new ConcurrentHashMap<>();

    private record Running(String requestId, Mono<LogReply> outcome) {}

    PoolExtender(NodeContext node, LeaderCaller system) {
        this.system = system;
        this.targets = new TargetCalls(node);
    }

    /** Goes on when its caller is gone: a resend joins it, others hear BUSY. */
    Mono<LogReply> extend(PoolService service, PoolTargetsRequest r) {
        return Mono.defer(() -> {
            UUID pool = service.pool();
            Mono<LogReply> mine = Mono.defer(() -> begin(service, r))
                    // before the answer is out: who asks again at once is not told that it is busy
                    .doOnTerminate(() -> underWay.remove(pool))
                    .cache();
            Running first = underWay.putIfAbsent(pool, new Running(r.getRequestId(), mine));
            if (first == null) return mine;
            if (!r.getRequestId().isEmpty() && r.getRequestId().equals(first.requestId)) return first.outcome;
            return Mono.error(Fault.of(FaultCode.BUSY, "the pool is being extended")
                    .remedy("wait until the other command has ended")
                    .asException());
        });
    }

    private Mono<LogReply> begin(PoolService service, PoolTargetsRequest r) {
        long term = service.term();
        return members(service.pool())
                .flatMap(group -> service.read(db -> Extension.of(r, db.entry(), db.map(), group))
                        .doOnNext(e -> RaftGroup.checkSize(e.first()))
                        .flatMap(e -> targets.create(e.members(), e.create(term), TARGETS_MAX)
                                .onErrorResume(why -> undo(service, e, term).then(Mono.error(why)))
                                .then(Mono.defer(() -> count(service, r, e, group.version())))));
    }

    /** From the management service: who has joined a moment ago need not be known here yet. */
    private Mono<GroupMap> members(UUID pool) {
        PoolRef ref = PoolRef.newBuilder().setPool(pool.toString()).build();
        return system.call(RpcMethod.POOL_FIND, ref, PoolFindReply.parser(), FIND_TRY, FIND_MAX)
                .map(found -> {
                    if (found.getEntry().getState() == PoolEntryMessage.State.DESTROYING)
                        throw Fault.of(FaultCode.BUSY, "the pool is being destroyed")
                                .asException();
                    return GroupMap.fromWire(found.getGroupMap());
                });
    }

    /** Whatever comes of it, the spaces stay: without an answer nobody knows whether the map counts on them. */
    private Mono<LogReply> count(PoolService service, PoolTargetsRequest r, Extension e, int groupVersion) {
        return service.propose(
                        LogCommand.newBuilder().setRequestId(r.getRequestId()).setTargets(e.change(groupVersion)))
                .doOnNext(x -> LOG.info("pool {} is extended by ranks {}", service.pool(), ranks(e.members())));
    }

    /** Only what this leader has made, and only while it leads: the next one may have gone on. */
    private Mono<Void> undo(PoolService service, Extension e, long term) {
        return service.read(db -> e.members().stream()
                        .filter(m -> !db.map().ranks().contains(m.rank()))
                        .toList())
                .flatMap(left -> targets.remove(left, e.remove(term), UNDO_MAX))
                .onErrorResume(fault -> {
                    LOG.warn(
                            "pool {}: space on ranks {} stays until the pool is extended by them or destroyed: {}",
                            service.pool(),
                            ranks(e.members()),
                            FaultException.faultOf(fault).message());
                    return Mono.empty();
                });
    }

    private static List<Integer> ranks(List<Member> members) {
        return members.stream().map(Member::rank).toList();
    }
}
