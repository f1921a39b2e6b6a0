package io.daosmesh.model.port;

import io.daosmesh.model.pool.PoolMap;
import java.util.UUID;
import reactor.core.publisher.Mono;

/**
 * The pool services that this node leads, for the rebuild bundle; published by management as an OSGi service.
 */
public interface PoolServices {
    /** Told at once for every pool led now, then at each change. Called on the management thread; must not block. */
    interface LeaderListener {
        /**
         * This node leads the pool's service and the map asks for a rebuild or not ({@link PoolMap#needsRebuild()}).
         * Called again for each newer map and each new term.
         *
         * @param term Raft term of the leadership: part of a rebuild session's identity
         */
        void onLeading(PoolMap map, long term);

        void onNotLeading(UUID pool);
    }

    AutoCloseable listen(LeaderListener listener);

    /**
     * Commits the end of a rebuild of map version {@code version}: DOWN and DRAIN to DOWNOUT, UP to UPIN. DER_STALE if
     * the map has moved on, DER_NOTLEADER.
     */
    Mono<PoolMap> completeRebuild(UUID pool, int version);

    /** Next generation number for a session of this pool: durable in the pool service, never reused. */
    Mono<Long> nextGeneration(UUID pool);
}
