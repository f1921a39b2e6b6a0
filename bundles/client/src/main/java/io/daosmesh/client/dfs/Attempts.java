package io.daosmesh.client.dfs;

import io.daosmesh.client.value.Outcome;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;
import reactor.util.retry.Retry;

/**
 * Steps that read, decide, and change only what they have read: when others were faster they begin anew. Immutable.
 *
 * <p>After a try whose answer was lost such a refusal does not say that nothing was done. It is safe all the same to go on:
 * what expects a version can never be carried out once that is gone. Only what expects a name to be absent could be, when
 * the name becomes free again: see {@link #ofNewName}.
 */
final class Attempts {
    /** With the pauses about 6 s: others that are faster so often are a loop somewhere, rather than bad luck. */
    static final int ATTEMPTS_MAX = 50;

    private static final int PAUSE_FIRST_MS = 20;
    private static final int PAUSE_MAX_MS = 500;
    /** So many before the pauses double: at first it is a matter of one other request. */
    private static final int DOUBLED_EACH = 6;

    private Attempts() {}

    static <T> Mono<T> run(Supplier<Mono<T>> step) {
        return Mono.defer(step)
                .retryWhen(Retry.from(failures ->
                        failures.concatMap(s -> isOvertaken(s.failure()) && s.totalRetries() + 1 < ATTEMPTS_MAX
                                ? pause(s.totalRetries())
                                : Mono.error(s.failure()))));
    }

    /** Somebody else has changed what the step was based on. */
    static boolean isOvertaken(Throwable error) {
        return FaultException.faultOf(error).code() == FaultCode.TX_RESTART;
    }

    /** Others were faster with a name that was free, and a try of ours may still be on its way: it could take it later. */
    static Throwable ofNewName(Throwable error, DfsDirectory.Found before) {
        boolean isOpen = before.entry() == null && isOvertaken(error) && Outcome.of(error) == Outcome.UNKNOWN;
        if (!isOpen) return error;
        return Fault.of(
                        FaultCode.AGAIN,
                        "'%s' was made by others meanwhile, and an answer about it was lost",
                        before.name())
                .asException();
    }

    private static Mono<Long> pause(long number) {
        long longest = Math.min(PAUSE_MAX_MS, (long) PAUSE_FIRST_MS << number / DOUBLED_EACH);
        long ms = ThreadLocalRandom.current().nextLong(1, longest + 1);
        return Mono.delay(Duration.ofMillis(ms), Schedulers.parallel());
    }
}
