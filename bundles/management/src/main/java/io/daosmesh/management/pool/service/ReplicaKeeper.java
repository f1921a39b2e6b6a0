package io.daosmesh.management.pool.service;

import io.daosmesh.management.loop.LeaderCaller;
import io.daosmesh.management.loop.Loop;
import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.management.pool.PoolDb;
import io.daosmesh.management.pool.upkeep.ReplicaMoves;
import io.daosmesh.management.raft.RaftGroup;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.ras.RasEvent.Severity;
import io.daosmesh.model.ras.RasId;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.LogCommand;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolServiceRanksMessage;
import io.daosmesh.model.wire.PoolServiceStopRequest;
import io.daosmesh.model.wire.RankSetMessage;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;

/**
 * Does what {@link ReplicaMoves} decides about the replicas of a pool's service, while this node leads it. Owner: management loop.
 * The replicas of the management service itself stay where the configuration puts them.
 */
final class ReplicaKeeper {
    private static final Logger LOG = LoggerFactory.getLogger(ReplicaKeeper.class);

    private static final Duration CHANGE_MAX = Duration.ofSeconds(20);
    /** Longer than a question whether a voter is lost takes. */
    private static final long LOOK_NS = Duration.ofSeconds(2).toNanos();

    private static final Duration STOP_MAX = Duration.ofSeconds(5);
    private static final Duration REPORT_TRY = Duration.ofMillis(1500);
    private static final Duration REPORT_MAX = Duration.ofSeconds(5);

    private final NodeContext node;
    private final PoolService service;
    private final LeaderCaller system;
    private final ReplicaMoves moves;
    private long lookedNs = System.nanoTime();

    ReplicaKeeper(NodeContext node, PoolService service, LeaderCaller system) {
        this.node = node;
        this.service = service;
        this.system = system;
        this.moves =
                new ReplicaMoves(node.address(), node.timing().replicaGrace().toNanos());
    }

    void forget() {
        moves.forget();
    }

    void review(RaftGroup group, PoolMap map, GroupMap members) {
        Optional<List<String>> settled = group.members();
        if (settled.isEmpty()) return;
        PoolEntryMessage entry = service.replica().read(PoolDb::entry);
        List<Integer> retired = service.replica().read(PoolDb::retiredRanks);
        lookForLost(group);
        moves.review(
                System.nanoTime(),
                new ReplicaMoves.Seen(entry, map, members, settled.get(), retired),
                new Effects(group));
    }

    /** One look at a time. */
    private void lookForLost(RaftGroup group) {
        long nowNs = System.nanoTime();
        if (nowNs - lookedNs < LOOK_NS) return;
        lookedNs = nowNs;
        group.lostVoters()
                .publishOn(node.loop().scheduler())
                .subscribe(moves::onLost, e -> Loop.drop("lost replicas of a pool service", e));
    }

    private final class Effects implements ReplicaMoves.Effects {
        private final RaftGroup group;

        Effects(RaftGroup group) {
            this.group = group;
        }

        @Override
        public void record(List<Integer> ranks) {
            LOG.info("pool {}: its service is on ranks {} now", service.pool(), ranks);
            RankSetMessage set = RankSetMessage.newBuilder().addAllRanks(ranks).build();
            Mono<?> recorded = service.propose(LogCommand.newBuilder().setServiceRanks(set))
                    .doOnNext(done -> node.ras()
                            .raise(
                                    RasId.POOL_REPLICAS_UPDATED,
                                    Severity.NOTICE,
                                    "List of pool service replica ranks has been updated.",
                                    Map.of(
                                            "pool",
                                            service.pool().toString(),
                                            "data",
                                            "replicas=" + text(ranks) + " term=" + group.term())));
            run("record the replicas", recorded);
        }

        private static String text(List<Integer> ranks) {
            return ranks.stream().map(String::valueOf).collect(Collectors.joining(","));
        }

        @Override
        public void move(String from, Member to, List<String> next) {
            LOG.info(
                    "pool {}: a replica of its service moves from {} to rank {} on {}",
                    service.pool(),
                    from,
                    to.rank(),
                    to.address());
            run("move a replica to " + to.address(), group.changeMembers(next, Set.of(), CHANGE_MAX));
        }

        @Override
        public void add(Member to, List<String> next) {
            LOG.info(
                    "pool {}: its service gets replica {} on rank {} on {}",
                    service.pool(),
                    next.size(),
                    to.rank(),
                    to.address());
            run("add a replica on " + to.address(), group.changeMembers(next, Set.of(), CHANGE_MAX));
        }

        /** Out first: a voter that has forgotten its votes and its log must not be counted as the one it was. */
        @Override
        public void renew(String lost, List<String> replicas) {
            LOG.warn("pool {}: the replica of its service on {} is lost and made anew", service.pool(), lost);
            run("make the replica on " + lost + " anew", group.changeMembers(replicas, Set.of(lost), CHANGE_MAX));
        }

        private void run(String what, Mono<?> work) {
            work.publishOn(node.loop().scheduler())
                    .doFinally(s -> node.loop().run(() -> {
                        moves.onDone();
                        service.reviewSoon();
                    }))
                    .subscribe(
                            ok -> {},
                            e -> LOG.warn(
                                    "pool {}: could not {}: {}",
                                    service.pool(),
                                    what,
                                    FaultException.faultOf(e).message()));
        }

        @Override
        public void clear(Member retired, boolean isNeeded) {
            int rank = retired.rank();
            Mono<Boolean> stopped = isNeeded ? Mono.just(true) : stop(retired.address());
            stopped.flatMap(ok -> service.propose(LogCommand.newBuilder().setReplicaGone(rank)))
                    .publishOn(node.loop().scheduler())
                    .doFinally(s -> node.loop().run(() -> moves.onCleared(rank)))
                    .subscribe(ok -> {}, e -> Loop.drop("retired replica on rank " + rank, e));
        }

        private Mono<Boolean> stop(String address) {
            PoolServiceStopRequest stop = PoolServiceStopRequest.newBuilder()
                    .setPool(Ids.bytes(service.pool()))
                    .setDeleteData(true)
                    .setTerm(group.term())
                    .build();
            return node.rpc()
                    .call(
                            Endpoint.node(address),
                            RpcMethod.POOL_SERVICE_STOP,
                            RpcMessage.of(stop),
                            STOP_MAX,
                            r -> true);
        }

        @Override
        public void report(PoolServiceRanksMessage news) {
            system.call(RpcMethod.POOL_SERVICE_RANKS, news, Empty.parser(), REPORT_TRY, REPORT_MAX)
                    .publishOn(node.loop().scheduler())
                    .subscribe(ok -> moves.onReported(news.getVersion()), e -> {
                        moves.onReported(0);
                        Loop.drop("replicas of a pool service", e);
                    });
        }
    }
}
