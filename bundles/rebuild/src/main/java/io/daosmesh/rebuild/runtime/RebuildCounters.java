package io.daosmesh.rebuild.runtime;

import io.daosmesh.rebuild.plan.RankStatus;

/** Sums of a rank's sessions for metrics. Owner: rebuild loop. */
final class RebuildCounters {
    private int sessions;
    private long waiting;
    private long objects;
    private long records;
    private long bytes;

    void add(RankStatus s) {
        sessions++;
        waiting += s.objectsReceived() - s.objectsPulled();
        objects += s.objectsPulled();
        records += s.records();
        bytes += s.bytes();
    }

    int sessions() {
        return sessions;
    }

    long waiting() {
        return waiting;
    }

    long objects() {
        return objects;
    }

    long records() {
        return records;
    }

    long bytes() {
        return bytes;
    }
}
