package io.daosmesh.storage;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Counts what a pool uses of its SCM on one target against what it has. Charging: target loop; reading: any thread.
 * A part is kept for deletes and rebuild, so that a full pool can still be emptied.
 */
public final class SpaceAccount {
    /** DAOS keeps 5 % of a pool for its own work. */
    private static final int RESERVE_MIN_PART = 20;

    private final long totalBytes;
    private volatile long reserveBytes;
    private final AtomicLong usedBytes = new AtomicLong();

    public SpaceAccount(long totalBytes) {
        this.totalBytes = totalBytes;
        keep(0);
    }

    /** @param percent of the account that ordinary updates do not get; at least a twentieth stays */
    public void keep(int percent) {
        reserveBytes = Math.max(totalBytes / RESERVE_MIN_PART, totalBytes / 100 * percent);
    }

    public long totalBytes() {
        return totalBytes;
    }

    public long usedBytes() {
        return usedBytes.get();
    }

    /** What ordinary updates can still have. */
    public long freeBytes() {
        return Math.max(0, totalBytes - reserveBytes - usedBytes.get());
    }

    /** An ordinary update; NOSPACE when the account is full. */
    public void charge(long bytes) {
        if (bytes > freeBytes())
            throw Fault.of(FaultCode.NOSPACE, "pool needs %d bytes of SCM, %d are free", bytes, freeBytes())
                    .asException();
        usedBytes.addAndGet(bytes);
    }

    /** Punches, bookkeeping, rebuild, and counting again after a restart: never refused. */
    public void chargeAlways(long bytes) {
        usedBytes.addAndGet(bytes);
    }

    public void release(long bytes) {
        usedBytes.updateAndGet(used -> Math.max(0, used - bytes));
    }
}
