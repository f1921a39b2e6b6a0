package io.daosmesh.transport.client;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.transport.metric.TransportCounters;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

/**
 * Bounds what is in flight to one peer: requests and bytes, and how many wait for their turn. Any thread; one short lock.
 * In order of arrival, so that a large request is not overtaken for ever.
 */
final class Gate {
    private final Limits limits;
    private final TransportCounters counters;
    private final ReentrantLock lock = new ReentrantLock();
    private final Deque<Ticket> waiting = new ArrayDeque<>();
    private final AtomicInteger wakeUps = new AtomicInteger();
    private int requests;
    private long bytes;

    /** @param bytesMax a single request may be larger when nothing else is in flight */
    record Limits(int requestsMax, long bytesMax, int waitingMax) {}

    Gate(Limits limits, TransportCounters counters) {
        this.limits = limits;
        this.counters = counters;
    }

    private enum State {
        NEW,
        WAITING,
        INSIDE,
        GONE
    }

    /** One request's place; state changes under the gate's lock only. */
    static final class Ticket {
        private final int sizeBytes;
        private volatile State state = State.NEW;
        private Sinks.@Nullable Empty<Void> turn;

        Ticket(int sizeBytes) {
            this.sizeBytes = sizeBytes;
        }

        boolean isWaiting() {
            return state == State.WAITING;
        }
    }

    /** Completes when the request may be sent; BUSY when too many wait already. {@link #leave} must follow in any case. */
    Mono<Void> enter(Ticket ticket) {
        lock.lock();
        try {
            if (ticket.state != State.NEW) return Mono.never(); // left before it came
            if (waiting.isEmpty() && fits(ticket)) {
                admit(ticket);
                return Mono.empty();
            }
            if (waiting.size() >= limits.waitingMax()) {
                counters.busyRefusals.increment();
                return Mono.error(() -> busy().asException());
            }
            ticket.state = State.WAITING;
            Sinks.Empty<Void> turn = Sinks.empty();
            ticket.turn = turn;
            waiting.add(ticket);
            counters.requestsWaiting.increment();
            return turn.asMono();
        } finally {
            lock.unlock();
        }
    }

    /** Gives the place back, whatever became of the request; may be called more than once. */
    void leave(Ticket ticket) {
        lock.lock();
        try {
            switch (ticket.state) {
                case INSIDE -> {
                    requests--;
                    bytes -= ticket.sizeBytes;
                    counters.requestsInFlight.decrement();
                }
                case WAITING -> {
                    waiting.remove(ticket);
                    counters.requestsWaiting.decrement();
                }
                case NEW -> {}
                case GONE -> {
                    return;
                }
            }
            ticket.state = State.GONE;
        } finally {
            lock.unlock();
        }
        wake();
    }

    boolean isEmpty() {
        lock.lock();
        try {
            return requests == 0 && waiting.isEmpty();
        } finally {
            lock.unlock();
        }
    }

    Fault busy() {
        return Fault.of(FaultCode.BUSY, "too many requests to one peer")
                .with("requests_max", limits.requestsMax())
                .with("bytes_max", limits.bytesMax());
    }

    /** A loop, not a recursion: a request that fails at once wakes the next from within its own waking. */
    private void wake() {
        if (wakeUps.getAndIncrement() != 0) return;
        int missed = 1;
        do {
            for (Sinks.Empty<Void> next = next(); next != null; next = next()) next.tryEmitEmpty();
            missed = wakeUps.addAndGet(-missed);
        } while (missed != 0);
    }

    private Sinks.@Nullable Empty<Void> next() {
        lock.lock();
        try {
            Ticket first = waiting.peek();
            if (first == null || !fits(first)) return null;
            waiting.remove();
            counters.requestsWaiting.decrement();
            admit(first);
            return first.turn;
        } finally {
            lock.unlock();
        }
    }

    private boolean fits(Ticket ticket) {
        return requests == 0 || requests < limits.requestsMax() && bytes + ticket.sizeBytes <= limits.bytesMax();
    }

    private void admit(Ticket ticket) {
        ticket.state = State.INSIDE;
        requests++;
        bytes += ticket.sizeBytes;
        counters.requestsInFlight.increment();
    }
}
