package io.daosmesh.management.system.service;

import io.daosmesh.management.system.Replacement;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.wire.JoinRequest;
import io.daosmesh.model.wire.PoolEntryMessage;
import java.time.Duration;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Asks the pools before an engine takes the rank of a lost one, on the leader of the system. Any thread. */
public final class Replacements {
    private static final Logger LOG = LoggerFactory.getLogger(Replacements.class);
    /** Below what a rank waits for the answer to its join. */
    private static final Duration POOL_MAX = Duration.ofMillis(1500);

    private static final int POOLS_AT_ONCE_MAX = 16;

    private final SystemService system;
    private final PoolClient pools;

    public Replacements(SystemService system, PoolClient pools) {
        this.system = system;
        this.pools = pools;
    }

    private record Seen(GroupMap group, List<PoolEntryMessage> pools) {}

    /** Empty when nothing speaks against the join; BUSY while a pool counts on the rank, or does not tell. */
    Mono<Void> allowed(JoinRequest r) {
        if (!r.getReplace()) return Mono.empty();
        return system.read(db -> new Seen(db.groupMap(), db.pools())).flatMap(seen -> {
            if (!Replacement.isWanted(r, seen.group.members())) return Mono.empty();
            Member lost = Replacement.lost(r, seen.group.members());
            return Flux.fromIterable(seen.pools)
                    .filter(p -> p.getRanksList().contains(lost.rank()))
                    .flatMap(p -> isEnabled(lost, p).filter(is -> is).map(is -> p.getLabel()), POOLS_AT_ONCE_MAX)
                    .collectSortedList()
                    .flatMap(in -> {
                        if (!in.isEmpty()) return Mono.error(Replacement.stillEnabled(lost, in));
                        LOG.info("an engine on new storage takes rank {} of engine {}", lost.rank(), lost.uuid());
                        return Mono.empty();
                    });
        });
    }

    private Mono<Boolean> isEnabled(Member lost, PoolEntryMessage pool) {
        return pools.map(Ids.uuid(pool.getPool()))
                .map(map -> map.ofRank(lost.rank()).stream()
                        .anyMatch(t -> !t.state().isDisabled()))
                .timeout(POOL_MAX)
                .onErrorResume(e -> {
                    LOG.warn(
                            "pool {} does not tell whether it counts on rank {}: {}",
                            pool.getLabel(),
                            lost.rank(),
                            FaultException.faultOf(e).message());
                    return Mono.just(true);
                });
    }
}
