package io.daosmesh.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.util.ResourceLeakDetector;
import io.netty.util.ResourceLeakDetectorFactory;
import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;

/** Counts buffers that netty found leaked and threads of the transport that are still there. */
final class Leaks {
    private static final AtomicInteger FOUND = new AtomicInteger();
    private static volatile String last = "";

    private Leaks() {}

    /** Before the first buffer of the JVM: netty picks its detectors once. */
    static void watch() {
        // keep every access of a buffer, so that its whole life can be told
        System.setProperty("io.netty.leakDetection.targetRecords", "100");
        ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.PARANOID);
        ResourceLeakDetectorFactory.setResourceLeakDetectorFactory(new ResourceLeakDetectorFactory() {
            @Override
            @SuppressWarnings("deprecation")
            public <T> ResourceLeakDetector<T> newResourceLeakDetector(
                    Class<T> resource, int samplingInterval, long maxActive) {
                return new ResourceLeakDetector<T>(resource, samplingInterval) {
                    @Override
                    protected void reportTracedLeak(String resourceType, String records) {
                        FOUND.incrementAndGet();
                        last = resourceType + records;
                    }

                    @Override
                    protected void reportUntracedLeak(String resourceType) {
                        FOUND.incrementAndGet();
                        last = resourceType;
                    }
                };
            }
        });
    }

    static void check() {
        checkBuffers("");
        await("threads of the transport are gone", () -> threads().isEmpty());
    }

    /** @param after what has just been done */
    static void checkBuffers(String after) {
        for (int i = 0; i < 2; i++) {
            System.gc();
            // the detector reports when the next buffer is made
            io.netty.buffer.ByteBufAllocator.DEFAULT.directBuffer(16).release();
            io.netty.buffer.Unpooled.buffer(16).release();
        }
        assertEquals(0, FOUND.getAndSet(0), () -> "leaked buffers, the last: " + last + " after " + after);
    }

    static Set<String> threads() {
        Set<String> names = new TreeSet<>();
        for (Thread t : Thread.getAllStackTraces().keySet()) {
            if (t.getName().startsWith("daos-")) names.add(t.getName());
        }
        return names;
    }

    static void await(String what, BooleanSupplier condition) {
        long endNs = System.nanoTime() + Duration.ofSeconds(10).toNanos();
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < endNs, () -> "in time: " + what + " " + threads());
            java.util.concurrent.locks.LockSupport.parkNanos(2_000_000);
        }
    }
}
