package io.daosmesh.storage.log.runtime;

import io.daosmesh.model.fault.FaultException;
import io.daosmesh.storage.kv.KvBatch;

/** One target's share of the log: its batches are numbered and applied in order. Owner: whoever writes the log. */
public final class LogStream {
    /** Takes a batch that is in the log; throws {@link FaultException} when it cannot. */
    public interface Index {
        void apply(long lsn, long position, KvBatch batch);
    }

    final int target;
    final Index index;
    /** Of the last batch that is in the log. */
    long position;

    private volatile long durablePosition;

    LogStream(int target, long position, Index index) {
        this.target = target;
        this.index = index;
        this.position = position;
        this.durablePosition = position;
    }

    /** Number of the last batch that is durable with all before it. Any thread. */
    public long durablePosition() {
        return durablePosition;
    }

    void onPersisted() {
        durablePosition = position;
    }
}
