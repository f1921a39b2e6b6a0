package io.daosmesh.storage.runtime;

/** How often a device changed its driver and what that cost. Writer: owner loop; readers: any thread. */
final class SwapStats {
    private volatile long count;
    private volatile long lastPauseNs;
    private volatile long maxPauseNs;

    void onSwap(long pauseNs) {
        lastPauseNs = pauseNs;
        maxPauseNs = Math.max(maxPauseNs, pauseNs);
        count = count + 1;
    }

    long count() {
        return count;
    }

    long lastPauseNs() {
        return lastPauseNs;
    }

    long maxPauseNs() {
        return maxPauseNs;
    }
}
