package io.daosmesh.model.leader;

import io.daosmesh.model.fault.FaultException;
import java.time.Duration;
import java.util.List;
import java.util.function.LongSupplier;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;

/**
 * Does what a {@link LeaderSearch} says without blocking: asks one after the other, pauses, begins rounds. Owner: one call, on
 * whatever thread its answers come.
 */
public final class LeaderWalk {
    /** Sends the request; an error that is no fault counts as one. */
    @FunctionalInterface
    public interface Asker<T> {
        /** @param leftNs until the caller's deadline */
        Mono<T> ask(String address, long leftNs);
    }

    private final LeaderSearch search;
    private final Mono<List<String>> candidates;
    private final LongSupplier leftNs;
    private final Scheduler pauses;

    /**
     * @param candidates subscribed to at each round; its error is the call's, when it is empty the search has been told why
     * @param leftNs until the caller's deadline; Long.MAX_VALUE = the search ends by itself
     */
    public LeaderWalk(LeaderSearch search, Mono<List<String>> candidates, LongSupplier leftNs, Scheduler pauses) {
        this.search = search;
        this.candidates = candidates;
        this.leftNs = leftNs;
        this.pauses = pauses;
    }

    /** The first answer, or what the search gives up with. */
    public <T> Mono<T> run(Asker<T> asker) {
        return Mono.defer(() -> step(asker));
    }

    private <T> Mono<T> step(Asker<T> asker) {
        long left = leftNs.getAsLong();
        LeaderSearch.Step step = search.next(left);
        if (step instanceof LeaderSearch.Step.GiveUp end)
            return Mono.error(end.why().asException());
        if (step instanceof LeaderSearch.Step.Pause pause)
            return Mono.delay(Duration.ofMillis(pause.ms()), pauses).then(run(asker));
        if (!(step instanceof LeaderSearch.Step.Ask ask))
            return candidates.doOnNext(search::begin).then(run(asker));
        return asker.ask(ask.address(), left).onErrorResume(e -> {
            search.onFault(FaultException.faultOf(e));
            return step(asker);
        });
    }
}
