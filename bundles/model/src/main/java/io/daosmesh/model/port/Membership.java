package io.daosmesh.model.port;

import java.time.Duration;

/**
 * Failure detection of this node's ranks, published by the swim bundle as an OSGi service. Any thread.
 */
public interface Membership {
    /** The reason of a death of which this node has no evidence of its own: no truer than whoever told it. */
    String TOLD_BY_OTHERS = "told by others";

    /** Liveness as gossip sees it. */
    enum Liveness {
        INACTIVE,
        ALIVE,
        SUSPECT,
        DEAD,
        RESTARTING
    }

    Liveness liveness(int rank);

    /**
     * {@link System#nanoTime()} of the last moment at which this rank had fresh answers from a majority of the listed
     * members (itself included). A rank that has none for longer than the shortest exclusion time must not serve reads.
     */
    long lastMajorityContactNs(int localRank);

    /** Announces a planned, bounded absence of the engine: nobody suspects the rank meanwhile. */
    void announceRestarting(int localRank, Duration bound);

    AutoCloseable listen(Listener listener);

    /** Called on the membership loop; must not block. */
    interface Listener {
        void onAlive(int rank, long incarnation);

        void onSuspect(int rank, long incarnation);

        void onDead(int rank, long incarnation, String reason);
    }
}
