package io.daosmesh.storage.health;

/**
 * Time in which somebody looked. While a process is stopped, or who should look is busy, hardly any of it passes: what has
 * had no answer after so much of it has been waited for. Writer: the owner; readers: any thread. Pure.
 */
public final class SeenTime {
    /** Longer than a pause between two looks; what is beyond nobody has seen. */
    static final long STEP_NS_MAX = 1_000_000_000L;

    private volatile long ns;
    private long lookedNs;
    private boolean hasLooked;

    /** @param nowNs of a clock that never goes back */
    public void onLook(long nowNs) {
        if (hasLooked) ns = ns + Math.min(STEP_NS_MAX, Math.max(0, nowNs - lookedNs));
        hasLooked = true;
        lookedNs = nowNs;
    }

    /** Nanoseconds from the first look to the latest. */
    public long ns() {
        return ns;
    }
}
