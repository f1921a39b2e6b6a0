package io.daosmesh.storage.slot;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.spi.BlockDevice;
import io.daosmesh.spi.BlockDriver;
import io.daosmesh.spi.DeviceSpec;
import io.daosmesh.storage.DeviceState;
import io.daosmesh.storage.health.DeviceLife;
import io.daosmesh.storage.smd.DeviceHeader;
import io.daosmesh.storage.smd.Smd;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The devices in use of one engine. Owner: the engine's owner loop; look-ups: any thread. */
public final class SlotSet {
    /** Told of each change of a device's state. */
    public interface Listener {
        void onDevice(Smd.Device device, DeviceState old, DeviceState next, String reason);

        void onMediaError(Smd.Device device, BlobOp.Kind kind);
    }

    /** With the drain and the driver's own close still below the 5 s of DS. */
    private static final long FLUSH_AHEAD_MS = 500;

    /** One failed read of a header may be a passing one. */
    private static final int DAMAGED_TRIES = 3;
    /** For the owner it is a look at the attributes of each device. */
    private static final long LOOK_NS = TimeUnit.SECONDS.toNanos(1);

    /** In the order of the tables; a longer copy takes its place when a device is added. */
    private volatile Map<UUID, DeviceSlot> slots = Map.of();

    private volatile Map<UUID, IoLatency> latencies = Map.of();
    /** Were pulled out once: what is there now may be another one. Owner loop. */
    private final Set<UUID> gone = new HashSet<>();

    private final Supplier<Smd> tables;
    private final Function<Smd.Device, DeviceSpec> specs;
    private final DriverSet<BlockDriver> drivers;
    private final SlotLimits limits;
    private final ScheduledExecutorService owner;
    private final Listener listener;
    /** By the time of the ticks; 0 before the first. */
    private long lookedNs;

    /** @param tables as they are at the moment: a device may get or lose its targets */
    public SlotSet(
            Supplier<Smd> tables,
            Function<Smd.Device, DeviceSpec> specs,
            DriverSet<BlockDriver> drivers,
            SlotLimits limits,
            ScheduledExecutorService owner,
            Listener listener) {
        this.tables = tables;
        this.specs = specs;
        this.drivers = drivers;
        this.limits = limits;
        this.owner = owner;
        this.listener = listener;
        for (Smd.Device device : tables.get().devices()) add(device);
    }

    /** Owner loop: open on return if it can be; tried again later if not. */
    public void open(DeviceSlot slot) {
        slot.prepare(best(slot.spec()).orElse(null));
        slot.settle(System.nanoTime() + limits.drainNs());
    }

    /** Owner loop: one more, not open yet. */
    public DeviceSlot add(Smd.Device device) {
        Supplier<Smd.Device> now = () -> tables.get().device(device.uuid()).orElse(device);
        DeviceLife life = new DeviceLife(
                first(device),
                limits.autoFaulty(),
                (old, next, reason) -> listener.onDevice(now.get(), old, next, reason));
        IoLatency latency = new IoLatency();
        DeviceSlot.Hooks hooks = new DeviceSlot.Hooks() {
            @Override
            public void verify(BlockDevice opened, boolean isOut) {
                // one that is out is read only where another one may be in its place
                if (isOut && !gone.contains(device.uuid()) && !isShared(specs.apply(device))) return;
                SlotSet.verify(device, HeaderIo.read(opened), opened.sizeBytes());
            }

            @Override
            public void onMediaError(BlobOp.Kind kind) {
                listener.onMediaError(now.get(), kind);
            }
        };
        DeviceSlot slot = new DeviceSlot(specs.apply(device), life, limits, owner, hooks, latency);
        latencies = with(latencies, device.uuid(), latency);
        slots = with(slots, device.uuid(), slot);
        return slot;
    }

    private static <T> Map<UUID, T> with(Map<UUID, T> before, UUID device, T value) {
        Map<UUID, T> after = new LinkedHashMap<>(before);
        after.put(device, value);
        return Collections.unmodifiableMap(after);
    }

    private static DeviceState first(Smd.Device device) {
        if (device.isFaulty()) return DeviceState.OUT;
        return device.isSpare() ? DeviceState.NEW : DeviceState.NORMAL;
    }

    private static void verify(Smd.Device device, DeviceHeader header, long sizeBytes) {
        if (!header.device().equals(device.uuid()))
            throw Fault.of(
                            FaultCode.ID_MISMATCH,
                            "%s holds device %s, expected %s",
                            device.address(),
                            header.device(),
                            device.uuid())
                    .asException();
        if (sizeBytes < device.sizeBytes())
            throw Fault.of(
                            FaultCode.DF_INVAL,
                            "device %s is truncated: %d of %d bytes",
                            device.address(),
                            sizeBytes,
                            device.sizeBytes())
                    .asException();
    }

    public Collection<DeviceSlot> all() {
        return slots.values();
    }

    public Map<UUID, DeviceSlot> byId() {
        return slots;
    }

    public IoLatency latency(UUID device) {
        return java.util.Objects.requireNonNull(latencies.get(device));
    }

    @Nullable
    public DeviceSlot slot(UUID device) {
        return slots.get(device);
    }

    public DeviceSlot known(UUID device) {
        DeviceSlot slot = slots.get(device);
        if (slot == null)
            throw Fault.of(FaultCode.NONEXIST, "no device %s in this engine", device)
                    .asException();
        return slot;
    }

    /** All devices stop on their old drivers first, then wait together: one slow device does not add to another. */
    public void onDriversChanged() {
        CountDownLatch flushed = new CountDownLatch(slots.size());
        for (DeviceSlot slot : slots.values()) slot.flushAhead(best(slot.spec()).orElse(null), flushed::countDown);
        try {
            flushed.await(FLUSH_AHEAD_MS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        for (DeviceSlot slot : slots.values()) slot.prepare(best(slot.spec()).orElse(null));
        long deadlineNs = System.nanoTime() + limits.drainNs();
        for (DeviceSlot slot : slots.values()) slot.settle(deadlineNs);
    }

    private Optional<BlockDriver> best(DeviceSpec spec) {
        return drivers.best(d -> d.deviceClasses().contains(spec.deviceClass()));
    }

    public void onTick(long nowNs) {
        if (lookedNs == 0 || nowNs - lookedNs >= LOOK_NS) {
            lookedNs = nowNs;
            slots.forEach(this::look);
        }
        for (DeviceSlot slot : slots.values()) slot.onTick(nowNs);
    }

    /** A device may be pulled out while nobody asks anything of it. */
    private void look(UUID device, DeviceSlot slot) {
        Lease lease = slot.current();
        if (lease == null || slot.staysOut() || lease.isThere()) return;
        gone.add(device);
        slot.onDeviceGone(lease);
    }

    /** Two devices that have been in one place: it is told by their headers which one is there. */
    private boolean isShared(DeviceSpec spec) {
        return slots.values().stream()
                        .filter(s -> s.spec().address().equals(spec.address()))
                        .count()
                > 1;
    }

    /** True when another device that is open has its place. */
    public boolean isDisplaced(DeviceSlot slot) {
        return slot.current() == null
                && slots.values().stream()
                        .anyMatch(s -> s.current() != null
                                && s.spec().address().equals(slot.spec().address()));
    }

    /** False for a place whose devices are all unplugged: it is free for another one. */
    public boolean isTaken(String address) {
        return slots.values().stream()
                .anyMatch(s -> s.spec().address().equals(address)
                        && (s.current() != null || s.life().state() != DeviceState.UNPLUGGED));
    }

    /** Places where something is that has no header, instead of the device that belongs there. */
    public Set<String> strangers() {
        Set<String> all = new TreeSet<>();
        for (DeviceSlot slot : slots.values()) {
            Fault fault = slot.openFault();
            boolean isLeft = slot.life().state() == DeviceState.UNPLUGGED || slot.isEvicted();
            if (fault == null || fault.code() != FaultCode.DF_INVAL || !isLeft || isShared(slot.spec())) continue;
            all.add(slot.spec().address());
        }
        return all;
    }

    /** True when a driver has each device open that does not stay out. */
    public boolean isServed() {
        return slots.values().stream().allMatch(s -> s.current() != null || s.staysOut());
    }

    /**
     * True when every device is open or given up. One that is damaged is evicted: the others serve. Throws when one is
     * another's, in use elsewhere or of a later release: that is no loss, but a mistake which a start would make one.
     */
    public boolean isSettled() {
        boolean isSettled = true;
        for (DeviceSlot slot : slots.values()) {
            Fault fault = slot.openFault();
            // it waits for its device beside one that has its place
            if (fault != null && isShared(slot.spec())) continue;
            boolean isGivenUp = slot.life().state() == DeviceState.UNPLUGGED;
            if (fault != null && (isMistake(fault.code()) || (isGivenUp && fault.code() == FaultCode.BUSY)))
                throw fault.asException();
            if (fault != null && isDamage(fault.code()) && slot.failedOpens() >= DAMAGED_TRIES) slot.evict(fault);
            isSettled &= slot.current() != null || isGivenUp || slot.staysOut();
        }
        return isSettled;
    }

    private static boolean isMistake(FaultCode code) {
        return code == FaultCode.DF_INCOMPT || code == FaultCode.ID_MISMATCH;
    }

    private static boolean isDamage(FaultCode code) {
        return code == FaultCode.DF_INVAL || code == FaultCode.NVME_IO || code == FaultCode.INVAL;
    }

    public void close() {
        for (DeviceSlot slot : slots.values()) slot.close();
    }
}
