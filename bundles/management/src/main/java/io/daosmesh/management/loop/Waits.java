package io.daosmesh.management.loop;

import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import java.time.Duration;
import java.util.function.Predicate;
import reactor.core.publisher.Mono;
import reactor.util.retry.Retry;

/** Repetition with pauses, on the management loop's clock. */
public final class Waits {
    private static final Duration PAUSE = Duration.ofMillis(200);

    private Waits() {}

    /** Again after a pause while the fault is of that kind and the end has not come. */
    public static Retry retry(Loop loop, long endNs, Predicate<FaultCode> again) {
        return Retry.from(signals -> signals.concatMap(s -> {
            FaultException e = FaultException.faultOf(s.failure()).asException();
            boolean more = again.test(e.code()) && System.nanoTime() < endNs;
            return more ? Mono.delay(PAUSE, loop.scheduler()) : Mono.<Long>error(e);
        }));
    }
}
