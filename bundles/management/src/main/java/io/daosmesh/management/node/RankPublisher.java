package io.daosmesh.management.node;

import io.daosmesh.model.port.RankIdentity;

/** Makes a joined rank known to the other bundles of this node. May block while they take it or let it go. */
@FunctionalInterface
interface RankPublisher {
    /** Withdrawn by closing the result. */
    AutoCloseable publish(RankIdentity rank);
}
