package io.daosmesh.management.pool.service;

import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.management.maps.MapsKeeper;
import io.daosmesh.management.pool.ContainerHealth;
import io.daosmesh.management.pool.Departure;
import io.daosmesh.management.pool.PoolDb;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.RebuildStatus;
import io.daosmesh.model.port.Endpoint;
import io.daosmesh.model.port.RebuildProgress;
import io.daosmesh.model.port.RpcMessage;
import io.daosmesh.model.port.RpcMethod;
import io.daosmesh.model.wire.ContainerHealthMessage;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolQueryReply;
import io.daosmesh.model.wire.RebuildStatusMessage;
import io.daosmesh.model.wire.TargetQueryReply;
import io.daosmesh.model.wire.TargetQueryRequest;
import io.daosmesh.model.wire.TargetSpaceMessage;
import io.daosmesh.model.wire.TierSpaceMessage;
import java.time.Duration;
import java.util.List;
import java.util.LongSummaryStatistics;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Puts together what {@code dmg pool query} shows. Any thread. Dead ranks cost one deadline, never more. */
public final class PoolQueries {
    private static final Duration SPACE_MAX = Duration.ofMillis(1500);

    /** More would only be counted. */
    private static final int UNHEALTHY_SHOWN_MAX = 100;

    private final NodeContext node;
    private final MapsKeeper maps;
    private final Supplier<Optional<RebuildProgress>> rebuild;

    public PoolQueries(NodeContext node, MapsKeeper maps, Supplier<Optional<RebuildProgress>> rebuild) {
        this.node = node;
        this.maps = maps;
        this.rebuild = rebuild;
    }

    private record View(
            PoolEntryMessage entry, PoolMap map, int containers, int copies, List<ContainerHealthMessage> unhealthy) {}

    Mono<PoolQueryReply> query(PoolService service) {
        return service.read((PoolDb db) -> new View(
                        db.entry(),
                        db.map(),
                        db.containers().size(),
                        db.copiesWanted(),
                        ContainerHealth.unhealthy(db.containers(), db.map())))
                .flatMap(v -> space(v.map).map(space -> reply(v, space)));
    }

    private PoolQueryReply reply(View v, List<TargetSpaceMessage> space) {
        GroupMap members = maps.groupMap();
        Set<Integer> dead = Departure.absent(v.map, members);
        int leader = members.members().stream()
                .filter(m -> m.address().equals(node.address()))
                .mapToInt(Member::rank)
                .filter(r -> v.entry.getServiceRanksList().contains(r))
                .findFirst()
                .orElse(0);
        RebuildStatus status = rebuild.get().map(r -> r.status(v.map.pool())).orElse(RebuildStatus.NEVER);
        return PoolQueryReply.newBuilder()
                .setEntry(v.entry.toBuilder().setState(PoolEntryMessage.State.READY))
                .setMap(v.map.toWire())
                .setLeader(leader)
                .setRebuild(wire(status))
                .addTiers(tier("scm", space, TargetSpaceMessage::getScmTotal, TargetSpaceMessage::getScmFree))
                .addTiers(tier("nvme", space, TargetSpaceMessage::getNvmeTotal, TargetSpaceMessage::getNvmeFree))
                .addAllDisabledRanks(v.map.disabledRanks())
                .addAllDeadRanks(dead)
                .setContainerCount(v.containers)
                .setCopiesWanted(v.copies)
                .addAllUnhealthyContainers(v.unhealthy.subList(0, Math.min(UNHEALTHY_SHOWN_MAX, v.unhealthy.size())))
                .setUnhealthyContainerCount(v.unhealthy.size())
                .build();
    }

    private Mono<List<TargetSpaceMessage>> space(PoolMap map) {
        GroupMap members = maps.groupMap();
        TargetQueryRequest request =
                TargetQueryRequest.newBuilder().setPool(Ids.bytes(map.pool())).build();
        Set<Integer> ranks = new TreeSet<>(map.ranks());
        ranks.removeAll(map.disabledRanks());
        return Flux.fromIterable(ranks)
                .flatMap(rank -> members.member(rank)
                        .filter(m -> m.state().isInGroup())
                        .map(m -> node.rpc()
                                .call(
                                        Endpoint.rank(m.address(), rank),
                                        RpcMethod.TARGET_QUERY,
                                        RpcMessage.of(request),
                                        SPACE_MAX,
                                        r -> enabled(map, rank, TargetQueryReply.parseFrom(r.body())))
                                .onErrorResume(e -> Mono.empty()))
                        .orElseGet(Mono::empty))
                .flatMapIterable(l -> l)
                .collectList();
    }

    private static List<TargetSpaceMessage> enabled(PoolMap map, int rank, TargetQueryReply reply) {
        Set<Integer> indexes = map.ofRank(rank).stream()
                .filter(t -> !t.state().isDisabled())
                .map(t -> t.index())
                .collect(Collectors.toSet());
        return reply.getTargetsList().stream()
                .filter(t -> indexes.contains(t.getIndex()))
                .toList();
    }

    private static TierSpaceMessage tier(
            String media,
            List<TargetSpaceMessage> space,
            ToLongFunction<TargetSpaceMessage> total,
            ToLongFunction<TargetSpaceMessage> free) {
        LongSummaryStatistics f = space.stream().mapToLong(free).summaryStatistics();
        TierSpaceMessage.Builder b = TierSpaceMessage.newBuilder()
                .setMedia(media)
                .setTotal(space.stream().mapToLong(total).sum())
                .setFree(f.getSum());
        if (f.getCount() > 0) b.setMinFree(f.getMin()).setMaxFree(f.getMax()).setMeanFree((long) f.getAverage());
        return b.build();
    }

    private static RebuildStatusMessage wire(RebuildStatus s) {
        return RebuildStatusMessage.newBuilder()
                .setState(s.state().toWire())
                .setStatus(s.status())
                .setVersion(s.mapVersion())
                .setObjectsTotal(s.objectsTotal())
                .setObjects(s.objects())
                .setRecords(s.records())
                .setBytes(s.bytes())
                .setStartedHlc(s.startedHlc())
                .setDurationMs(s.durationMs())
                .setOperation(s.operation())
                .build();
    }
}
