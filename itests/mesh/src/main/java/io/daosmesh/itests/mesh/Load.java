package io.daosmesh.itests.mesh;

import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** A fixed number of operations in flight, their latencies kept. */
final class Load {
    private static final int SAMPLES_MAX = 4_000_000;
    private static final Duration END_MAX = Duration.ofMinutes(10);

    private Load() {}

    /** The i-th operation. */
    @FunctionalInterface
    interface Operation {
        Publisher<?> start(long i);
    }

    /** @param latenciesNs sorted */
    record Result(long[] latenciesNs, double seconds) {
        Bench.Timing timing(int size) {
            double ops = latenciesNs.length / seconds;
            return new Bench.Timing(ops, ops * size / 1e6, 0, at(0.5), at(0.99));
        }

        double at(double quantile) {
            if (latenciesNs.length == 0) return 0;
            return latenciesNs[(int) Math.min(latenciesNs.length - 1L, (long) (quantile * latenciesNs.length))] / 1e3;
        }
    }

    /** Runs for a time; the first failure ends it. */
    static Result run(int inFlight, Duration time, Operation operation) {
        long end = System.nanoTime() + time.toNanos();
        return run(inFlight, i -> System.nanoTime() < end, operation);
    }

    /** Runs a number of operations. */
    static Result run(int inFlight, long count, Operation operation) {
        return run(inFlight, i -> i < count, operation);
    }

    private static Result run(int inFlight, java.util.function.LongPredicate mayGoOn, Operation operation) {
        AtomicLong next = new AtomicLong();
        AtomicInteger kept = new AtomicInteger();
        long[] latencies = new long[SAMPLES_MAX];
        long start = System.nanoTime();
        Flux.range(0, inFlight)
                .flatMap(
                        lane -> Mono.defer(() -> {
                                    long i = next.getAndIncrement();
                                    long began = System.nanoTime();
                                    return Mono.from(operation.start(i)).then(Mono.fromRunnable(() -> {
                                        int k = kept.getAndIncrement();
                                        if (k < SAMPLES_MAX) latencies[k] = System.nanoTime() - began;
                                    }));
                                })
                                .repeat(() -> mayGoOn.test(next.get())),
                        inFlight)
                .then()
                .block(END_MAX);
        long[] sorted = Arrays.copyOf(latencies, Math.min(kept.get(), SAMPLES_MAX));
        Arrays.sort(sorted);
        return new Result(sorted, (System.nanoTime() - start) / 1e9);
    }
}
