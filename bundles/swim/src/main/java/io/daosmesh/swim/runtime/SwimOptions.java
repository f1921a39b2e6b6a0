package io.daosmesh.swim.runtime;

/**
 * Configuration of failure detection (PID {@code io.daosmesh.swim}); the defaults are derived in {@code docs/swim.md}.
 * All members of a system should have the same.
 */
public @interface SwimOptions {
    /** Between two probes of one member. */
    long swim_period_ms() default 400;

    /** Until helpers are asked as well. */
    long swim_ping_timeout_ms() default 500;

    /** From there until the probe has failed. */
    long swim_indirect_timeout_ms() default 500;

    /** How often the loop runs. */
    long swim_tick_ms() default 50;

    /** A loop later than this was asleep and judges nobody by that time. */
    long swim_late_ms() default 250;

    /** Shortest suspicion in a small mesh. */
    long swim_suspicion_ms() default 3_000;

    /** The longest suspicion is this many times the shortest. */
    int swim_suspicion_factor() default 3;

    /** Further accusers that bring a suspicion to its shortest. */
    int swim_confirmations() default 3;

    /** A listed member that never answered may be accused after this. */
    long swim_boot_grace_ms() default 30_000;

    /** The longest absence a member may announce. */
    long swim_restart_max_ms() default 120_000;

    /** The absence announced when this bundle itself is stopped or replaced. */
    long swim_swap_bound_ms() default 10_000;
}
