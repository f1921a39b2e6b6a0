package io.daosmesh.management.pool.service;

import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.management.loop.TargetCalls;
import io.daosmesh.management.maps.MapsKeeper;
import io.daosmesh.management.pool.PoolReport;
import io.daosmesh.management.pool.PoolReport.RankSpace;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.RebuildStatus;
import io.daosmesh.model.port.RebuildProgress;
import io.daosmesh.model.wire.PoolQueryReply;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Puts together what {@code dmg pool query} shows. Any thread. Dead ranks cost one deadline, never more. */
public final class PoolQueries {
    private static final Duration SPACE_MAX = Duration.ofMillis(1500);

    private final NodeContext node;
    private final MapsKeeper maps;
    private final Supplier<Optional<RebuildProgress>> rebuild;

    public PoolQueries(NodeContext node, MapsKeeper maps, Supplier<Optional<RebuildProgress>> rebuild) {
        this.node = node;
        this.maps = maps;
        this.rebuild = rebuild;
    }

    /** @param targets the reply has the space of each target, too */
    Mono<PoolQueryReply> query(PoolService service, boolean targets) {
        return service.read(PoolReport::of)
                .flatMap(report -> space(report.map()).map(space -> {
                    PoolQueryReply reply = report.toWire(maps.groupMap(), node.address(), space, status(report.map()));
                    if (!targets) return reply;
                    return reply.toBuilder()
                            .addAllTargets(
                                    space.stream().flatMap(RankSpace::toWire).toList())
                            .build();
                }));
    }

    private RebuildStatus status(PoolMap map) {
        return rebuild.get().map(r -> r.status(map.pool())).orElse(RebuildStatus.NEVER);
    }

    private Mono<List<RankSpace>> space(PoolMap map) {
        GroupMap members = maps.groupMap();
        TargetCalls calls = new TargetCalls(node);
        Set<Integer> ranks = new TreeSet<>(map.ranks());
        ranks.removeAll(map.disabledRanks());
        return Flux.fromIterable(ranks)
                .flatMap(rank -> members.member(rank)
                        .filter(m -> m.state().isInGroup())
                        .map(m -> calls.query(m, map.pool(), SPACE_MAX)
                                .map(r -> PoolReport.enabled(map, rank, r))
                                .onErrorResume(e -> Mono.empty()))
                        .orElseGet(Mono::empty))
                .collectList();
    }
}
