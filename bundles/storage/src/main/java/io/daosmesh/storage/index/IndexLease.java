package io.daosmesh.storage.index;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.storage.kv.ForwardingKvStore;
import io.daosmesh.storage.kv.KvBatch;
import io.daosmesh.storage.kv.KvStore;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Lets one engine at a time write to an index that outlives engines. A commit of the former one that hangs on a slow medium
 * while the engine is replaced either ends before the new one reads the index, or is refused: it never lands under it. Any
 * thread.
 */
public final class IndexLease {
    private final KvStore kv;
    private final Duration waitMax;
    private final ReentrantLock writing = new ReentrantLock();
    /** Guarded by {@code writing}. */
    private long life;

    /** @param waitMax how long a write of the former holder may still take */
    public IndexLease(KvStore kv, Duration waitMax) {
        this.kv = kv;
        this.waitMax = waitMax;
    }

    public KvStore kv() {
        return kv;
    }

    /** Ends the writing of whoever had it; a store that is lost where a write of the former holder does not end. */
    public KvStore take() {
        try {
            if (!writing.tryLock(waitMax.toMillis(), TimeUnit.MILLISECONDS)) {
                return new DamagedKvStore(
                        Fault.of(FaultCode.IO, "a write of the engine before this one hangs since %s", waitMax));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new DamagedKvStore(Fault.of(FaultCode.IO, "interrupted while the index was taken over"));
        }
        try {
            return new Leased(++life);
        } finally {
            writing.unlock();
        }
    }

    /** The index in the hands of one engine. */
    private final class Leased extends ForwardingKvStore {
        private final long mine;

        Leased(long mine) {
            super(kv);
            this.mine = mine;
        }

        @Override
        public void write(KvBatch batch, boolean isDurable) {
            writing.lock();
            try {
                if (mine != life) {
                    throw Fault.of(FaultCode.UNINIT, "another engine has taken the index over")
                            .asException();
                }
                kv.write(batch, isDurable);
            } finally {
                writing.unlock();
            }
        }

        @Override
        public void close() {
            // storage closes it
        }
    }
}
