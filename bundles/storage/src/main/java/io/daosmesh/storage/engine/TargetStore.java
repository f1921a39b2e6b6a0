package io.daosmesh.storage.engine;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.storage.PoolSpace;
import io.daosmesh.storage.SpaceAccount;
import io.daosmesh.storage.TargetStorage;
import io.daosmesh.storage.kv.KvStore;
import io.daosmesh.storage.slot.DeviceBlob;
import io.daosmesh.storage.slot.SlotSet;
import io.daosmesh.storage.smd.Smd;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/** One target's index and pool spaces. Owner: target loop; the map may be trimmed by any thread. */
public final class TargetStore implements TargetStorage {
    private static final UUID NO_DEVICE = new UUID(0, 0);

    private final int index;
    /** Longer than a turn's own deadline: what is under way then hangs. */
    private static final Duration WRITE_MAX = Duration.ofSeconds(20);

    private final IndexLease lease;
    private final Supplier<Smd> smd;
    private final SlotSet slots;
    private final Map<UUID, PoolSpace> pools = new ConcurrentHashMap<>();

    TargetStore(int index, KvStore kv, Supplier<Smd> smd, SlotSet slots) {
        this.index = index;
        this.lease = new IndexLease(kv, WRITE_MAX);
        this.smd = smd;
        this.slots = slots;
    }

    @Override
    public int index() {
        return index;
    }

    @Override
    public UUID device() {
        return smd.get().deviceOf(index).map(Smd.Device::uuid).orElse(NO_DEVICE);
    }

    @Override
    public KvStore kv() {
        return lease.kv();
    }

    @Override
    public KvStore takeKv() {
        return lease.take();
    }

    @Override
    public PoolSpace pool(UUID pool) {
        return pools.computeIfAbsent(pool, this::open);
    }

    private PoolSpace open(UUID uuid) {
        Smd.Pool pool = smd.get()
                .pool(uuid)
                .orElseThrow(() -> Fault.of(FaultCode.NONEXIST, "pool %s has no space on target %d", uuid, index)
                        .asException());
        Smd.BlobSpace space = pool.blobs().stream()
                .filter(b -> b.target() == index)
                .findFirst()
                .orElseGet(() -> new Smd.BlobSpace(index, 0, NO_DEVICE, List.of()));
        DeviceBlob blob = new DeviceBlob(space, slots.slot(space.device()));
        return new PoolSpace(uuid, index, new SpaceAccount(pool.scmBytes()), blob);
    }

    void forget(UUID pool) {
        pools.remove(pool);
    }

    public Map<UUID, PoolSpace> open() {
        return pools;
    }
}
