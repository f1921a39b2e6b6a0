package io.daosmesh.itests.mesh;

import io.daosmesh.client.KeyValue;
import io.daosmesh.client.value.Condition;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Keeps writing and reading key-value entries and remembers what was acknowledged, so that every read and the final check can
 * tell a lost or a wrong value. Each writer owns its keys: between its calls the value of a key is exactly known.
 */
public final class Workload implements AutoCloseable {
    /** Entries of one writer; small enough that each is overwritten often. */
    private static final int KEYS = 64;

    private static final Duration CALL_MAX = Duration.ofSeconds(90);

    /** Between two calls: without it few writers keep all processors from nodes that start. */
    private static final long PAUSE_NS = 2_000_000;

    private final KeyValue store;
    private final String name;
    private final int valueBytes;
    private final ExecutorService writers;
    private final ConcurrentHashMap<String, Long> acknowledged = new ConcurrentHashMap<>();
    private final AtomicLong operations = new AtomicLong();
    private final AtomicLong failures = new AtomicLong();
    private final AtomicLong wrong = new AtomicLong();
    private final AtomicLong longestNs = new AtomicLong();
    private final AtomicReference<@Nullable String> firstProblem = new AtomicReference<>();
    private volatile boolean isStopping;

    public Workload(KeyValue store, String name, int writerCount, int valueBytes) {
        this.store = store;
        this.name = name;
        this.valueBytes = Math.max(valueBytes, 16);
        this.writers = Executors.newFixedThreadPool(writerCount, r -> {
            Thread t = new Thread(r, "workload");
            t.setDaemon(true);
            return t;
        });
        for (int w = 0; w < writerCount; w++) {
            int writer = w;
            writers.execute(() -> run(writer));
        }
    }

    public long operations() {
        return operations.get();
    }

    public long failures() {
        return failures.get();
    }

    /** Values read that were not the last acknowledged ones. */
    public long wrong() {
        return wrong.get();
    }

    /** Longest single call since the last time this was asked. */
    public double takeLongestMs() {
        return longestNs.getAndSet(0) / 1e6;
    }

    public String problem() {
        String p = firstProblem.get();
        return p == null ? "" : p;
    }

    private void run(int writer) {
        long sequence = 0;
        while (!isStopping) {
            String key = name + "-" + writer + "-" + ThreadLocalRandom.current().nextInt(KEYS);
            if (ThreadLocalRandom.current().nextBoolean()) write(key, ++sequence);
            else check(key);
            LockSupport.parkNanos(PAUSE_NS);
        }
    }

    private void write(String key, long sequence) {
        timed("put " + key, () -> {
            store.put(key.getBytes(StandardCharsets.UTF_8), value(key, sequence), Condition.NONE)
                    .block(CALL_MAX);
            acknowledged.put(key, sequence);
        });
    }

    private void check(String key) {
        Long expected = acknowledged.get(key);
        if (expected == null) return;
        timed("get " + key, () -> {
            byte[] found = store.get(key).block(CALL_MAX);
            if (!Arrays.equals(found, value(key, expected))) {
                wrong.incrementAndGet();
                firstProblem.compareAndSet(null, "wrong value of " + key + " #" + expected + ": " + describe(found));
            }
        });
    }

    private static String describe(byte @Nullable [] found) {
        if (found == null) return "absent";
        return found.length + " bytes, #"
                + (found.length < 16 ? -1 : ByteBuffer.wrap(found).getLong(8));
    }

    private void timed(String what, Runnable call) {
        long start = System.nanoTime();
        try {
            call.run();
            operations.incrementAndGet();
        } catch (RuntimeException e) {
            // A write that failed may or may not be there: its key is not checked until it is written again.
            if (what.startsWith("put ")) acknowledged.remove(what.substring(4));
            if (isStopping && e.getCause() instanceof InterruptedException) return;
            failures.incrementAndGet();
            firstProblem.compareAndSet(null, what + ": " + e.getMessage());
        } finally {
            longestNs.accumulateAndGet(System.nanoTime() - start, Math::max);
        }
    }

    /** Key and sequence in front, the rest follows from them. */
    private byte[] value(String key, long sequence) {
        ByteBuffer b = ByteBuffer.allocate(valueBytes);
        b.putLong(key.hashCode()).putLong(sequence);
        long x = key.hashCode() * 31L + sequence;
        while (b.remaining() >= 8) {
            x = x * 6364136223846793005L + 1442695040888963407L;
            b.putLong(x);
        }
        return b.array();
    }

    /** Ends the writers, then reads every acknowledged value once more. */
    public void stopAndVerify() throws InterruptedException {
        isStopping = true;
        writers.shutdown();
        if (!writers.awaitTermination(100, TimeUnit.SECONDS)) {
            failures.incrementAndGet();
            firstProblem.compareAndSet(null, "a call did not end within 100 s");
        }
        acknowledged.keySet().forEach(this::check);
    }

    @Override
    public void close() {
        isStopping = true;
        writers.shutdownNow();
    }
}
