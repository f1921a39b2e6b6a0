package io.daosmesh.cli.mesh;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/** Asks again and again until something is so. Stateless. */
final class Waiting {
    /** Between two questions to /proc, which take next to nothing of the processors that starting nodes need. */
    static final Duration SOON = Duration.ofMillis(50);

    /** Between two questions to nodes. */
    static final Duration PATIENT = Duration.ofMillis(300);

    /** What is asked. */
    interface Question {
        boolean isSo() throws java.io.IOException;
    }

    private Waiting() {}

    /** False at the end of the time. */
    static boolean until(Duration max, Duration pause, Question question) throws java.io.IOException {
        long endNs = System.nanoTime() + max.toNanos();
        while (!question.isSo()) {
            if (System.nanoTime() - endNs >= 0) return false;
            LockSupport.parkNanos(pause.toNanos());
        }
        return true;
    }
}
