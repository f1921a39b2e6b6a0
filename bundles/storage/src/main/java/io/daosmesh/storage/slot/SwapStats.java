package io.daosmesh.storage.slot;

/** How often a device changed its driver and what that cost. Writer: owner loop; readers: any thread. */
public final class SwapStats {
    private volatile long count;
    private volatile long lastPauseNs;
    private volatile long maxPauseNs;

    void onSwap(long pauseNs) {
        lastPauseNs = pauseNs;
        maxPauseNs = Math.max(maxPauseNs, pauseNs);
        count = count + 1;
    }

    public long count() {
        return count;
    }

    public long lastPauseNs() {
        return lastPauseNs;
    }

    public long maxPauseNs() {
        return maxPauseNs;
    }
}
