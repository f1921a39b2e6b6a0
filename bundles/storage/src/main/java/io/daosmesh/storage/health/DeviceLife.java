package io.daosmesh.storage.health;

import io.daosmesh.model.fault.Invariant;
import io.daosmesh.storage.DeviceState;
import java.util.concurrent.atomic.AtomicLong;

/**
 * State and error counts of one device. Owner: the device's owner loop; errors may be counted by any thread. Pure.
 * Auto-faulty as in DAOS 2.6: read plus write errors above {@code ioErrorsMax}, checksum errors above
 * {@code checksumErrorsMax}.
 */
public final class DeviceLife {
    /** DAOS's max_io_errs. */
    public static final long IO_ERRORS_MAX = 10;

    /** Told of each change: for log, metric and RAS event. */
    @FunctionalInterface
    public interface Listener {
        void onChanged(DeviceState old, DeviceState next, String reason);
    }

    /** Errors counted since the start. */
    public record Errors(long reads, long writes, long unmaps, long checksums) {}

    private final long ioErrorsMax;
    private final long checksumErrorsMax;
    private final Listener listener;
    private volatile DeviceState state;
    private boolean isFaulty;
    /** No target has it yet. */
    private boolean isSpare;

    private final AtomicLong readErrors = new AtomicLong();
    private final AtomicLong writeErrors = new AtomicLong();
    private final AtomicLong unmapErrors = new AtomicLong();
    private final AtomicLong checksumErrors = new AtomicLong();

    public DeviceLife(DeviceState first, long ioErrorsMax, long checksumErrorsMax, Listener listener) {
        this.state = first;
        this.isFaulty = first == DeviceState.FAULTY || first == DeviceState.OUT;
        this.isSpare = first == DeviceState.NEW;
        this.ioErrorsMax = ioErrorsMax;
        this.checksumErrorsMax = checksumErrorsMax;
        this.listener = listener;
    }

    public DeviceState state() {
        return state;
    }

    /** The only place that assigns a state. Nothing happens if the device is already there. */
    public void transition(DeviceState next, String reason) {
        DeviceState old = state;
        if (old == next) return;
        Invariant.check(old.mayBecome(next), "device cannot go from %s to %s (%s)", old, next, reason);
        state = next;
        if (next == DeviceState.FAULTY) isFaulty = true;
        if (next == DeviceState.NORMAL) {
            isFaulty = false;
            isSpare = false;
        }
        listener.onChanged(old, next, reason);
    }

    /** The device is there again. */
    public void onPlugged(String reason) {
        if (state != DeviceState.UNPLUGGED) return;
        if (isFaulty) transition(DeviceState.OUT, reason);
        else transition(isSpare ? DeviceState.NEW : DeviceState.NORMAL, reason);
    }

    /** Another device has its targets: it does not serve when it comes back. */
    public void onReplaced() {
        isFaulty = true;
    }

    public void onUnplugged(String reason) {
        transition(DeviceState.UNPLUGGED, reason);
    }

    public void onReadError() {
        readErrors.incrementAndGet();
    }

    public void onWriteError() {
        writeErrors.incrementAndGet();
    }

    public void onUnmapError() {
        unmapErrors.incrementAndGet();
    }

    public void onChecksumError() {
        checksumErrors.incrementAndGet();
    }

    public Errors errors() {
        return new Errors(readErrors.get(), writeErrors.get(), unmapErrors.get(), checksumErrors.get());
    }

    /** Applies the criteria; true if the device has just become FAULTY. */
    public boolean checkCriteria() {
        if (state != DeviceState.NORMAL) return false;
        Errors e = errors();
        if (e.reads + e.writes > ioErrorsMax) {
            transition(DeviceState.FAULTY, "auto: " + (e.reads + e.writes) + " I/O errors");
            return true;
        }
        if (e.checksums > checksumErrorsMax) {
            transition(DeviceState.FAULTY, "auto: " + e.checksums + " checksum errors");
            return true;
        }
        return false;
    }
}
