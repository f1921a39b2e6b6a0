package io.daosmesh.swim;

/** Seeded pseudo-random numbers (SplitMix64, Steele et al. 2014), so that a run is its seed. Owner: membership loop. */
final class Dice {
    private long state;

    Dice(long seed) {
        state = seed;
    }

    long nextLong() {
        state += 0x9E3779B97F4A7C15L;
        long z = state;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    /** Uniform enough in [0, bound): the bias is below bound / 2^63. */
    int nextInt(int bound) {
        return (int) ((nextLong() >>> 1) % bound);
    }
}
