package io.daosmesh.model.port;

import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.PoolMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import reactor.core.publisher.Mono;

/**
 * The newest maps this node knows, kept by the management bundle from pushes and pulls; published as an OSGi service. Any
 * thread; versions never go back.
 */
public interface Maps {
    GroupMap groupMap();

    /**
     * Whether the node of this control address belongs to the system, as far as is known here: it holds ranks in any state, or can
     * lead the management service.
     */
    boolean isMember(String address);

    Optional<PoolMap> poolMap(UUID pool);

    List<UUID> pools();

    /** A pool map of at least {@code minVersion}, pulled from the pool service if needed; DER_TIMEDOUT, DER_NONEXIST. */
    Mono<PoolMap> poolMap(UUID pool, int minVersion);

    /**
     * The pool map as the pool service has it: everything acknowledged before the subscription is in it, so that a newer version
     * than its own, heard of before, was never made. DER_TIMEDOUT, DER_NONEXIST.
     */
    Mono<PoolMap> newestPoolMap(UUID pool);

    /** The listener is told the current maps at once and then every newer one, in order, on one thread. */
    AutoCloseable listen(Listener listener);

    /** Called on the management thread; must not block. */
    interface Listener {
        default void onGroupMap(GroupMap map) {}

        default void onPoolMap(PoolMap map) {}

        /**
         * The properties of a pool, all that have been set, in front of the map that they came with; again after each change. One
         * that is set to nothing is not among them.
         */
        default void onPoolProperties(UUID pool, Map<String, String> properties) {}

        default void onPoolGone(UUID pool) {}
    }
}
