package io.daosmesh.engine.runtime.loop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.storage.kv.MemoryKvStore;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class TargetLoopTest {
    private static final long WAIT_MS = 10_000;

    private final ScheduledExecutorService network = Executors.newSingleThreadScheduledExecutor();
    private final List<String> seen = Collections.synchronizedList(new ArrayList<>());
    private final TargetLoop loop = new TargetLoop("t", network, new MemoryKvStore(), e -> seen.add("broken"), f -> {});

    @AfterEach
    void end() {
        network.shutdownNow();
    }

    @Test
    void keepsTheOrderAlsoOfWhatCameBeforeTheStart() throws Exception {
        loop.execute(() -> seen.add("a"));
        loop.execute(() -> seen.add("b"));
        network.submit(() -> {}).get();
        assertEquals(List.of(), List.copyOf(seen), "nothing runs before the start");
        loop.start(() -> {});
        loop.execute(() -> seen.add("c"));
        loop.stop(WAIT_MS);
        assertEquals(List.of("a", "b", "c"), List.copyOf(seen));
    }

    @Test
    void lettingOthersGoFirstWhenATurnIsLong() throws Exception {
        loop.start(() -> {});
        CountDownLatch held = new CountDownLatch(1);
        network.execute(() -> awaitQuietly(held));
        for (int i = 0; i < 4; i++) {
            loop.execute(() -> {
                spin(TargetLoop.TURN_MAX_NS);
                seen.add("turn");
            });
        }
        network.execute(() -> seen.add("network"));
        held.countDown();
        loop.stop(WAIT_MS);
        assertEquals(List.of("turn", "network", "turn", "turn", "turn"), List.copyOf(seen));
    }

    @Test
    void anErrorDoesNotEndTheLoop() {
        loop.start(() -> {});
        loop.execute(() -> {
            throw new IllegalStateException("wanted by the test");
        });
        loop.execute(() -> seen.add("next"));
        loop.stop(WAIT_MS);
        assertEquals(List.of("broken", "next"), List.copyOf(seen));
    }

    @Test
    void ticksUntilItIsStopped() throws Exception {
        CountDownLatch ticks = new CountDownLatch(3);
        loop.start(ticks::countDown);
        assertTrue(ticks.await(WAIT_MS, TimeUnit.MILLISECONDS));
        loop.stop(WAIT_MS);
        assertFalse(loop.offer(() -> seen.add("late")));
        loop.execute(() -> seen.add("later"));
        network.submit(() -> {}).get();
        assertEquals(List.of(), List.copyOf(seen));
    }

    /** The transport has gone first: stop finds nobody to wait for. */
    @Test
    void stopsAtOnceWhenItsThreadIsGone() {
        loop.start(() -> {});
        network.shutdownNow();
        long startNs = System.nanoTime();
        loop.stop(WAIT_MS);
        assertTrue(System.nanoTime() - startNs < WAIT_MS * 1_000_000 / 2, "it has waited for a thread that is gone");
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void spin(long ns) {
        long endNs = System.nanoTime() + ns;
        while (System.nanoTime() < endNs) Thread.onSpinWait();
    }
}
