package io.daosmesh.storage.log.runtime;

import java.util.concurrent.atomic.LongAdder;

/** What a log has done since its start, for the metrics. Any thread. */
public final class LogStats {
    final LongAdder appendedBytes = new LongAdder();
    final LongAdder batches = new LongAdder();
    final LongAdder persists = new LongAdder();
    final LongAdder persistNs = new LongAdder();
    final LongAdder waitNs = new LongAdder();
    final LongAdder checkpoints = new LongAdder();
    final LongAdder checkpointNs = new LongAdder();
    private volatile int freeSegments;

    LogStats() {}

    /** Frames alone: a persist adds what is missing to whole blocks of 4 KiB. */
    public long appendedBytes() {
        return appendedBytes.sum();
    }

    /** Turns of all targets. */
    public long batches() {
        return batches.sum();
    }

    /** One is shared by all turns that wait. */
    public long persists() {
        return persists.sum();
    }

    public long persistNs() {
        return persistNs.sum();
    }

    /** Of writes for a segment to be trimmed. */
    public long waitNs() {
        return waitNs.sum();
    }

    public long checkpoints() {
        return checkpoints.sum();
    }

    public long checkpointNs() {
        return checkpointNs.sum();
    }

    public int freeSegments() {
        return freeSegments;
    }

    void onFree(int count) {
        freeSegments = count;
    }
}
