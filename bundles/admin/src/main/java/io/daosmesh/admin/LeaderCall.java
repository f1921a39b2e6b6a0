package io.daosmesh.admin;

import com.google.protobuf.MessageLite;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.port.RpcMethod;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * One call to whoever leads a service: asks one candidate after the other, follows hints, tries again what may be tried
 * again, until the deadline. Only for requests that are safe to resend: reads, and writes that carry a request id. Owner: the
 * calling thread, which it blocks.
 */
final class LeaderCall {
    private static final long PAUSE_MS = 100;
    /** Hints that lead in a circle while a leader is being elected must not spin. */
    private static final int HINTS_IN_A_ROW_MAX = 3;

    /** Sends one request; throws FaultException. */
    interface Sender<T> {
        T send(String address, Duration deadline);
    }

    private final Set<String> candidates;
    private final long endNs;
    private final long tryMaxNs;
    private int hintsInARow;

    LeaderCall(List<String> candidates, Duration deadline, Duration tryMax) {
        this.candidates = new LinkedHashSet<>(candidates);
        this.endNs = System.nanoTime() + deadline.toNanos();
        this.tryMaxNs = tryMax.toNanos();
    }

    <T> T run(RpcMethod method, MessageLite request, Sender<T> sender) {
        if (candidates.isEmpty()) {
            throw Fault.of(FaultCode.INVAL, "no host to ask for %s", method.name())
                    .asException();
        }
        Fault last = Fault.of(FaultCode.TIMEDOUT, "no answer to %s in time", method.name());
        while (true) {
            boolean onlyUnreachable = true;
            List<String> round = new ArrayList<>(candidates);
            for (int i = 0; i < round.size(); i++) {
                Duration left = left();
                if (left.isZero()) throw last.asException();
                try {
                    return sender.send(round.get(i), left);
                } catch (FaultException e) {
                    if (!mayTryAgain(e.fault())) throw e;
                    onlyUnreachable &= e.code() == FaultCode.UNREACH;
                    // a dead host says less than what a living one refused with
                    if (onlyUnreachable || e.code() != FaultCode.UNREACH) last = e.fault();
                    String hint = hint(e.fault(), round.get(i));
                    if (!hint.isEmpty()) round.add(i + 1, hint);
                }
            }
            hintsInARow = 0;
            if (onlyUnreachable || System.nanoTime() >= endNs) throw last.asException();
            pause();
        }
    }

    /** The address a refusal points at; empty when it names none or too many were followed in a row. */
    private String hint(Fault fault, String from) {
        if (fault.code().retry() != FaultCode.Retry.AT_HINT) {
            hintsInARow = 0;
            return "";
        }
        fault.argument("replicas")
                .ifPresent(list -> List.of(list.replaceAll("[\\[\\] ]", "").split(",")).stream()
                        .filter(a -> a.contains(":"))
                        .forEach(candidates::add));
        String leader = fault.argument("leader").orElse("");
        if (!leader.contains(":") || leader.equals(from) || ++hintsInARow > HINTS_IN_A_ROW_MAX) return "";
        candidates.add(leader);
        return leader;
    }

    private static boolean mayTryAgain(Fault fault) {
        return switch (fault.code().retry()) {
            case LATER, AT_HINT -> true;
            case AFTER_MAP_REFRESH -> fault.code() != FaultCode.STALE;
            case NEVER, OTHER_REPLICA -> false;
        };
    }

    private Duration left() {
        long left = Math.min(endNs - System.nanoTime(), tryMaxNs);
        return left <= 0 ? Duration.ZERO : Duration.ofNanos(left);
    }

    private static void pause() {
        try {
            Thread.sleep(PAUSE_MS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw Fault.of(FaultCode.CANCELED, "interrupted").asException();
        }
    }
}
