package io.daosmesh.storage.engine;

import io.daosmesh.storage.BufferPool;
import io.daosmesh.storage.PoolSpace;
import io.daosmesh.storage.TargetStorage;
import io.daosmesh.storage.index.IndexLease;
import io.daosmesh.storage.kv.KvStore;
import io.daosmesh.storage.smd.Smd;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import java.util.function.Supplier;

/** One target's index and pool spaces. Owner: target loop; the map may be trimmed by any thread. */
public final class TargetStore implements TargetStorage {
    private final int index;
    /** Longer than a turn's own deadline: what is under way then hangs. */
    private static final Duration WRITE_MAX = Duration.ofSeconds(20);

    private final IndexLease lease;
    private final Supplier<Smd> smd;
    private final TargetPools pools;
    private final BufferPool buffers;

    TargetStore(int index, KvStore kv, Supplier<Smd> smd, TargetPools pools, BufferPool buffers) {
        this.buffers = buffers;
        this.index = index;
        this.lease = new IndexLease(kv, WRITE_MAX);
        this.smd = smd;
        this.pools = pools;
    }

    @Override
    public int index() {
        return index;
    }

    @Override
    public UUID device() {
        return smd.get().deviceOf(index).map(Smd.Device::uuid).orElse(TargetPools.NO_DEVICE);
    }

    @Override
    public BufferPool buffers() {
        return buffers;
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
        return pools.pool(pool);
    }

    public Map<UUID, PoolSpace> open() {
        return pools.open();
    }
}
