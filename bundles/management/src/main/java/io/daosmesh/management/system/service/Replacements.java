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
import java.util.Map;
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

    /** Empty when nothing speaks against the join; BUSY while a pool counts on the rank, or does not tell: ask again. */
    Mono<Void> allowed(JoinRequest r) {
        if (!r.getReplace()) return Mono.empty();
        return system.read(db -> new Seen(db.groupMap(), db.pools())).flatMap(seen -> {
            if (!Replacement.isWanted(r, seen.group.members())) return Mono.empty();
            Member lost = Replacement.lost(r, seen.group.members());
            return Flux.fromIterable(seen.pools)
                    .filter(p -> p.getRanksList().contains(lost.rank()))
                    .flatMap(p -> says(lost, p).map(says -> Map.entry(p.getLabel(), says)), POOLS_AT_ONCE_MAX)
                    .collectList()
                    .flatMap(all -> {
                        List<String> in = those(all, Says.ENABLED);
                        List<String> silent = those(all, Says.NOTHING);
                        if (!in.isEmpty()) return Mono.error(Replacement.stillEnabled(lost, in));
                        if (!silent.isEmpty()) return Mono.error(Replacement.untold(lost, silent));
                        LOG.info("an engine on new storage takes rank {} of engine {}", lost.rank(), lost.uuid());
                        return Mono.empty();
                    });
        });
    }

    private enum Says {
        ENABLED,
        OUT,
        NOTHING
    }

    private static List<String> those(List<Map.Entry<String, Says>> all, Says which) {
        return all.stream()
                .filter(e -> e.getValue() == which)
                .map(Map.Entry::getKey)
                .sorted()
                .toList();
    }

    private Mono<Says> says(Member lost, PoolEntryMessage pool) {
        return pools.map(Ids.uuid(pool.getPool()))
                .map(map ->
                        map.ofRank(lost.rank()).stream().allMatch(t -> t.state().isDisabled()))
                .map(isOut -> isOut ? Says.OUT : Says.ENABLED)
                .timeout(POOL_MAX)
                .onErrorResume(e -> {
                    LOG.debug(
                            "pool {} does not tell whether it counts on rank {}: {}",
                            pool.getLabel(),
                            lost.rank(),
                            FaultException.faultOf(e).message());
                    return Mono.just(Says.NOTHING);
                });
    }
}
