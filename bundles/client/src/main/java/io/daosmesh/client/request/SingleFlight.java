package io.daosmesh.client.request;

import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

/** Lets callers that want the same thing at the same time share one request for it. Any thread. */
final class SingleFlight<T> {
    private final AtomicReference<@Nullable Mono<T>> running = new AtomicReference<>();

    /** Joins the flight under way, or starts one. */
    Mono<T> join(Supplier<Mono<T>> start) {
        return Mono.defer(() -> {
            Mono<T> joined = running.get();
            if (joined != null) return joined;
            // it ends before it answers: who asks again from within the answer must not join what is over
            Mono<T> mine =
                    Mono.defer(start).doOnTerminate(() -> running.set(null)).cache();
            if (running.compareAndSet(null, mine)) return mine;
            Mono<T> theirs = running.get();
            return theirs != null ? theirs : mine;
        });
    }
}
