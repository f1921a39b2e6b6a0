package io.daosmesh.model.port;

import io.daosmesh.model.pool.RebuildStatus;
import java.util.UUID;

/** Progress of rebuilds led by this node, published by the rebuild bundle for pool queries. Any thread. */
public interface RebuildProgress {
    RebuildStatus status(UUID pool);

    /** Everything is moved, and the end of the rebuild is being committed in the pool map. */
    default boolean isFinishing(UUID pool) {
        return false;
    }
}
