package io.daosmesh.model.port;

import io.daosmesh.model.pool.RebuildStatus;
import java.util.UUID;

/** Progress of rebuilds led by this node, published by the rebuild bundle for pool queries. Any thread. */
public interface RebuildProgress {
    RebuildStatus status(UUID pool);
}
