package io.daosmesh.admin;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.leader.LeaderSearch;
import io.daosmesh.model.leader.LeaderSearch.Step;
import io.daosmesh.model.rpc.RpcMethod;
import java.time.Duration;
import java.util.List;

/**
 * One call to whoever leads a service, as {@link LeaderSearch} finds it. Only for requests that are safe to resend: reads, and
 * writes that carry a request id. Owner: the calling thread, which it blocks.
 */
final class LeaderCall {
    private static final LeaderSearch.Manner MANNER =
            new LeaderSearch.Manner(Integer.MAX_VALUE, 3, false, true, 100, 100);

    /** Sends one request; throws FaultException. */
    interface Sender<T> {
        T send(String address, Duration deadline);
    }

    private final List<String> candidates;
    private final long endNs;
    private final long tryMaxNs;

    LeaderCall(List<String> candidates, Duration deadline, Duration tryMax) {
        this.candidates = candidates;
        this.endNs = System.nanoTime() + deadline.toNanos();
        this.tryMaxNs = tryMax.toNanos();
    }

    <T> T run(RpcMethod method, Sender<T> sender) {
        if (candidates.isEmpty()) {
            throw Fault.of(FaultCode.INVAL, "no host to ask for %s", method.name())
                    .asException();
        }
        LeaderSearch search =
                new LeaderSearch(MANNER, "", Fault.of(FaultCode.TIMEDOUT, "no answer to %s in time", method.name()));
        while (true) {
            long leftNs = endNs - System.nanoTime();
            Step step = search.next(leftNs);
            if (step instanceof Step.GiveUp end) throw end.why().asException();
            if (step instanceof Step.Round) search.begin(candidates);
            if (step instanceof Step.Pause pause) pause(pause.ms());
            if (step instanceof Step.Ask ask) {
                try {
                    return sender.send(ask.address(), Duration.ofNanos(Math.min(leftNs, tryMaxNs)));
                } catch (FaultException e) {
                    search.onFault(e.fault());
                }
            }
        }
    }

    private static void pause(long ms) {
        try {
            Thread.sleep(ms);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw Fault.of(FaultCode.CANCELED, "interrupted").asException();
        }
    }
}
