package io.daosmesh.storage.health;

import io.daosmesh.model.fault.Invariant;
import io.daosmesh.model.port.NodeConfig.AutoFaulty;
import io.daosmesh.storage.DeviceState;
import java.util.concurrent.atomic.AtomicLong;

/**
 * State and error counts of one device. Owner: the device's owner loop; errors may be counted by any thread. Pure.
 * Auto-faulty as in DAOS 2.6 ({@code bdev_auto_faulty}): more read and write errors, or more checksum errors, than a
 * device may have.
 */
public final class DeviceLife {
    /** A reason that begins so is the device's own doing. */
    public static final String AUTO = "auto: ";

    /** Told of each change: for log, metric and RAS event. */
    @FunctionalInterface
    public interface Listener {
        void onChanged(DeviceState old, DeviceState next, String reason);
    }

    /** Errors counted since the start. */
    public record Errors(long reads, long writes, long unmaps, long checksums) {}

    private final AutoFaulty autoFaulty;
    private final Listener listener;
    private volatile DeviceState state;
    private boolean isFaulty;
    /** No target has it yet. */
    private boolean isSpare;

    private final AtomicLong readErrors = new AtomicLong();
    private final AtomicLong writeErrors = new AtomicLong();
    private final AtomicLong unmapErrors = new AtomicLong();
    private final AtomicLong checksumErrors = new AtomicLong();
    /** What it had when it came in again: that is forgiven. */
    private Errors forgiven = new Errors(0, 0, 0, 0);

    public DeviceLife(DeviceState first, AutoFaulty autoFaulty, Listener listener) {
        this.state = first;
        this.isFaulty = first == DeviceState.FAULTY || first == DeviceState.OUT;
        this.isSpare = first == DeviceState.NEW;
        this.autoFaulty = autoFaulty;
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
            if (old != DeviceState.UNPLUGGED) forgiven = errors();
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
        if (state != DeviceState.NORMAL || !autoFaulty.isEnabled()) return false;
        Errors e = errors();
        long io = e.reads + e.writes - forgiven.reads - forgiven.writes;
        if (io > autoFaulty.ioErrorsMax()) {
            transition(DeviceState.FAULTY, AUTO + io + " I/O errors, " + autoFaulty.ioErrorsMax() + " are allowed");
            return true;
        }
        long checksums = e.checksums - forgiven.checksums;
        if (checksums > autoFaulty.checksumErrorsMax()) {
            String reason = AUTO + checksums + " checksum errors, " + autoFaulty.checksumErrorsMax() + " are allowed";
            transition(DeviceState.FAULTY, reason);
            return true;
        }
        return false;
    }
}
