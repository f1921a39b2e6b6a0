package io.daosmesh.storage.engine;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.storage.PoolSpace;
import io.daosmesh.storage.SpaceAccount;
import io.daosmesh.storage.index.ValueBlobs;
import io.daosmesh.storage.slot.DeviceBlob;
import io.daosmesh.storage.slot.DeviceSlot;
import io.daosmesh.storage.slot.HeldMemory;
import io.daosmesh.storage.slot.SlotSet;
import io.daosmesh.storage.smd.Smd;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The spaces of one target's pools, made when they are first asked for. Any thread. */
final class TargetPools implements ValueBlobs {
    static final UUID NO_DEVICE = new UUID(0, 0);
    /** Longer than a run of values takes on a device that works. */
    private static final long RELEASE_MAX_MS = 10_000;

    private final int target;
    private final Supplier<Smd> smd;
    private final SlotSet slots;
    private final HeldMemory memory;
    private final Map<UUID, PoolSpace> spaces = new ConcurrentHashMap<>();
    private final Map<UUID, DeviceBlob> blobs = new ConcurrentHashMap<>();

    TargetPools(int target, Supplier<Smd> smd, SlotSet slots, HeldMemory memory) {
        this.target = target;
        this.smd = smd;
        this.slots = slots;
        this.memory = memory;
    }

    PoolSpace pool(UUID pool) {
        return spaces.computeIfAbsent(pool, this::open);
    }

    private PoolSpace open(UUID uuid) {
        Smd.Pool pool = smd.get()
                .pool(uuid)
                .orElseThrow(() -> Fault.of(FaultCode.NONEXIST, "pool %s has no space on target %d", uuid, target)
                        .asException());
        Smd.BlobSpace space = pool.blobs().stream()
                .filter(b -> b.target() == target)
                .findFirst()
                .orElseGet(() -> new Smd.BlobSpace(target, 0, NO_DEVICE, List.of()));
        DeviceBlob blob = new DeviceBlob(space, slots.slot(space.device()), memory);
        blobs.put(uuid, blob);
        return new PoolSpace(uuid, target, new SpaceAccount(pool.scmBytes()), blob);
    }

    @Override
    public @Nullable DeviceBlob blob(long blobId) {
        for (Smd.Pool pool : smd.get().pools()) {
            boolean isHere = pool.blobs().stream().anyMatch(b -> b.target() == target && b.blobId() == blobId);
            if (!isHere) continue;
            pool(pool.uuid());
            return blobs.get(pool.uuid());
        }
        return null;
    }

    @Override
    public Collection<DeviceBlob> blobs() {
        return blobs.values();
    }

    /** The tables have changed: what lay on the device lies elsewhere. One that is opened just now is moved too. */
    void move(UUID device) {
        for (Smd.Pool pool : smd.get().pools()) {
            for (Smd.BlobSpace space : pool.blobs()) {
                DeviceSlot on = slots.slot(space.device());
                if (space.target() != target || !space.device().equals(device) || on == null) continue;
                spaces.computeIfPresent(pool.uuid(), (uuid, known) -> {
                    DeviceBlob blob = blobs.get(uuid);
                    if (blob != null && blob.blobId() != space.blobId()) blob.move(space, on);
                    return known;
                });
            }
        }
    }

    Map<UUID, PoolSpace> open() {
        return spaces;
    }

    /** Nothing of it is written from here on; BUSY when the device is still at it. */
    void release(UUID pool) {
        DeviceBlob blob = blobs.get(pool);
        if (blob != null) blob.release(RELEASE_MAX_MS);
    }

    void forget(UUID pool) {
        spaces.remove(pool);
        blobs.remove(pool);
    }
}
