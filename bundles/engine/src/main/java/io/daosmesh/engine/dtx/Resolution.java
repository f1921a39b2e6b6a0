package io.daosmesh.engine.dtx;

import java.util.Collection;

/**
 * How the leader of a group settles a prepared DTX that nobody is driving any more. Pure.
 *
 * <p>A client was answered only after every member had prepared. So if all settled members have it, it may have been
 * acknowledged and must be committed; if one has not, it cannot have been and is aborted everywhere. A member that is
 * alive but does not answer leaves the question open.
 */
public final class Resolution {
    /** What a settled member says about a DTX. */
    public enum Vote {
        UNKNOWN,
        PREPARED,
        COMMITTED,
        NO_ANSWER
    }

    public enum Outcome {
        COMMIT,
        ABORT,
        ASK_AGAIN
    }

    private Resolution() {}

    /**
     * @param others votes of the other settled members of the present map, of its new homes too if the DTX belongs to this
     *     very map; the leader itself has it prepared
     */
    public static Outcome decide(Collection<Vote> others) {
        if (others.contains(Vote.COMMITTED)) return Outcome.COMMIT;
        if (others.contains(Vote.UNKNOWN)) return Outcome.ABORT;
        if (others.contains(Vote.NO_ANSWER)) return Outcome.ASK_AGAIN;
        return Outcome.COMMIT;
    }

    /** What this release does not know is no "no". */
    public static Vote vote(int wireState) {
        return switch (wireState) {
            case 0 -> Vote.UNKNOWN;
            case 1 -> Vote.PREPARED;
            case 2 -> Vote.COMMITTED;
            default -> Vote.NO_ANSWER;
        };
    }
}
