package io.daosmesh.itests.sim.history;

/**
 * What the checker says of a history. Immutable.
 *
 * @param steps how often a call was tried as the next one
 * @param detail for a history that cannot be explained: how far it can be, and the calls that do not fit
 */
public record Verdict(Result result, long steps, String detail) {
    /** Three answers: who runs out of steps does not say that all is well. */
    public enum Result {
        LINEARIZABLE,
        NOT_LINEARIZABLE,
        UNDECIDED
    }

    public boolean isLinearizable() {
        return result == Result.LINEARIZABLE;
    }
}
