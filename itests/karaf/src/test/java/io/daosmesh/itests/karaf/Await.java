package io.daosmesh.itests.karaf;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;

/** Waits with a deadline. */
final class Await {
    private static final long POLL_NS = 50_000_000;

    private Await() {}

    static void until(String what, Duration max, Callable<Boolean> condition) {
        if (!isMet(max, condition)) throw new AssertionError("not within " + max.toSeconds() + " s: " + what);
    }

    static boolean isMet(Duration max, Callable<Boolean> condition) {
        long deadlineNs = System.nanoTime() + max.toNanos();
        try {
            while (!condition.call()) {
                if (System.nanoTime() - deadlineNs > 0) return false;
                LockSupport.parkNanos(POLL_NS);
                if (Thread.interrupted()) throw new InterruptedException("the test's time is over");
            }
            return true;
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }
}
