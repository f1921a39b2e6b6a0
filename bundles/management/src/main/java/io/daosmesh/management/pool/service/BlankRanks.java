package io.daosmesh.management.pool.service;

import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.management.loop.TargetCalls;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.wire.TargetCreateRequest;
import java.time.Duration;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Ranks that come back into a pool on new storage: first they make their space, as ranks that a pool is extended by, then the
 * map takes them back and they pull everything. Any thread.
 */
final class BlankRanks {
    private static final Logger LOG = LoggerFactory.getLogger(BlankRanks.class);
    private static final Duration ASK_MAX = Duration.ofSeconds(5);
    /** With the question below what dmg waits for one answer. */
    private static final Duration MAKE_MAX = Duration.ofSeconds(15);

    private final TargetCalls targets;

    BlankRanks(NodeContext node) {
        this.targets = new TargetCalls(node);
    }

    /** Empty when the ranks can come back. One that does not answer comes back as it is: it may have its part. */
    Mono<Void> prepare(PoolService service, List<Integer> ranks, GroupMap members) {
        return service.read(db -> Flux.fromIterable(ranks)
                        .distinct()
                        .filter(db.map().disabledRanks()::contains)
                        .flatMap(rank -> Mono.justOrEmpty(members.member(rank)))
                        .filter(m -> m.state() == MemberState.JOINED)
                        .collectList())
                .flatMap(all -> all)
                .flatMap(asked -> Flux.fromIterable(asked)
                        .filterWhen(m -> isBlank(service, m), Math.max(1, asked.size()))
                        .collectList())
                .flatMap(blank -> blank.isEmpty() ? Mono.empty() : make(service, blank));
    }

    private Mono<Boolean> isBlank(PoolService service, Member m) {
        return targets.has(m, service.pool(), ASK_MAX).map(has -> !has).onErrorResume(e -> {
            LOG.warn("pool {}: {}", service.pool(), FaultException.faultOf(e).message());
            return Mono.just(false);
        });
    }

    private Mono<Void> make(PoolService service, List<Member> blank) {
        List<Integer> ranks = blank.stream().map(Member::rank).toList();
        LOG.info("pool {}: ranks {} have new storage and make their part of it anew", service.pool(), ranks);
        return service.read(db -> TargetCreateRequest.newBuilder()
                        .setPool(db.entry().getPool())
                        .setScmBytesPerTarget(db.entry().getScmBytesPerTarget())
                        .setNvmeBytesPerTarget(db.entry().getNvmeBytesPerTarget())
                        .setMap(db.map().toWire())
                        .putAllProperties(db.entry().getPropertiesMap())
                        .setTerm(service.term())
                        .build())
                .flatMap(request -> targets.create(blank, request, MAKE_MAX))
                .then();
    }
}
