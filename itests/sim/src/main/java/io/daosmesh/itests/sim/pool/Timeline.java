package io.daosmesh.itests.sim.pool;

import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;

/** Virtual time and the one source of chance: a run is its seed. Owner: the thread of the test. */
final class Timeline {
    private record Event(long atNs, long order, Runnable action) implements Comparable<Event> {
        @Override
        public int compareTo(Event other) {
            int byTime = Long.compare(atNs, other.atNs);
            return byTime != 0 ? byTime : Long.compare(order, other.order);
        }
    }

    private final PriorityQueue<Event> events = new PriorityQueue<>();
    private final SplittableRandom random;
    /** Not 0: a program that takes 0 for "never" must not get away with it. */
    private long nowNs = 1_000_000_000_000L;

    private long order;

    Timeline(long seed) {
        random = new SplittableRandom(seed);
    }

    static long ms(long milliseconds) {
        return milliseconds * 1_000_000L;
    }

    long nowNs() {
        return nowNs;
    }

    void after(long delayNs, Runnable action) {
        events.add(new Event(nowNs + Math.max(0, delayNs), order++, action));
    }

    /** Runs on until it holds or the time is over; true if it holds. */
    boolean runUntil(BooleanSupplier condition, long maxNs) {
        long endNs = nowNs + maxNs;
        while (!condition.getAsBoolean()) {
            Event next = events.peek();
            if (next == null || next.atNs > endNs) {
                nowNs = endNs;
                return false;
            }
            events.remove();
            nowNs = next.atNs;
            next.action.run();
        }
        return true;
    }

    long between(long fromNs, long toNs) {
        return random.nextLong(fromNs, toNs);
    }

    int below(int bound) {
        return random.nextInt(bound);
    }

    boolean happens(double probability) {
        return random.nextDouble() < probability;
    }

    /** Some microseconds, now and then a hundred times as long: what comes later may arrive sooner. */
    long latencyNs() {
        long ns = between(50_000, 1_500_000);
        return below(50) == 0 ? ns * 100 : ns;
    }
}
