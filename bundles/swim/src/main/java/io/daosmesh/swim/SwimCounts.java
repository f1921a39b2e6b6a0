package io.daosmesh.swim;

import java.util.Map;

/**
 * What the protocol did and sees, for metrics. Immutable snapshot; counters since the start of the protocol.
 *
 * @param byState other members by state
 * @param localHealth 0 healthy .. 8
 */
public record SwimCounts(
        Map<MemberState, Integer> byState, int localHealth, Traffic traffic, Verdicts verdicts, int gossipQueued) {

    public SwimCounts {
        byState = Map.copyOf(byState);
    }

    /** Probes started (direct, in turn or urgent), probes that failed, messages received and sent. */
    public record Traffic(long probes, long probesFailed, long received, long sent) {}

    /** Changes of belief: suspicions, deaths, own refutations, moments when the own loop was late. */
    public record Verdicts(long suspicions, long deaths, long refutations, long lateLoops) {}
}
