package io.daosmesh.itests.sim.machine;

import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;

/** Virtual time and the one source of chance: a run is its seed. Owner: the thread of the test. */
public final class Timeline {
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

    public Timeline(long seed) {
        random = new SplittableRandom(seed);
    }

    public static long ms(long milliseconds) {
        return milliseconds * 1_000_000L;
    }

    public long nowNs() {
        return nowNs;
    }

    public void after(long delayNs, Runnable action) {
        events.add(new Event(nowNs + Math.max(0, delayNs), order++, action));
    }

    /** Runs on until it holds or the time is over; true if it holds. */
    public boolean runUntil(BooleanSupplier condition, long maxNs) {
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

    public long between(long fromNs, long toNs) {
        return random.nextLong(fromNs, toNs);
    }

    public int below(int bound) {
        return random.nextInt(bound);
    }

    public boolean happens(double probability) {
        return random.nextDouble() < probability;
    }

    /** Some microseconds, now and then a hundred times as long: what comes later may arrive sooner. */
    public long latencyNs() {
        long ns = between(50_000, 1_500_000);
        return below(50) == 0 ? ns * 100 : ns;
    }
}
