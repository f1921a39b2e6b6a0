package io.daosmesh.storage.health;

/** How often a device or a log changed its driver and what that cost. Writer: its owner; readers: any thread. */
public final class SwapStats {
    private volatile long count;
    private volatile long lastPauseNs;
    private volatile long maxPauseNs;

    public void onSwap(long pauseNs) {
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
