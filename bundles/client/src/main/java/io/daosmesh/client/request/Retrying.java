package io.daosmesh.client.request;

import io.daosmesh.client.value.Outcome;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;
import reactor.util.retry.Retry;

/**
 * One call of the application: tries until it succeeds, a fault forbids another try, or its time is over. Any thread; the
 * state of a call lives in its {@link Try}.
 */
public final class Retrying {
    private static final long PAUSE_FIRST_MS = 10;
    private static final long PAUSE_MAX_MS = 500;
    private static final int DOUBLINGS_MAX = 6;

    /** After so many unanswered tries the server is slow rather than gone: wait longer for it. */
    private static final int PATIENT_AFTER_TRIES = 4;

    private final CallSettings config;
    private final Counters counters;

    public Retrying(CallSettings config, Counters counters) {
        this.config = config;
        this.counters = counters;
    }

    /** State of one call. Owner: the call; its tries follow each other, never side by side. */
    public final class Try {
        private final long endNs = System.nanoTime() + config.operationLimit().toNanos();
        private int number;
        private int pauses;
        /** One of the tries may have been carried out although it was not answered so. */
        private boolean mayBeDone;

        /** 0 for the first. */
        int number() {
            return number;
        }

        boolean isResend() {
            return number > 0;
        }

        /** So many were not answered that servers are slow rather than gone. */
        boolean isLate() {
            return number >= PATIENT_AFTER_TRIES;
        }

        public long leftNs() {
            return endNs - System.nanoTime();
        }

        /** How long this try may wait for its answer. */
        Duration limit() {
            long one = config.tryLimit().toNanos() * (isLate() ? 4 : 1);
            return Duration.ofNanos(Math.max(1_000_000L, Math.min(one, leftNs())));
        }

        /** Exponential with jitter, 10 ms to 500 ms. */
        public Mono<Void> pause() {
            long ms = Math.min(PAUSE_MAX_MS, PAUSE_FIRST_MS << Math.min(pauses++, DOUBLINGS_MAX));
            long jittered = ThreadLocalRandom.current().nextLong(ms / 2 + 1, ms + 1);
            return Mono.delay(Duration.ofMillis(jittered), Schedulers.parallel())
                    .then();
        }
    }

    /** What to do before another try; an error from it ends the call. */
    @FunctionalInterface
    public interface Recovery {
        Mono<Void> recover(Fault fault, Try failed);

        /** After which the same request, with the same DTX id, may be sent again without doing anything twice. */
        default boolean mayTryAgain(Fault fault) {
            return fault.code().retry() != FaultCode.Retry.NEVER;
        }
    }

    public <T> Mono<T> run(Function<Try, Mono<T>> oneTry, Recovery recovery) {
        return Mono.defer(() -> run(oneTry, recovery, new Try()));
    }

    /** For changes: the fault at the end tells by {@link Outcome} whether any try may have been carried out. */
    public <T> Mono<T> change(Function<Try, Mono<T>> oneTry, Recovery recovery) {
        return Mono.defer(() -> {
            Try state = new Try();
            Function<Try, Mono<T>> watched =
                    t -> oneTry.apply(t).doOnError(e -> t.mayBeDone |= Outcome.of(e) == Outcome.UNKNOWN);
            return run(watched, recovery, state)
                    .onErrorMap(
                            e -> state.mayBeDone,
                            e -> Outcome.unknown(FaultException.faultOf(e)).asException());
        });
    }

    private <T> Mono<T> run(Function<Try, Mono<T>> oneTry, Recovery recovery, Try state) {
        return Mono.defer(() -> {
                    counters.requests.increment();
                    return oneTry.apply(state);
                })
                .retryWhen(Retry.from(
                        failures -> failures.concatMap(signal -> again(signal.failure(), state, recovery), 1)));
    }

    private Mono<Boolean> again(Throwable error, Try state, Recovery recovery) {
        Fault fault = FaultException.faultOf(error);
        if (!recovery.mayTryAgain(fault)) return Mono.error(ended(fault, error));
        if (state.leftNs() <= 0) return Mono.error(ended(overdue(fault, state), null));
        return recovery.recover(fault, state).then(Mono.fromSupplier(() -> {
            if (state.leftNs() <= 0) throw ended(overdue(fault, state), null);
            state.number++;
            counters.retries.increment();
            return true;
        }));
    }

    private RuntimeException ended(Fault fault, @Nullable Throwable cause) {
        if (fault.code() != FaultCode.NONEXIST && fault.code() != FaultCode.EXIST) counters.failures.increment();
        return cause instanceof FaultException e ? e : fault.asException();
    }

    private Fault overdue(Fault last, Try state) {
        return last.with("tries", state.number + 1)
                .with("gave_up_after_ms", config.operationLimit().toMillis());
    }
}
