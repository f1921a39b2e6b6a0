package io.daosmesh.management.pool.service;

import io.daosmesh.management.loop.LeaderCaller;
import io.daosmesh.management.loop.Loop;
import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.management.pool.PoolDb;
import io.daosmesh.management.pool.ServicePlacement;
import io.daosmesh.management.raft.RaftGroup;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.port.Endpoint;
import io.daosmesh.model.port.RpcMessage;
import io.daosmesh.model.port.RpcMethod;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.LogCommand;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolServiceRanksMessage;
import io.daosmesh.model.wire.PoolServiceStartRequest;
import io.daosmesh.model.wire.PoolServiceStopRequest;
import io.daosmesh.model.wire.RankSetMessage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;

/**
 * Keeps the replicas of a pool's service on ranks that live, while this node leads it: one step a review, each derived from
 * what is, so that a new leader goes on where the last one died. Owner: management loop.
 *
 * <p>The Raft group moves first; the pool's own record, the management service and the remains on the lost node follow.
 * The replicas of the management service itself stay where the configuration puts them.
 */
final class ReplicaKeeper {
    private static final Logger LOG = LoggerFactory.getLogger(ReplicaKeeper.class);

    private static final Duration START_MAX = Duration.ofSeconds(10);
    private static final Duration CHANGE_MAX = Duration.ofSeconds(20);
    private static final Duration STOP_MAX = Duration.ofSeconds(5);
    private static final Duration REPORT_TRY = Duration.ofMillis(1500);
    private static final Duration REPORT_MAX = Duration.ofSeconds(5);

    private final NodeContext node;
    private final PoolService service;
    private final LeaderCaller system;
    /** Since when replicas are lost, in ns of this process's clock; by address. */
    private final Map<String, Long> lostSinceNs = new HashMap<>();

    private boolean busy;
    private boolean reporting;
    private int reportedVersion;
    private final Set<Integer> stopping = new HashSet<>();

    ReplicaKeeper(NodeContext node, PoolService service, LeaderCaller system) {
        this.node = node;
        this.service = service;
        this.system = system;
    }

    /** Leadership has changed: times and news start from nothing. */
    void forget() {
        lostSinceNs.clear();
        reportedVersion = 0;
    }

    void review(RaftGroup group, PoolMap map, GroupMap members) {
        Optional<List<String>> settled = group.members();
        if (settled.isEmpty()) return;
        List<String> replicas = settled.get();
        PoolEntryMessage entry = service.replica().read(PoolDb::entry);
        List<Integer> retired = service.replica().read(PoolDb::retiredRanks);
        report(entry);
        retired.forEach(r -> members.member(r).ifPresent(m -> clear(m, replicas, group.term())));
        if (busy) return;
        Set<String> recorded = new TreeSet<>();
        entry.getServiceRanksList().forEach(r -> members.member(r).ifPresent(m -> recorded.add(m.address())));
        if (recorded.equals(new TreeSet<>(replicas))) replaceLost(group, map, members, replicas, retired);
        else record(entry, map, members, replicas);
    }

    /** The Raft group has moved: the pool's record follows. */
    private void record(PoolEntryMessage entry, PoolMap map, GroupMap members, List<String> replicas) {
        RankSetMessage.Builder ranks = RankSetMessage.newBuilder();
        for (String address : replicas) {
            List<Integer> there = members.members().stream()
                    .filter(m -> m.address().equals(address))
                    .map(Member::rank)
                    .toList();
            there.stream()
                    .filter(entry.getServiceRanksList()::contains)
                    .findFirst()
                    .or(() -> there.stream().filter(map.ranks()::contains).findFirst())
                    .ifPresent(ranks::addRanks);
        }
        if (ranks.getRanksCount() != replicas.size()) return;
        LOG.info("pool {}: its service is on ranks {} now", service.pool(), ranks.getRanksList());
        run("record the replicas", service.propose(LogCommand.newBuilder().setServiceRanks(ranks)));
    }

    private void replaceLost(
            RaftGroup group, PoolMap map, GroupMap members, List<String> replicas, List<Integer> retired) {
        long nowNs = System.nanoTime();
        List<String> lost = ServicePlacement.lost(replicas, members);
        lostSinceNs.keySet().retainAll(lost);
        for (String address : lost) {
            long sinceNs = lostSinceNs.computeIfAbsent(address, a -> nowNs);
            // A leader does not vote itself out: the next one will, if this one's node goes for good.
            if (nowNs - sinceNs < node.timing().replicaGrace().toNanos() || address.equals(node.address())) continue;
            Optional<Member> to = ServicePlacement.successor(map, members, replicas, address, retired);
            if (to.isEmpty()) continue;
            move(group, replicas, address, to.get());
            return;
        }
    }

    private void move(RaftGroup group, List<String> replicas, String from, Member to) {
        LOG.info(
                "pool {}: a replica of its service moves from {} to rank {} on {}",
                service.pool(),
                from,
                to.rank(),
                to.address());
        PoolServiceStartRequest start = PoolServiceStartRequest.newBuilder()
                .setPool(Ids.bytes(service.pool()))
                .addAllPeers(replicas)
                .build();
        List<String> next = new ArrayList<>(replicas);
        next.remove(from);
        next.add(to.address());
        run(
                "move a replica to " + to.address(),
                node.rpc()
                        .call(
                                Endpoint.node(to.address()),
                                RpcMethod.POOL_SERVICE_START,
                                RpcMessage.of(start),
                                START_MAX,
                                r -> true)
                        .then(Mono.defer(() -> group.changeMembers(next, CHANGE_MAX))));
    }

    private void run(String what, Mono<?> work) {
        busy = true;
        work.publishOn(node.loop().scheduler())
                .doFinally(s -> node.loop().run(() -> {
                    busy = false;
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

    /** A node that came back after its replica had moved away drops what it still has. */
    private void clear(Member m, List<String> replicas, long term) {
        boolean isNeeded = replicas.contains(m.address());
        if (!isNeeded && !m.state().isInGroup() || !stopping.add(m.rank())) return;
        PoolServiceStopRequest stop = PoolServiceStopRequest.newBuilder()
                .setPool(Ids.bytes(service.pool()))
                .setDeleteData(true)
                .setTerm(term)
                .build();
        Mono<Boolean> stopped = isNeeded
                ? Mono.just(true)
                : node.rpc()
                        .call(
                                Endpoint.node(m.address()),
                                RpcMethod.POOL_SERVICE_STOP,
                                RpcMessage.of(stop),
                                STOP_MAX,
                                r -> true);
        stopped.flatMap(ok -> service.propose(LogCommand.newBuilder().setReplicaGone(m.rank())))
                .publishOn(node.loop().scheduler())
                .doFinally(s -> node.loop().run(() -> stopping.remove(m.rank())))
                .subscribe(ok -> {}, e -> Loop.drop("retired replica on rank " + m.rank(), e));
    }

    /** The management service learns where to send people, and whom the pool lets in: each leadership, after each change. */
    private void report(PoolEntryMessage entry) {
        int version = entry.getServiceVersion();
        if (reporting || version <= reportedVersion) return;
        reporting = true;
        PoolServiceRanksMessage.Builder told = PoolServiceRanksMessage.newBuilder()
                .setPool(entry.getPool())
                .addAllRanks(entry.getServiceRanksList())
                .setVersion(version);
        if (entry.hasAcl()) told.setAcl(entry.getAcl());
        PoolServiceRanksMessage news = told.build();
        system.call(RpcMethod.POOL_SERVICE_RANKS, news, Empty.parser(), REPORT_TRY, REPORT_MAX)
                .publishOn(node.loop().scheduler())
                .doFinally(s -> node.loop().run(() -> reporting = false))
                .subscribe(ok -> reportedVersion = version, e -> Loop.drop("replicas of a pool service", e));
    }
}
