package io.daosmesh.swim;

import java.util.List;

/**
 * One piece of gossip: what a member believes about a rank. Immutable.
 *
 * @param incarnation the life of the rank this is about (HLC of its start or of its last refutation)
 * @param accusers the ranks that missed its answers themselves; only with SUSPECT, at most {@link #ACCUSERS_MAX}
 * @param restartForNs how long the rank may still be away; only with RESTARTING, else 0
 */
public record SwimUpdate(int rank, MemberState state, long incarnation, List<Integer> accusers, long restartForNs) {

    /** One more than the confirmations that can shorten a suspicion (Lifeguard's K = 3); more say nothing new. */
    public static final int ACCUSERS_MAX = 4;

    public SwimUpdate {
        accusers = List.copyOf(accusers.size() > ACCUSERS_MAX ? accusers.subList(0, ACCUSERS_MAX) : accusers);
        restartForNs = Math.max(0, restartForNs);
    }

    public static SwimUpdate of(int rank, MemberState state, long incarnation) {
        return new SwimUpdate(rank, state, incarnation, List.of(), 0);
    }

    boolean isAccusation() {
        return state == MemberState.SUSPECT || state == MemberState.DEAD;
    }
}
