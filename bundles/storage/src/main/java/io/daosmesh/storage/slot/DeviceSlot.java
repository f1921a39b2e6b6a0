package io.daosmesh.storage.slot;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.spi.BlockDevice;
import io.daosmesh.spi.BlockDriver;
import io.daosmesh.spi.DeviceResult;
import io.daosmesh.spi.DeviceSpec;
import io.daosmesh.spi.DeviceStatus;
import io.daosmesh.storage.Blob;
import io.daosmesh.storage.DeviceState;
import io.daosmesh.storage.health.DeviceLife;
import io.daosmesh.storage.health.SwapStats;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One device whose driver may be replaced at any time. Requests come from any thread; everything about drivers happens on
 * the owner loop. While no driver has the device open, requests are parked, bounded in number and by the grace.
 */
public final class DeviceSlot {
    private static final Logger log = LoggerFactory.getLogger(DeviceSlot.class);
    /** A device that answers GONE three times running under a driver that keeps it open is no driver change. */
    private static final int GONE_MAX = 3;

    private static final String EVICTED_REMEDY =
            "its targets are excluded, the others serve: repair or restore the device and start the engine again";
    private static final long RETRY_NS_MIN = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long RETRY_NS_MAX = TimeUnit.MILLISECONDS.toNanos(250);
    /** A request that has been refused for so many times a pause tries again after it: none waits much longer than it has to. */
    private static final int PAUSES_WAITED = 16;

    private static final long BUSY_NS_MAX = TimeUnit.SECONDS.toNanos(10);
    private static final long OPEN_RETRY_NS = TimeUnit.MILLISECONDS.toNanos(200);
    private static final long OPEN_RETRY_UNPLUGGED_NS = TimeUnit.SECONDS.toNanos(1);

    /** What a slot needs of those who know what the device is for. Owner loop. */
    interface Hooks {
        /** Throws a fault if this is not the device the slot stands for. @param isOut it may not answer: others would wait */
        void verify(BlockDevice device, boolean isOut);

        /** A request has failed on the medium while the device was NORMAL. */
        void onMediaError(BlobOp.Kind kind);
    }

    private final DeviceSpec spec;
    private final DeviceLife life;
    private final SlotLimits limits;
    private final ScheduledExecutorService owner;
    private final Hooks hooks;
    private final IoLatency latency;
    private final SwapStats swaps = new SwapStats();
    private final AtomicInteger requestCount = new AtomicInteger();
    private final Unanswered unanswered;
    private final ArrayDeque<BlobOp> parked = new ArrayDeque<>();
    private final AtomicLong parkedTotal = new AtomicLong();
    private volatile @Nullable Lease current;
    private volatile boolean isClosed;
    private volatile @Nullable Fault openFault;
    private volatile boolean isEvicted;
    /** It has left a request without an answer. */
    private volatile boolean wasSilent;

    private int failedOpens;
    private @Nullable Lease leaving;
    private @Nullable BlockDriver wanted;
    private boolean hadDevice;
    private long lostNs;
    private long nextOpenNs;

    DeviceSlot(
            DeviceSpec spec,
            DeviceLife life,
            SlotLimits limits,
            ScheduledExecutorService owner,
            Hooks hooks,
            IoLatency latency) {
        this.spec = spec;
        this.life = life;
        this.limits = limits;
        this.owner = owner;
        this.hooks = hooks;
        this.latency = latency;
        this.unanswered = new Unanswered(limits.answerNsMax());
        this.lostNs = System.nanoTime();
        this.nextOpenNs = lostNs;
    }

    public DeviceSpec spec() {
        return spec;
    }

    public DeviceLife life() {
        return life;
    }

    public SwapStats swaps() {
        return swaps;
    }

    public long parkedTotal() {
        return parkedTotal.get();
    }

    /** Null while no driver has the device open. */
    @Nullable
    public Lease current() {
        return current;
    }

    /** Why the last try to open failed; null after a good one. */
    @Nullable
    Fault openFault() {
        return openFault;
    }

    // ---- requests: any thread ----

    void submit(BlobOp op) {
        if (requestCount.incrementAndGet() > limits.requestsMax()) {
            requestCount.decrementAndGet();
            op.finish(Fault.of(FaultCode.BUSY, "more than %d requests on %s", limits.requestsMax(), spec.address()));
            return;
        }
        dispatch(op);
    }

    private void dispatch(BlobOp op) {
        for (; ; ) {
            Fault refusal = refusal(op);
            if (refusal != null) {
                end(op, refusal);
                return;
            }
            Lease lease = current;
            if (lease == null) {
                if (!op.mayWait()) {
                    end(op, Fault.of(FaultCode.AGAIN, "no driver has %s open right now", spec.address()));
                    return;
                }
                if (park(op)) return;
            } else if (lease.tryAcquire()) {
                unanswered.add(op);
                op.issue(lease.device, (status, detail) -> onAnswer(op, lease, status, detail));
                return;
            }
            // else: the lease was closed between the two looks; current has changed before that
        }
    }

    private @Nullable Fault refusal(BlobOp op) {
        return op.kind == BlobOp.Kind.READ ? refusalOfReads() : refusalOfWrites();
    }

    @Nullable
    Fault refusalOfReads() {
        return refusal(life.state().mayRead() && !isEvicted && !isOutOfReach());
    }

    @Nullable
    Fault refusalOfWrites() {
        return refusal(life.state().mayWrite() && !isOutOfReach());
    }

    /** It owes answers, or has and is not opened again. */
    private boolean isOutOfReach() {
        return unanswered.isSilent() || (wasSilent && current == null);
    }

    /** It has owed an answer for longer than a device does that works. */
    boolean isSlow() {
        return unanswered.isSlow();
    }

    /** What it held is lost to its targets. A faulty one may yet be read. */
    boolean isGivenUp() {
        DeviceState state = life.state();
        return isEvicted || state == DeviceState.TEARDOWN || state == DeviceState.OUT;
    }

    private @Nullable Fault refusal(boolean isAllowed) {
        if (isClosed) return Fault.of(FaultCode.CANCELED, "storage of %s is closing", spec.address());
        if (isAllowed) return null;
        DeviceState state = life.state();
        String what = isOutOfReach() ? "does not answer" : "is " + state.shown();
        return Fault.of(FaultCode.NVME_IO, "device %s %s", spec.address(), what).with("device_state", state.name());
    }

    /** False if a driver has come in the meantime. */
    private boolean park(BlobOp op) {
        Fault refusal;
        synchronized (parked) {
            if (current != null) return false;
            refusal = refusal(op);
            if (refusal == null && parked.size() >= limits.parkedMax())
                refusal =
                        Fault.of(FaultCode.BUSY, "%d requests wait for a driver of %s", parked.size(), spec.address());
            if (refusal == null) {
                parked.add(op);
                parkedTotal.incrementAndGet();
            }
        }
        if (refusal != null) end(op, refusal);
        return true;
    }

    private void end(BlobOp op, @Nullable Fault fault) {
        requestCount.decrementAndGet();
        if (fault == null) latency.record(op);
        op.finish(fault);
    }

    private void onAnswer(BlobOp op, Lease lease, DeviceStatus status, String detail) {
        lease.release();
        if (!unanswered.remove(op)) return;
        switch (status) {
            case OK -> end(op, null);
            case GONE -> onGone(op, lease, detail);
            case BUSY -> onBusy(op, detail);
            case UNSUPPORTED -> end(op, op.kind == BlobOp.Kind.UNMAP ? null : Fault.of(FaultCode.NOSYS, "%s", detail));
            case NO_SPACE ->
                end(op, Fault.of(FaultCode.NOSPACE, "%s", detail).remedy("free space where the emulated device lies"));
            case INVALID -> end(op, Fault.of(FaultCode.INVAL, "%s", detail));
            default -> onMediaError(op, detail);
        }
    }

    /** The driver left before the request was done: all requests are idempotent, so it is done again on the next one. */
    private void onGone(BlobOp op, Lease lease, String detail) {
        if (current == lease) onOwner(() -> onDeviceGone(lease));
        if (!op.mayWait()) end(op, Fault.of(FaultCode.AGAIN, "%s", detail));
        else if (++op.goneCount > GONE_MAX)
            end(op, Fault.of(FaultCode.NVME_IO, "%s", detail).with("device_state", "GONE"));
        else if (current == lease) retry(op, RETRY_NS_MIN);
        else dispatch(op);
    }

    private void onBusy(BlobOp op, String detail) {
        long waitedNs = System.nanoTime() - op.startNs;
        if (!op.mayWait() || waitedNs > BUSY_NS_MAX) end(op, Fault.of(FaultCode.BUSY, "%s", detail));
        else retry(op, Math.max(RETRY_NS_MIN, Math.min(RETRY_NS_MAX, waitedNs / PAUSES_WAITED)));
    }

    private void retry(BlobOp op, long pauseNs) {
        try {
            owner.schedule(() -> dispatch(op), pauseNs, TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException e) {
            end(op, Fault.of(FaultCode.CANCELED, "storage of %s is closing", spec.address()));
        }
    }

    private void onMediaError(BlobOp op, String detail) {
        // before it counts: the check of an earlier error may find this one, and put the device out
        boolean wasNormal = life.state() == DeviceState.NORMAL;
        switch (op.kind) {
            case READ -> life.onReadError();
            case UNMAP -> life.onUnmapError();
            default -> life.onWriteError();
        }
        log.warn("{} of {} failed: {}", op, spec.address(), detail);
        onOwner(() -> {
            if (wasNormal) hooks.onMediaError(op.kind);
            // After a failed flush nobody knows what is on the medium: no counting, it is out.
            if (op.kind == BlobOp.Kind.FLUSH && life.state().mayWrite())
                life.transition(DeviceState.FAULTY, DeviceLife.AUTO + "flush failed: " + detail);
            else life.checkCriteria();
        });
        end(op, Fault.of(FaultCode.NVME_IO, "%s", detail));
    }

    private void onOwner(Runnable work) {
        try {
            owner.execute(work);
        } catch (RejectedExecutionException e) {
            log.debug("{} is closing", spec.address());
        }
    }

    // ---- drivers: owner loop ----

    /** While still serving: the close that follows then has little left to make durable, and the pause stays short. */
    void flushAhead(@Nullable BlockDriver next, Runnable done) {
        Lease lease = current;
        if (lease == null || wasSilent || lease.driver == next || !lease.tryAcquire()) {
            done.run();
            return;
        }
        lease.device.flush((status, detail) -> {
            lease.release();
            done.run();
        });
    }

    /** Stops new requests on the present driver if another one shall serve; {@link #settle} does the rest. */
    void prepare(@Nullable BlockDriver next) {
        wanted = next;
        Lease lease = current;
        if (lease == null || lease.driver == next) return;
        detach(lease);
    }

    private void detach(Lease lease) {
        synchronized (parked) {
            current = null;
        }
        lostNs = System.nanoTime();
        nextOpenNs = lostNs;
        hadDevice = true;
        lease.close();
        leaving = lease;
    }

    /** Finishes with the old driver, waiting at most until the deadline for its requests, and opens the device anew. */
    void settle(long deadlineNs) {
        Lease old = leaving;
        if (old != null) {
            leaving = null;
            if (wasSilent) old.finishAside(spec.address());
            else old.finish(deadlineNs);
        }
        if (current == null) tryOpen();
    }

    void onDeviceGone(Lease lease) {
        if (current != lease) return;
        log.warn("device {} has gone from driver {}", spec.address(), lease.driver.name());
        detach(lease);
        settle(System.nanoTime() + limits.drainNs());
    }

    /** Opens what is not open, and gives a device up whose grace is over or that does not answer. */
    void onTick(long nowNs) {
        giveUp(unanswered.onLook(nowNs));
        if (isClosed || staysOut() || current != null) return;
        if (nowNs >= nextOpenNs) tryOpen();
        if (current == null && nowNs - lostNs > limits.graceNs()) unplug();
    }

    private void tryOpen() {
        BlockDriver driver = wanted;
        boolean isUnplugged = life.state() == DeviceState.UNPLUGGED;
        nextOpenNs = System.nanoTime() + (isUnplugged ? OPEN_RETRY_UNPLUGGED_NS : OPEN_RETRY_NS);
        if (driver == null || isClosed || staysOut()) return;
        DeviceResult<BlockDevice> result = driver.open(spec, false);
        if (!result.isOk()) {
            openFault = openFault(result.status(), result.detail());
            failedOpens++;
            return;
        }
        BlockDevice device = result.get();
        try {
            hooks.verify(device, life.state() == DeviceState.OUT);
        } catch (FaultException e) {
            openFault = e.fault();
            failedOpens++;
            device.close();
            return;
        }
        openFault = null;
        failedOpens = 0;
        publish(new Lease(driver, device, spec));
    }

    /** Tries to open it that have failed one after the other. */
    int failedOpens() {
        return failedOpens;
    }

    /** True when it was found damaged at the start: it stays out until the next one. */
    public boolean isEvicted() {
        return isEvicted;
    }

    /** True when no driver opens it any more until the next start. */
    boolean staysOut() {
        return isEvicted || wasSilent;
    }

    /**
     * Owner loop: one that was put out is open again and the right one. Throws a fault when it is not there, owes answers, or
     * cannot be used.
     */
    public void revive() {
        if (unanswered.isSilent())
            throw Fault.of(FaultCode.BUSY, "device %s does not answer", spec.address())
                    .asException();
        wasSilent = false;
        isEvicted = false;
        if (current == null) tryOpen();
        Lease lease = current;
        Fault why = openFault;
        if (lease == null)
            throw (why == null ? Fault.of(FaultCode.NONEXIST, "no driver has %s open", spec.address()) : why)
                    .asException();
        hooks.verify(lease.device, false);
    }

    /** First whoever waits is told: the note about the device may wait for one of them. */
    private void giveUp(List<BlobOp> late) {
        if (late.isEmpty()) return;
        wasSilent = true;
        long ms = TimeUnit.NANOSECONDS.toMillis(limits.answerNsMax());
        String what = "no answer to " + late.get(0) + " in " + ms + " ms";
        log.error("device {}: {}; {} requests are given up", spec.address(), what, late.size());
        for (BlobOp op : late) {
            end(op, Blob.keepingBuffer(Fault.of(FaultCode.NVME_IO, "device %s: %s", spec.address(), what)));
        }
        if (life.state().mayBecome(DeviceState.FAULTY)) life.transition(DeviceState.FAULTY, DeviceLife.AUTO + what);
        failParked();
    }

    /** It is there but cannot be used: only what lies on it is lost. */
    void evict(Fault why) {
        if (isEvicted) return;
        isEvicted = true;
        log.error("device {} is evicted: {}; {}", spec.address(), why.message(), EVICTED_REMEDY);
        if (life.state().mayBecome(DeviceState.FAULTY))
            life.transition(DeviceState.FAULTY, "unusable: " + why.message());
        failParked();
    }

    /** What it means that a device could not be opened. */
    public static Fault openFault(DeviceStatus status, String detail) {
        FaultCode code = switch (status) {
            case NOT_FOUND, GONE -> FaultCode.NONEXIST;
            case IN_USE, BUSY -> FaultCode.BUSY;
            case UNSUPPORTED -> FaultCode.NOSYS;
            case NO_SPACE -> FaultCode.NOSPACE;
            case INVALID -> FaultCode.INVAL;
            default -> FaultCode.NVME_IO;
        };
        return Fault.of(code, "%s", detail);
    }

    private void publish(Lease lease) {
        long pauseNs = System.nanoTime() - lostNs;
        boolean isSwap = hadDevice && life.state() != DeviceState.UNPLUGGED;
        life.onPlugged("opened by " + lease.driver.name() + " " + lease.driver.version());
        List<BlobOp> waiting;
        synchronized (parked) {
            current = lease;
            waiting = new ArrayList<>(parked);
            parked.clear();
        }
        if (isSwap) {
            swaps.onSwap(pauseNs);
            log.info(
                    "device {} now served by {} {}: pause {} us, {} requests waited",
                    spec.address(),
                    lease.driver.name(),
                    lease.driver.version(),
                    pauseNs / 1000,
                    waiting.size());
        }
        for (BlobOp op : waiting) dispatch(op);
    }

    private void unplug() {
        if (life.state() == DeviceState.UNPLUGGED) return;
        Fault why = openFault;
        life.onUnplugged(why == null ? "no driver" : why.message());
        failParked();
    }

    private void failParked() {
        List<BlobOp> waiting;
        synchronized (parked) {
            waiting = new ArrayList<>(parked);
            parked.clear();
        }
        for (BlobOp op : waiting) dispatch(op);
    }

    /** Owner loop: nothing is served from here on; the device is released. */
    void close() {
        Lease lease = current;
        if (lease != null) detach(lease);
        isClosed = true;
        Lease old = leaving;
        leaving = null;
        if (old != null) old.finish(System.nanoTime() + limits.drainNs());
        failParked();
    }
}
