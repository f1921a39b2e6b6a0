package io.daosmesh.itests.sim.pool;

/** What may go wrong besides the usual. */
public enum Hazard {
    /** Ranks are put out although a group is left without a holder; ranks are away for long. */
    EMPTIED_GROUPS,
    /** Some maps reach nobody but the new leader, and the next one follows within a lease. */
    SKIPPED_MAPS,
    /** A blocked connection delivers a request seconds later, when it has been sent again. */
    LATE_TRIES,
    /** Clients end a call without knowing its outcome and go on. */
    GIVEN_UP_CALLS,
    /** The device of one rank changes bytes that are stored on it. */
    BAD_BLOCKS,
    /** Small devices that somebody fills, and empties again: rebuilds find no room. */
    FULL_TARGETS,
    /** The device of a rank answers nothing for a while, or never again. */
    HANGING_DEVICES,
    /**
     * A target stops serving, as one whose index fails, and is put out some seconds later with what it says it took: whoever was away
     * and came back meanwhile may be the only source.
     */
    STOPPED_TARGETS,
    /** Wall clocks are set forward or back by some seconds, at work and over a restart, and mended after a while. */
    CLOCK_STEPS,
    /** The pool begins on fewer ranks and is extended by the others, one after the other, whatever else goes on. */
    EXTENSION,
    /** Clients send requests with repeated, overlapping and empty values. */
    ODD_INPUT
}
