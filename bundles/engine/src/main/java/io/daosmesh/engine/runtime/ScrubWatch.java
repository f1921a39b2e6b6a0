package io.daosmesh.engine.runtime;

import io.daosmesh.engine.runtime.loop.EngineContext;
import io.daosmesh.engine.runtime.loop.TargetProxy;
import io.daosmesh.engine.scrub.ScrubReport;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.port.RankIdentity;
import io.daosmesh.model.port.Ras;
import io.daosmesh.model.ras.RasEvent;
import io.daosmesh.model.ras.RasId;
import io.daosmesh.model.wire.PoolTargetsRequest;
import io.daosmesh.storage.EngineStorage;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/** Has targets drained in which the scrubber found too much: looks again and again, one round at a time. */
final class ScrubWatch implements AutoCloseable {
    private static final Duration FIRST_DELAY = Duration.ofSeconds(1);
    private static final Duration PERIOD = Duration.ofSeconds(5);
    /** Pools that are asked for a drain at the same time. */
    private static final int ASKED_MAX = 4;
    /** After a refusal that only a person or a finished rebuild ends. */
    private static final long REFUSED_PAUSE_NS = 60_000_000_000L;

    private static final Logger log = LoggerFactory.getLogger(ScrubWatch.class);

    private final RankIdentity identity;
    private final EngineStorage storage;
    private final EngineContext context;
    private final List<TargetProxy> targets;
    private final PoolServiceCalls service;
    private final Map<UUID, Long> notBeforeNs = new ConcurrentHashMap<>();
    private @Nullable Disposable rounds;

    ScrubWatch(
            RankIdentity identity,
            EngineStorage storage,
            EngineContext context,
            List<TargetProxy> targets,
            PoolServiceCalls service) {
        this.identity = identity;
        this.storage = storage;
        this.context = context;
        this.targets = targets;
        this.service = service;
    }

    /** The targets are open. */
    void open() {
        rounds = Flux.interval(FIRST_DELAY, PERIOD, Schedulers.parallel())
                .onBackpressureDrop()
                .concatMap(n -> Mono.defer(this::round).onErrorResume(this::failed), 1)
                .subscribe(
                        x -> {},
                        e -> log.error(
                                "rank {}: targets with too much damage stay in their pools", identity.rank(), e));
    }

    private Mono<Void> failed(Throwable e) {
        log.warn("rank {}: draining targets with too much damage, will try again: {}", identity.rank(), e.toString());
        return Mono.empty();
    }

    private Mono<Void> round() {
        List<UUID> pools = storage.pools().stream()
                .map(EngineStorage.PoolReservation::pool)
                .toList();
        notBeforeNs.keySet().retainAll(pools);
        return Flux.fromIterable(pools).flatMap(this::drain, ASKED_MAX).then();
    }

    private Mono<Void> drain(UUID pool) {
        Map<Integer, Long> over = over(pool);
        Long pauseEndNs = notBeforeNs.get(pool);
        boolean isPause = pauseEndNs != null && System.nanoTime() - pauseEndNs < 0;
        if (over.isEmpty() || isPause) return Mono.empty();
        Set<Integer> indexes = new TreeSet<>(over.keySet());
        return service.change(pool, PoolTargetsRequest.Op.DRAIN, indexes, "scrub-" + UUID.randomUUID())
                .doOnNext(version -> onDrained(pool, over, version))
                .onErrorResume(e -> {
                    onRefused(pool, indexes, FaultException.faultOf(e));
                    return Mono.empty();
                })
                .then();
    }

    /** Targets that serve and have too much damage, with how much. */
    private Map<Integer, Long> over(UUID pool) {
        PoolMap map = context.maps().poolMap(pool).orElse(null);
        if (map == null) return Map.of();
        Map<Integer, Long> over = new HashMap<>();
        for (PoolTarget t : map.ofRank(identity.rank())) {
            if (t.state() != TargetState.UPIN || t.index() >= targets.size()) continue;
            ScrubReport r = targets.get(t.index()).scrubReports().get(pool);
            if (r != null && r.isOverMax()) over.put(t.index(), r.countedCorruptions());
        }
        return over;
    }

    private void onDrained(UUID pool, Map<Integer, Long> over, int version) {
        over.forEach((index, count) -> {
            String what = "the scrubber found " + count + " damaged values on rank " + identity.rank() + " target "
                    + index + ", which is drained";
            log.error("pool {}: {}, map version {}", pool, what, version);
            Ras ras = context.ras().get();
            if (ras != null)
                ras.raise(
                        RasId.POOL_CORRUPTION_DETECTED,
                        RasEvent.Severity.ERROR,
                        what,
                        Map.of("rank", Integer.toString(identity.rank()), "pool", pool.toString()));
        });
    }

    private void onRefused(UUID pool, Set<Integer> indexes, Fault fault) {
        // another node leads, or it was done and the answer got lost: the map will tell
        if (fault.code().retry() != FaultCode.Retry.NEVER || fault.code() == FaultCode.ALREADY) return;
        notBeforeNs.put(pool, System.nanoTime() + REFUSED_PAUSE_NS);
        log.warn(
                "rank {} pool {}: cannot drain targets {} for their damage, will try again: {}",
                identity.rank(),
                pool,
                indexes,
                fault.message());
    }

    @Override
    public void close() {
        Disposable r = rounds;
        if (r != null) r.dispose();
    }
}
