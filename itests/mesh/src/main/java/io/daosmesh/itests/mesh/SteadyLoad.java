package io.daosmesh.itests.mesh;

import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Operations of some clients that go on while other things happen, with the time of each kept. Any thread. A failure ends it, and
 * whoever asks next hears of it.
 */
final class SteadyLoad implements AutoCloseable {
    private static final int SAMPLES_MAX = 4_000_000;
    private static final Duration END_MAX = Duration.ofSeconds(120);

    private final long[] begunNs = new long[SAMPLES_MAX];
    private final long[] tookNs = new long[SAMPLES_MAX];
    private final AtomicInteger kept = new AtomicInteger();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private final CountDownLatch ended = new CountDownLatch(1);
    private volatile boolean isStopping;
    private volatile @Nullable Disposable running;

    private SteadyLoad() {}

    static SteadyLoad start(int clients, Load.Operation operation) {
        SteadyLoad load = new SteadyLoad();
        AtomicLong next = new AtomicLong();
        load.running = Flux.range(0, clients)
                .flatMap(
                        client -> Mono.defer(() -> {
                                    long began = System.nanoTime();
                                    return Mono.from(operation.start(next.getAndIncrement()))
                                            .then(Mono.fromRunnable(() -> load.keep(began)));
                                })
                                .repeat(() -> !load.isStopping),
                        clients)
                .doFinally(end -> load.ended.countDown())
                .subscribe(nothing -> {}, load.failure::set);
        return load;
    }

    private void keep(long began) {
        int k = kept.getAndIncrement();
        if (k >= SAMPLES_MAX) return;
        tookNs[k] = System.nanoTime() - began;
        begunNs[k] = began;
    }

    /** Operations that were under way in this time, also those that have begun before it or end after it. */
    Load.Result between(long fromNs, long toNs) {
        check();
        int n = Math.min(kept.get(), SAMPLES_MAX);
        long[] found = new long[n];
        int count = 0;
        for (int i = 0; i < n; i++) {
            boolean isBefore = begunNs[i] + tookNs[i] - fromNs < 0;
            if (tookNs[i] > 0 && !isBefore && begunNs[i] - toNs < 0) found[count++] = tookNs[i];
        }
        long[] sorted = Arrays.copyOf(found, count);
        Arrays.sort(sorted);
        return new Load.Result(sorted, (toNs - fromNs) / 1e9);
    }

    private void check() {
        Throwable f = failure.get();
        if (f != null) throw new IllegalStateException("a client's operation failed: " + f.getMessage(), f);
    }

    /** Returns when the last operation has ended. */
    @Override
    public void close() {
        isStopping = true;
        Disposable r = running;
        try {
            if (!ended.await(END_MAX.toSeconds(), TimeUnit.SECONDS) && r != null) r.dispose();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        check();
    }
}
