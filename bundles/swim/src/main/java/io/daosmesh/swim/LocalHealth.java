package io.daosmesh.swim;

/**
 * How far this member trusts itself (Lifeguard, section 4.1): 0 is healthy, each point stretches its own probe period
 * and timeouts once more, because somebody slow accuses others of being slow. Owner: membership loop.
 */
final class LocalHealth {
    private final int scoreMax;
    private int score;
    private long lastHeardNs;

    LocalHealth(int scoreMax) {
        this.scoreMax = scoreMax;
    }

    void add(int points) {
        score = Math.max(0, Math.min(scoreMax, score + points));
    }

    /** A message of anybody has come. */
    void heard(long nowNs) {
        lastHeardNs = nowNs;
    }

    /** This member slept: it could not have heard anybody. */
    void shift(long byNs) {
        lastHeardNs += byNs;
    }

    /** True when nobody at all has been heard since then: silence is no evidence against anybody. */
    boolean isDeafSince(long sinceNs) {
        return lastHeardNs < sinceNs;
    }

    int score() {
        return score;
    }

    long stretch(long ns) {
        return ns * (score + 1);
    }
}
