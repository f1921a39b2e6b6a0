package io.daosmesh.swim;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;

/**
 * The protocol's times and limits; refuses combinations that cannot work with a fault that names the key. Immutable.
 * The derivation of the defaults is in {@code docs/swim.md}.
 */
public record SwimConfig(Probe probe, Suspect suspect, Limits limits) {

    /**
     * When somebody is asked.
     *
     * @param periodNs between two probes of one member
     * @param pingTimeoutNs until helpers are asked as well
     * @param indirectTimeoutNs how much longer until the probe has failed
     * @param tickNs how often the loop runs
     * @param lateNs a loop later than this was asleep: its deadlines move with it and its own health suffers
     */
    public record Probe(long periodNs, long pingTimeoutNs, long indirectTimeoutNs, long tickNs, long lateNs) {
        public Probe {
            require(periodNs > 0, "swim.period.ms", "must be above 0");
            require(pingTimeoutNs > 0, "swim.ping.timeout.ms", "must be above 0");
            require(indirectTimeoutNs > 0, "swim.indirect.timeout.ms", "must be above 0");
            require(tickNs > 0 && tickNs <= periodNs / 2, "swim.tick.ms", "must be above 0 and at most half a period");
            require(lateNs >= tickNs * 2, "swim.late.ms", "must be at least two ticks");
        }
    }

    /**
     * When somebody is given up.
     *
     * @param minNs shortest suspicion in a small mesh; times log10(N) above ten members
     * @param maxFactor the longest suspicion is this many times the shortest (Lifeguard's beta)
     * @param confirmationsMax further accusers after which the suspicion is at its shortest (Lifeguard's K)
     * @param bootGraceNs a member that never answered may be accused after this
     * @param restartMaxNs the longest absence a member may announce
     */
    public record Suspect(long minNs, int maxFactor, int confirmationsMax, long bootGraceNs, long restartMaxNs) {
        public Suspect {
            require(minNs > 0, "swim.suspicion.ms", "must be above 0");
            require(maxFactor >= 1 && maxFactor <= 20, "swim.suspicion.factor", "must be 1..20");
            require(
                    confirmationsMax >= 0 && confirmationsMax < SwimUpdate.ACCUSERS_MAX,
                    "swim.confirmations",
                    "must be 0.." + (SwimUpdate.ACCUSERS_MAX - 1));
            require(bootGraceNs >= 0, "swim.boot.grace.ms", "must not be negative");
            require(restartMaxNs > 0, "swim.restart.max.ms", "must be above 0");
        }
    }

    /**
     * How much at most.
     *
     * @param helpersMax members asked to probe for us
     * @param updatesMax pieces of gossip in one message
     * @param tellFactor each piece is told {@code tellFactor * log2(N + 1)} times
     * @param healthMax worst local health
     * @param rankMax highest rank that can be a member
     * @param pendingMax own probes, and probes for others, under way at once
     */
    public record Limits(int helpersMax, int updatesMax, int tellFactor, int healthMax, int rankMax, int pendingMax) {
        public Limits {
            require(helpersMax >= 1 && helpersMax <= 16, "swim.helpers", "must be 1..16");
            require(updatesMax >= 1 && updatesMax <= 64, "swim.updates", "must be 1..64");
            require(tellFactor >= 1 && tellFactor <= 20, "swim.tell.factor", "must be 1..20");
            require(healthMax >= 0 && healthMax <= 8, "swim.health.max", "must be 0..8");
            require(rankMax >= 1 && rankMax <= 1 << 20, "swim.rank.max", "must be 1..1048576");
            require(pendingMax >= 8 && pendingMax <= 4096, "swim.pending.max", "must be 8..4096");
        }
    }

    public SwimConfig {
        require(
                suspect.minNs() >= probe.pingTimeoutNs() + probe.indirectTimeoutNs(),
                "swim.suspicion.ms",
                "must be at least swim.ping.timeout.ms + swim.indirect.timeout.ms, or nobody could confirm or refute");
        require(
                probe.pingTimeoutNs() + probe.indirectTimeoutNs() <= probe.periodNs() * (limits.pendingMax() / 4),
                "swim.period.ms",
                "is too short for the ping timeouts: more probes would be under way than swim.pending.max allows");
    }

    /** Milliseconds to nanoseconds, for readable tables of times. */
    public static long ms(long milliseconds) {
        return milliseconds * 1_000_000L;
    }

    /**
     * Three members: silence is DEAD between 4.0 s (period phase 0) and 5.2 s (three periods late), so that a pause of
     * 3 s has 1 s left to refute and the limit of 6 s keeps 0.8 s for a busy machine.
     */
    public static SwimConfig defaults() {
        return new SwimConfig(
                new Probe(ms(400), ms(500), ms(500), ms(50), ms(250)),
                new Suspect(ms(3_000), 3, 3, ms(30_000), ms(120_000)),
                new Limits(3, 24, 3, 8, 16_383, 64));
    }

    /** How long a refused connection stays worth confirming: both probe phases, once for each of the two members. */
    long evidenceNs() {
        return 2 * (probe.pingTimeoutNs() + probe.indirectTimeoutNs());
    }

    /** Nothing heard from anybody for that long: it is this member that is cut off (DAOS: 2/3 of the suspicion). */
    long outageNs() {
        return suspect.minNs() * 2 / 3;
    }

    /** Shortest suspicion among {@code memberCount} members, this one included: news needs O(log N) to come round. */
    long suspicionMinNs(int memberCount) {
        return (long) (suspect.minNs() * Math.max(1.0, Math.log10(memberCount)));
    }

    int tellMax(int memberCount) {
        return limits.tellFactor() * (64 - Long.numberOfLeadingZeros(memberCount));
    }

    private static void require(boolean condition, String key, String text) {
        if (!condition) {
            throw Fault.of(FaultCode.INVAL, "%s %s", key, text).with("key", key).asException();
        }
    }
}
