package io.daosmesh.transport;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.scheduler.Schedulers;

class SteadyTimerTest {
    private final SteadyTimer timer = new SteadyTimer(Schedulers.newSingle("deadlines", true));

    @AfterEach
    void close() {
        timer.dispose();
    }

    @Test
    void shouldTickWhileDeadlinesAreManyAndSleepAfterwards() {
        await(() -> {
            for (int i = 0; i < 32; i++)
                timer.schedule(() -> {}, 1, TimeUnit.HOURS).dispose();
            return timer.isTicking();
        });

        await(() -> !timer.isTicking());
    }

    @Test
    void shouldSleepWhileDeadlinesAreFew() {
        timer.schedule(() -> {}, 1, TimeUnit.HOURS).dispose();
        timer.schedule(() -> {}, 1, TimeUnit.HOURS).dispose();

        assertFalse(timer.isTicking());
    }

    @Test
    void shouldRunWhatIsDueTickingOrNot() throws InterruptedException {
        CountDownLatch due = new CountDownLatch(40);

        for (int i = 0; i < 40; i++) timer.schedule(due::countDown, 1 + i % 3, TimeUnit.MILLISECONDS);

        assertTrue(due.await(10, TimeUnit.SECONDS));
    }

    private static void await(BooleanSupplier condition) {
        long endNs = System.nanoTime() + Duration.ofSeconds(10).toNanos();
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < endNs, "not in time");
            Thread.onSpinWait();
        }
    }
}
