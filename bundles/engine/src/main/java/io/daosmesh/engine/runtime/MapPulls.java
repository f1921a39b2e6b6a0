package io.daosmesh.engine.runtime;

import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.port.Maps;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;

/**
 * Fetches maps that others speak of. What they say is no more than a reason to ask the pool service for its newest: of one
 * pool one question at a time, and the next one only after a pause, however many versions are heard of. Any thread.
 */
final class MapPulls {
    private static final Logger log = LoggerFactory.getLogger(MapPulls.class);
    /** Between two questions for the same pool. */
    private static final Duration PAUSE = Duration.ofMillis(20);

    private final Maps maps;
    private final Answers answers;
    /** Pools with a question under way or just answered; true when one more has to follow, for who came after it was asked. */
    private final Map<UUID, Boolean> asked = new ConcurrentHashMap<>();

    /** What becomes of an answer. Any thread. */
    interface Answers {
        /** A map that was here already. */
        void onKnown(PoolMap map);

        /** @param askedNs when the pool service was asked, by {@code System.nanoTime} */
        void onNewest(PoolMap map, long askedNs);
    }

    MapPulls(Maps maps, Answers answers) {
        this.maps = maps;
        this.answers = answers;
    }

    void want(UUID pool, int version) {
        Optional<PoolMap> known = maps.poolMap(pool).filter(m -> m.version() >= version);
        if (known.isPresent()) {
            answers.onKnown(known.get());
            return;
        }
        boolean[] isFirst = new boolean[1];
        asked.compute(pool, (p, again) -> {
            isFirst[0] = again == null;
            return again != null;
        });
        if (isFirst[0]) ask(pool);
    }

    private void ask(UUID pool) {
        long nowNs = System.nanoTime();
        maps.newestPoolMap(pool)
                .doFinally(s -> onEnd(pool))
                .subscribe(
                        m -> answers.onNewest(m, nowNs),
                        e -> log.warn(
                                "map of pool {}: {}",
                                pool,
                                FaultException.faultOf(e).message()));
    }

    private void onEnd(UUID pool) {
        Mono.delay(PAUSE).subscribe(x -> afterPause(pool), e -> log.warn("map of pool {}: {}", pool, e.toString()));
    }

    private void afterPause(UUID pool) {
        Boolean again = asked.computeIfPresent(pool, (p, more) -> more ? Boolean.FALSE : null);
        if (again != null) ask(pool);
    }
}
