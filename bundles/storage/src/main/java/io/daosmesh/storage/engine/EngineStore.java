package io.daosmesh.storage.engine;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.storage.BufferPool;
import io.daosmesh.storage.DeviceState;
import io.daosmesh.storage.EngineStorage;
import io.daosmesh.storage.TargetStorage;
import io.daosmesh.storage.health.DeviceLife;
import io.daosmesh.storage.index.EngineIndexes;
import io.daosmesh.storage.log.LogLimits;
import io.daosmesh.storage.log.runtime.EngineLog;
import io.daosmesh.storage.scm.ScmFolder;
import io.daosmesh.storage.scm.ScmRoom;
import io.daosmesh.storage.slot.AlignedBufferPool;
import io.daosmesh.storage.slot.DeviceSlot;
import io.daosmesh.storage.slot.HeldMemory;
import io.daosmesh.storage.slot.Prezero;
import io.daosmesh.storage.slot.SlotSet;
import io.daosmesh.storage.smd.Smd;
import io.daosmesh.storage.smd.Superblock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The open storage of a formatted engine. Tables: one writer at a time under a lock, written as a whole before they take
 * effect. Devices: owner loop.
 */
public final class EngineStore implements EngineStorage, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(EngineStore.class);
    private final ScmFolder scm;
    private final ScheduledExecutorService owner;
    private final ScmRoom room;
    private final SlotSet slots;
    private final BufferPool buffers;
    private final Prezero prezero;
    private final Object tableLock = new Object();
    private final CopyOnWriteArrayList<DeviceListener> listeners = new CopyOnWriteArrayList<>();
    private final HeldMemory held;
    private final List<TargetPools> pools = new ArrayList<>();
    private final List<TargetStore> targets = new ArrayList<>();
    /** Devices that are unplugged and whose targets are out of all pools. Owner loop. */
    private final Set<UUID> left = new HashSet<>();

    private final Duration driverWaitMax;
    private volatile @Nullable EngineIndexes indexes;
    private volatile Superblock superblock;
    private volatile Smd smd;

    /** Told of each change of a device's state. */
    interface DeviceWatcher {
        void onDevice(Smd.Device device, DeviceState old, DeviceState next, String reason);
    }

    /** Makes the slots for the tables; the owner wires them to drivers. */
    interface SlotMaker {
        SlotSet make(Supplier<Smd> tables, DeviceWatcher watcher);
    }

    EngineStore(
            ScmFolder scm,
            Superblock superblock,
            ScheduledExecutorService owner,
            ScmRoom room,
            SlotMaker maker,
            StorageSettings settings) {
        this.scm = scm;
        this.superblock = superblock;
        this.owner = owner;
        this.room = room;
        this.smd = scm.smd();
        this.buffers = new AlignedBufferPool(settings.bufferBytes());
        this.held = new HeldMemory(settings.heldBytes());
        this.driverWaitMax = Duration.ofMillis(settings.deviceGraceMs());
        this.prezero = new Prezero(settings.prezeroBytes());
        this.slots = maker.make(() -> smd, this::onDevice);
    }

    /** Owner loop, once all devices are settled, on what the present driver of the SCM serves. A damaged index takes its target out, not the engine. */
    void openIndexes(ScmFolder served) {
        for (int t = 0; t < superblock.targetCount(); t++) pools.add(new TargetPools(t, () -> smd, slots, held));
        EngineIndexes opened = EngineIndexes.open(served, superblock.engine(), driverWaitMax, pools, held);
        indexes = opened;
        room.onLow(opened::checkpointSoon);
        opened.onPeriod(room::look);
        BufferPool[] shares = shares();
        for (int t = 0; t < superblock.targetCount(); t++)
            targets.add(new TargetStore(t, opened.kv(t), () -> smd, pools.get(t), shares[t]));
    }

    /** By target: those of one device share what it may have. */
    private BufferPool[] shares() {
        BufferPool[] shares = new BufferPool[superblock.targetCount()];
        Arrays.fill(shares, buffers);
        List<Smd.Device> used =
                smd.devices().stream().filter(d -> !d.targets().isEmpty()).toList();
        for (Smd.Device device : used) {
            BufferPool share = DeviceBuffers.of(buffers, device.address(), used.size());
            for (int t : device.targets()) shares[t] = share;
        }
        return shares;
    }

    /** Null before the indexes are open. */
    public @Nullable EngineLog log() {
        EngineIndexes open = indexes;
        return open == null ? null : open.log();
    }

    public HeldMemory held() {
        return held;
    }

    public SlotSet slots() {
        return slots;
    }

    public Smd smd() {
        return smd;
    }

    public ScmRoom room() {
        return room;
    }

    Superblock superblock() {
        return superblock;
    }

    public List<TargetStore> targets() {
        return targets;
    }

    void assignRank(int rank) {
        synchronized (tableLock) {
            if (superblock.rank() == rank) return;
            if (superblock.rank() >= 0)
                throw Fault.of(
                                FaultCode.ID_MISMATCH,
                                "engine %d is rank %d by its superblock, not %d",
                                superblock.engineIndex(),
                                superblock.rank(),
                                rank)
                        .asException();
            Superblock next = superblock.withRank(rank);
            scm.write(next);
            superblock = next;
        }
    }

    private void onDevice(Smd.Device device, DeviceState old, DeviceState next, String reason) {
        DeviceSlot slot = slots.slot(device.uuid());
        left.remove(device.uuid());
        // looked at anew at the next start: there is no other way to bring a repaired device back
        boolean isUnusable = slot != null && slot.isEvicted();
        if ((next == DeviceState.FAULTY && !isUnusable) || (old == DeviceState.OUT && next == DeviceState.NORMAL)) {
            keepFaulty(device, next == DeviceState.FAULTY);
        }
        for (DeviceListener listener : listeners) listener.onDevice(device.uuid(), next, device.targets(), reason);
    }

    /** A device that is out must not be kept in because the note about it could not be written. */
    private void keepFaulty(Smd.Device device, boolean isFaulty) {
        synchronized (tableLock) {
            Smd changed = smd.withFaulty(device.uuid(), isFaulty);
            try {
                scm.write(changed);
            } catch (FaultException e) {
                log.error("state of device {} is not durable: {}", device.uuid(), e.getMessage());
            }
            smd = changed;
        }
    }

    /** Owner loop: one more device, without targets; durable on return. Whoever listens hears of it. */
    void add(Smd.Device device) {
        DeviceSlot slot;
        synchronized (tableLock) {
            Smd changed = smd.withDevice(device);
            scm.write(changed);
            // whoever finds it in the tables looks for its slot
            slot = slots.add(device);
            smd = changed;
        }
        slots.open(slot);
        DeviceState state = slot.life().state();
        for (DeviceListener l : listeners) l.onDevice(device.uuid(), state, List.of(), "added");
    }

    /**
     * Owner loop: the targets of a device that is out go on with another one, or anew with the same. Durable on return; a crash
     * leaves the tables as they were before or as they are after. Whoever listens hears then that the new one serves.
     */
    void replace(UUID old, UUID next) {
        DeviceReplacement.check(this, old, next, left.contains(old));
        if (listeners.isEmpty())
            throw Fault.of(FaultCode.UNINIT, "rank %d does not run", superblock.rank())
                    .remedy("start it (dmg system start), or wait until it has joined")
                    .asException();
        DeviceSlot slot = slots.known(next);
        slot.revive();
        synchronized (tableLock) {
            Smd changed = smd.withReplaced(old, next);
            scm.write(changed);
            smd = changed;
        }
        for (TargetPools target : pools) target.move(next);
        if (!old.equals(next)) {
            DeviceLife life = slots.known(old).life();
            life.onReplaced();
            for (DeviceListener l : listeners) l.onDevice(old, life.state(), List.of(), "replaced by " + next);
        }
        slot.life().transition(DeviceState.NORMAL, "takes the place of " + old);
    }

    @Override
    public int engineIndex() {
        return superblock.engineIndex();
    }

    @Override
    public UUID engineUuid() {
        return superblock.engine();
    }

    @Override
    public String systemName() {
        return superblock.system();
    }

    @Override
    public int targetCount() {
        return superblock.targetCount();
    }

    @Override
    public TargetStorage target(int index) {
        return targets.get(index);
    }

    @Override
    public void reservePool(UUID pool, long scmBytesPerTarget, long nvmeBytesPerTarget) {
        if (scmBytesPerTarget < 0 || nvmeBytesPerTarget < 0)
            throw Fault.of(FaultCode.INVAL, "negative pool size").asException();
        synchronized (tableLock) {
            Smd next = smd.withPool(pool, scmBytesPerTarget, nvmeBytesPerTarget, targetCount(), scmFreeBytes());
            if (next == smd) return;
            Fault full = refusal(false);
            if (full != null) throw full.asException();
            next.pool(pool).ifPresent(made -> prezero.run(made, slots));
            scm.write(next);
            smd = next;
        }
    }

    @Override
    public void releasePool(UUID pool) {
        synchronized (tableLock) {
            if (smd.pool(pool).isEmpty()) return;
            for (TargetPools target : pools) target.release(pool);
            Smd next = smd.withoutPool(pool);
            scm.write(next);
            smd = next;
        }
        for (TargetPools target : pools) target.forget(pool);
    }

    @Override
    public List<PoolReservation> pools() {
        return smd.pools().stream().map(EngineStore::reservation).toList();
    }

    @Override
    public Optional<PoolReservation> pool(UUID pool) {
        return smd.pool(pool).map(EngineStore::reservation);
    }

    private static PoolReservation reservation(Smd.Pool p) {
        return new PoolReservation(p.uuid(), p.scmBytes(), p.nvmeBytes());
    }

    @Override
    public @Nullable Fault refusal(boolean isDelete) {
        int rank = superblock.rank();
        return room.refusal(isDelete, rank < 0 ? "engine " + engineIndex() : "rank " + rank);
    }

    @Override
    public long scmWritableBytes() {
        return room.seen().writableBytes();
    }

    private long scmFreeBytes() {
        EngineLog open = log();
        long poolBytes = scm.poolBytes(open == null ? LogLimits.usual() : open.limits(), room.marks());
        return Math.max(0, poolBytes - smd.scmReservedBytes(targetCount()));
    }

    @Override
    public Usage usage() {
        long nvmeTotal = 0;
        long nvmeFree = 0;
        for (Smd.Device d : smd.devices()) {
            nvmeTotal += d.sizeBytes();
            nvmeFree += smd.freeBytes(d.uuid());
        }
        return new Usage(scm.totalBytes(), Math.min(scmFreeBytes(), scmWritableBytes()), nvmeTotal, nvmeFree);
    }

    @Override
    public BufferPool newBuffers(long totalBytes) {
        return new AlignedBufferPool(totalBytes);
    }

    @Override
    public BufferPool buffers() {
        return buffers;
    }

    @Override
    public DeviceState deviceState(UUID device) {
        return slots.known(device).life().state();
    }

    @Override
    public void onChecksumError(UUID device) {
        DeviceSlot slot = slots.known(device);
        slot.life().onChecksumError();
        owner.execute(slot.life()::checkCriteria);
    }

    @Override
    public void tearDown(UUID device) {
        DeviceSlot slot = slots.known(device);
        owner.execute(() -> {
            if (slot.life().state() == DeviceState.UNPLUGGED) left.add(device);
            if (slot.life().state() != DeviceState.FAULTY) return;
            slot.life().transition(DeviceState.TEARDOWN, "targets are out of all pools");
            slot.life().transition(DeviceState.OUT, "no request is under way");
        });
    }

    @Override
    public AutoCloseable listen(DeviceListener listener) {
        AtomicBoolean isClosed = new AtomicBoolean();
        owner.execute(() -> {
            if (isClosed.get()) return;
            listeners.add(listener);
            for (Map.Entry<UUID, DeviceSlot> e : slots.byId().entrySet()) {
                List<Integer> on =
                        smd.device(e.getKey()).map(Smd.Device::targets).orElse(List.of());
                listener.onDevice(e.getKey(), e.getValue().life().state(), on, "present state");
            }
            // a close may overtake its own registration, or come in the middle of it
            if (isClosed.get()) listeners.remove(listener);
        });
        return () -> {
            isClosed.set(true);
            listeners.remove(listener);
        };
    }

    /** Owner loop. */
    @Override
    public void close() {
        listeners.clear();
        // the last values go to the devices
        EngineIndexes open = indexes;
        if (open != null) open.close();
        slots.close();
    }
}
