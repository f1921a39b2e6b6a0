package io.daosmesh.management.loop;

import io.daosmesh.model.fault.Invariant;
import java.time.Duration;

/**
 * How long management waits before it takes something for lost. Immutable.
 *
 * @param replicaGrace how long a replica of a pool's service may be lost before another rank gets it
 * @param firstElectionMax a replica that has just been opened asks to lead after up to this
 * @param silenceGrace for so long after a start, its own or the rank's, a pool takes no rank for silent: all that starts is slow
 * @param electionMin a follower that has not heard its leader for this long, or up to {@code electionMax}, asks to lead
 */
public record Timing(
        Duration replicaGrace,
        Duration silenceGrace,
        Duration firstElectionMax,
        Duration electionMin,
        Duration electionMax) {
    /**
     * A killed and restarted node is back within about 15 s; one that is away longer costs the pool its next failure. A
     * replica is small: moving one for nothing is cheap.
     */
    private static final Duration REPLICA_GRACE = Duration.ofSeconds(20);

    /** As gossip gives those that start. */
    private static final Duration SILENCE_GRACE = Duration.ofSeconds(30);

    /**
     * Elections: a leader that is silent is replaced in about a second, one whose node gossip knows to be dead at once; one that
     * is paused longer loses its term and nothing else.
     */
    public static final Timing DEFAULT = new Timing(
            REPLICA_GRACE, SILENCE_GRACE, Duration.ofMillis(600), Duration.ofMillis(400), Duration.ofMillis(800));

    public Timing {
        Invariant.check(electionMin.compareTo(electionMax) < 0, "elections from %s to %s", electionMin, electionMax);
    }
}
