package io.daosmesh.transport.client;

import java.util.concurrent.atomic.AtomicInteger;

/** What is kept about one address: its two connections with their bounds. Any thread. */
record Peer(Way control, Way data, AtomicInteger firesWaiting, AtomicInteger streams) {
    /** A connection and what may be in flight on it. */
    record Way(Lane lane, Gate gate) {}

    Peer(Way control, Way data) {
        this(control, data, new AtomicInteger(), new AtomicInteger());
    }

    Way way(boolean isData) {
        return isData ? data : control;
    }

    boolean isIdle() {
        return control.lane().isIdle()
                && data.lane().isIdle()
                && control.gate().isEmpty()
                && data.gate().isEmpty()
                && streams.get() == 0
                && firesWaiting.get() == 0;
    }

    void close() {
        control.lane().close();
        data.lane().close();
    }
}
