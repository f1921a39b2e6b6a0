package io.daosmesh.transport.client;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.transport.metric.TransportCounters;
import io.daosmesh.transport.wire.Failures;
import io.rsocket.RSocket;
import io.rsocket.exceptions.SetupException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.core.scheduler.Scheduler;

/**
 * One connection to a peer: opened when first wanted, opened again after a short pause when it broke. Any thread; its
 * state is one atomic reference.
 */
final class Lane {
    /** Whole connect with TLS and token. */
    private static final Duration CONNECT = Duration.ofSeconds(3);

    // Doubles from 10 ms with every failure: a peer that comes back is found within 100 ms, and while it is away a
    // caller learns so at once instead of waiting for one more refused connect.
    private static final long PAUSE_NS = 10_000_000L;
    private static final long PAUSE_MAX_NS = 100_000_000L;
    private static final long REFUSED_SETUP_PAUSE_NS = 500_000_000L;
    private static final long SHORT_LIFE_NS = 1_000_000_000L;

    private final String address;
    private final Supplier<Mono<RSocket>> connect;
    private final Scheduler deadlines;
    private final TransportCounters counters;
    private final Watcher watcher;
    private final AtomicReference<State> state = new AtomicReference<>(new Idle(0, 0, null));

    /** Hears about connections that could not be had or ended without our doing; event loop. */
    interface Watcher {
        void onRefused(String address);

        void onClosedByPeer(String address);
    }

    private sealed interface State {}

    private record Idle(
            int failures, long retryAtNs, @Nullable Fault reason) implements State {}

    private record Connecting(int failures, Sinks.One<RSocket> result) implements State {}

    private record Open(RSocket socket, int failures, long sinceNs) implements State {}

    private record Closed() implements State {}

    Lane(String address, Supplier<Mono<RSocket>> connect, Scheduler deadlines, Watcher watcher, TransportCounters c) {
        this.address = address;
        this.connect = connect;
        this.deadlines = deadlines;
        this.watcher = watcher;
        this.counters = c;
    }

    /** The open connection, or the next one; fails at once during the pause after a failure. */
    Mono<RSocket> socket() {
        for (; ; ) {
            State s = state.get();
            if (s instanceof Open o) {
                return Mono.just(o.socket());
            } else if (s instanceof Connecting c) {
                return c.result().asMono();
            } else if (s instanceof Idle i) {
                if (i.reason() != null && System.nanoTime() - i.retryAtNs() < 0) {
                    return Mono.error(i.reason().asException());
                }
                Connecting c = new Connecting(i.failures(), Sinks.one());
                if (state.compareAndSet(s, c)) {
                    open(c);
                    return c.result().asMono();
                }
            } else {
                return Mono.error(
                        Fault.of(FaultCode.CANCELED, "the transport is closed").asException());
            }
        }
    }

    boolean isIdle() {
        return state.get() instanceof Idle;
    }

    void close() {
        State s = state.getAndSet(new Closed());
        if (s instanceof Open o) o.socket().dispose();
        if (s instanceof Connecting c) {
            c.result()
                    .tryEmitError(Fault.of(FaultCode.CANCELED, "the transport is closed")
                            .asException());
        }
    }

    private void open(Connecting c) {
        Mono<RSocket> attempt;
        try {
            attempt = connect.get();
        } catch (RuntimeException e) {
            attempt = Mono.error(e);
        }
        attempt.timeout(CONNECT, deadlines).subscribe(socket -> onOpen(c, socket), e -> onFailed(c, e));
    }

    private void onOpen(Connecting c, RSocket socket) {
        Open o = new Open(socket, c.failures(), System.nanoTime());
        if (!state.compareAndSet(c, o)) {
            socket.dispose();
            return;
        }
        counters.connectionsOut.increment();
        socket.onClose().subscribe(v -> {}, e -> onClosed(o, e), () -> onClosed(o, null));
        c.result().tryEmitValue(socket);
    }

    private void onFailed(Connecting c, Throwable e) {
        Fault fault = e instanceof java.util.concurrent.TimeoutException
                ? Fault.of(FaultCode.UNREACH, "%s does not answer the connect", address)
                : Failures.of(e, address);
        boolean isRefused = Failures.isRefused(e);
        counters.failedAddresses.increment();
        int failures = c.failures() + 1;
        state.compareAndSet(c, new Idle(failures, System.nanoTime() + pauseNs(failures), fault));
        c.result().tryEmitError(fault.asException());
        if (isRefused) watcher.onRefused(address);
    }

    private void onClosed(Open o, @Nullable Throwable e) {
        counters.connectionsOut.decrement();
        boolean isShort = System.nanoTime() - o.sinceNs() < SHORT_LIFE_NS;
        int failures = isShort ? o.failures() + 1 : 0;
        if (e instanceof SetupException) {
            long retryAtNs = System.nanoTime() + REFUSED_SETUP_PAUSE_NS;
            state.compareAndSet(o, new Idle(failures, retryAtNs, Failures.of(e, address)));
            return;
        }
        Fault fault =
                e == null ? Fault.of(FaultCode.UNREACH, "%s closed the connection", address) : Failures.of(e, address);
        // the first new attempt goes out at once: it tells whether the peer is still there
        long retryAtNs = System.nanoTime() + (failures > 1 ? pauseNs(failures) : 0);
        if (state.compareAndSet(o, new Idle(failures, retryAtNs, fault))) watcher.onClosedByPeer(address);
    }

    private static long pauseNs(int failures) {
        return Math.min(PAUSE_MAX_NS, PAUSE_NS << Math.min(failures - 1, 8));
    }
}
