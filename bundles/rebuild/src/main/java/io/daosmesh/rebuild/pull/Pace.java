package io.daosmesh.rebuild.pull;

/** Keeps what a rank pulls for one pool below a rate that may change at any time. Owner: rebuild loop. Pure. */
public final class Pace {
    /** Longest pause: a source that waits much longer for its puller counts as lost. */
    static final long PAUSE_MAX_NS = 3_000_000_000L;

    private long dueNs;
    private boolean isBegun;

    /**
     * Pause before more is stored.
     *
     * @param bytes that have come
     * @param bytesPerSecond at most; 0 = as fast as they come
     */
    public long pauseNs(long bytes, long bytesPerSecond, long nowNs) {
        if (!isBegun || dueNs - nowNs < 0) dueNs = nowNs;
        isBegun = true;
        if (bytesPerSecond > 0) dueNs += (long) (1e9 * bytes / bytesPerSecond);
        else dueNs = nowNs;
        if (dueNs - nowNs > PAUSE_MAX_NS) dueNs = nowNs + PAUSE_MAX_NS;
        return dueNs - nowNs;
    }
}
