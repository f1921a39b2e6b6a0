package io.daosmesh.swim;

import java.util.EnumSet;
import java.util.Set;

/**
 * What one member believes about another, and the one table of legal moves. Immutable.
 *
 * <p>A move that is not in the table can only come from a bug: whoever moves a member checks {@link #mayBecome}.
 */
public enum MemberState {
    /** Listed, but has not answered yet: probed, never accused until the bootstrap grace has passed. */
    INACTIVE,
    /** Answers. */
    ALIVE,
    /** Did not answer in time; has until its suspicion expires to refute with a higher incarnation. */
    SUSPECT,
    /** Announced that it will be away until a bound; nobody accuses it before that. */
    RESTARTING,
    /** Gone. Left only by a higher incarnation. */
    DEAD;

    private Set<MemberState> next = Set.of();

    static {
        INACTIVE.next = EnumSet.of(ALIVE, SUSPECT, RESTARTING, DEAD);
        ALIVE.next = EnumSet.of(SUSPECT, RESTARTING, DEAD);
        SUSPECT.next = EnumSet.of(ALIVE, RESTARTING, DEAD);
        RESTARTING.next = EnumSet.of(ALIVE, SUSPECT, DEAD);
        DEAD.next = EnumSet.of(INACTIVE, ALIVE, SUSPECT, RESTARTING);
    }

    public boolean mayBecome(MemberState other) {
        return next.contains(other);
    }
}
