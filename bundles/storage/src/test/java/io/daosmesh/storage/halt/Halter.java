package io.daosmesh.storage.halt;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * Ends the process at the n-th call of one stage, as kill -9 does: nothing is closed, what is in the page cache stays. Stages
 * of the start and those of the time after it are counted apart. Any thread.
 */
public final class Halter {
    /** Exit status of a process that got there. */
    public static final int STATUS = 137;

    /** Where in the call. */
    public enum When {
        BEFORE,
        HALF,
        AFTER
    }

    /** One call. @param stage begins with {@code start.} before all is open */
    public record Point(String stage, When when, int number) {
        @Override
        public String toString() {
            return stage + ":" + when + ":" + number;
        }

        public static Point of(String text) {
            String[] parts = text.split(":");
            return new Point(parts[0], When.valueOf(parts[1]), Integer.parseInt(parts[2]));
        }
    }

    private final Point point;
    private final AtomicInteger left;
    private volatile boolean isStarted;

    public Halter(Point point) {
        this.point = point;
        this.left = new AtomicInteger(point.number());
    }

    /** All is open. */
    public void onStarted() {
        isStarted = true;
    }

    public boolean isStarted() {
        return isStarted;
    }

    /** True when this call of the stage is the one to end in. */
    boolean isHere(String stage) {
        String named = isStarted ? stage : "start." + stage;
        return named.equals(point.stage()) && left.decrementAndGet() == 0;
    }

    When when() {
        return point.when();
    }

    /** @param half does a part of what {@code whole} does */
    public <T> T run(String stage, Runnable half, Supplier<T> whole) {
        boolean isHere = isHere(stage);
        if (isHere && point.when() == When.BEFORE) halt();
        if (isHere && point.when() == When.HALF) {
            half.run();
            halt();
        }
        T result = whole.get();
        if (isHere) halt();
        return result;
    }

    static void halt() {
        System.out.flush();
        Runtime.getRuntime().halt(STATUS);
    }
}
