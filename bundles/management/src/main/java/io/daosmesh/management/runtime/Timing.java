package io.daosmesh.management.runtime;

import io.daosmesh.model.fault.Invariant;
import java.time.Duration;

/**
 * How long management waits before it takes something for lost. Immutable.
 *
 * @param replicaGrace how long a replica of a pool's service may be lost before another rank gets it
 * @param firstElectionMax a replica that has just been opened asks to lead after up to this
 * @param electionMin a follower that has not heard its leader for this long, or up to {@code electionMax}, asks to lead
 */
record Timing(Duration replicaGrace, Duration firstElectionMax, Duration electionMin, Duration electionMax) {
    /**
     * Elections: a leader that is silent is replaced in about a second, one whose node gossip knows to be dead at once; one that
     * is paused longer loses its term and nothing else.
     */
    static final Timing DEFAULT =
            new Timing(ReplicaKeeper.GRACE, Duration.ofMillis(600), Duration.ofMillis(400), Duration.ofMillis(800));

    Timing {
        Invariant.check(electionMin.compareTo(electionMax) < 0, "elections from %s to %s", electionMin, electionMax);
    }
}
