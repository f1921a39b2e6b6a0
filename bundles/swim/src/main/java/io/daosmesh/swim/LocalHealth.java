package io.daosmesh.swim;

/**
 * How far this member trusts itself (Lifeguard, section 4.1): 0 is healthy, each point stretches its own probe period
 * and timeouts once more, because somebody slow accuses others of being slow. Owner: membership loop.
 */
final class LocalHealth {
    private final int scoreMax;
    private int score;

    LocalHealth(int scoreMax) {
        this.scoreMax = scoreMax;
    }

    void add(int points) {
        score = Math.max(0, Math.min(scoreMax, score + points));
    }

    int score() {
        return score;
    }

    long stretch(long ns) {
        return ns * (score + 1);
    }
}
