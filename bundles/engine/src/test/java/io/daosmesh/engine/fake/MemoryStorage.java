package io.daosmesh.engine.fake;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.storage.BufferPool;
import io.daosmesh.storage.DeviceState;
import io.daosmesh.storage.EngineStorage;
import io.daosmesh.storage.PoolSpace;
import io.daosmesh.storage.SpaceAccount;
import io.daosmesh.storage.TargetStorage;
import io.daosmesh.storage.kv.KvBatch;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import io.daosmesh.storage.kv.KvStore;
import io.daosmesh.storage.kv.MemoryKvStore;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/** An engine's storage in memory that survives the engine. */
public final class MemoryStorage implements EngineStorage {
    private final UUID device = new UUID(7, 7);
    private final List<MemoryTarget> targets = new ArrayList<>();
    private final Map<UUID, PoolReservation> pools = new HashMap<>();
    private final DirectBuffers buffers = new DirectBuffers();
    public final AtomicInteger checksumErrors = new AtomicInteger();
    public final AtomicInteger tornDown = new AtomicInteger();
    private final List<DeviceListener> listeners = new CopyOnWriteArrayList<>();
    /** Null: there is room. */
    public volatile Fault noRoom;

    private DeviceState state = DeviceState.NORMAL;

    public MemoryStorage(int targetCount) {
        for (int i = 0; i < targetCount; i++) targets.add(new MemoryTarget(i));
    }

    /** What a target keeps. */
    public final class MemoryTarget implements TargetStorage {
        private final int index;
        private final MemoryKvStore memory = new MemoryKvStore();
        private final FailingKv kv = new FailingKv(memory);
        private final Map<UUID, PoolSpace> spaces = new HashMap<>();

        MemoryTarget(int index) {
            this.index = index;
        }

        @Override
        public int index() {
            return index;
        }

        @Override
        public UUID device() {
            return device;
        }

        @Override
        public BufferPool buffers() {
            return buffers;
        }

        @Override
        public KvStore kv() {
            return kv;
        }

        /** The first record under the prefix becomes unreadable. */
        public void damageIndex(byte[] prefix) {
            byte[] key;
            try (KvCursor c = kv.cursor(KvRange.prefix(prefix))) {
                if (!c.next()) throw new IllegalStateException("nothing there");
                key = c.key();
            }
            kv.write(new KvBatch().put(key, new byte[] {1}), true);
        }

        /** From now on nothing of the index can be read. */
        public void loseIndex() {
            kv.damage = Fault.of(FaultCode.DF_INVAL, "checksum mismatch");
        }

        /** From now on the disk under the index is full. */
        public void fillUp() {
            kv.failure = Fault.of(FaultCode.NOSPACE, "No space left on device");
        }

        @Override
        public synchronized PoolSpace pool(UUID pool) {
            PoolSpace s = spaces.get(pool);
            if (s == null) throw Fault.of(FaultCode.NONEXIST, "no such pool").asException();
            return s;
        }

        public MemoryBlob blob(UUID pool) {
            return (MemoryBlob) pool(pool).blob();
        }
    }

    /** The process was killed: allocators know nothing any more. */
    public void forget() {
        for (MemoryTarget t : targets) {
            t.spaces.values().forEach(s -> ((MemoryBlob) s.blob()).forget());
        }
    }

    @Override
    public int engineIndex() {
        return 0;
    }

    @Override
    public UUID engineUuid() {
        return new UUID(0, 0);
    }

    @Override
    public String systemName() {
        return "test";
    }

    @Override
    public int targetCount() {
        return targets.size();
    }

    @Override
    public MemoryTarget target(int index) {
        return targets.get(index);
    }

    @Override
    public synchronized void reservePool(UUID pool, long scmBytesPerTarget, long nvmeBytesPerTarget) {
        if (pools.putIfAbsent(pool, new PoolReservation(pool, scmBytesPerTarget, nvmeBytesPerTarget)) != null) return;
        for (MemoryTarget t : targets) {
            t.spaces.put(pool, new PoolSpace(pool, t.index, new SpaceAccount(scmBytesPerTarget), new MemoryBlob((int)
                    nvmeBytesPerTarget)));
        }
    }

    @Override
    public Fault refusal(boolean isDelete) {
        return isDelete ? null : noRoom;
    }

    @Override
    public long scmWritableBytes() {
        return noRoom == null ? Long.MAX_VALUE : 0;
    }

    @Override
    public synchronized void releasePool(UUID pool) {
        pools.remove(pool);
        targets.forEach(t -> t.spaces.remove(pool));
    }

    @Override
    public synchronized List<PoolReservation> pools() {
        return List.copyOf(pools.values());
    }

    @Override
    public synchronized Optional<PoolReservation> pool(UUID pool) {
        return Optional.ofNullable(pools.get(pool));
    }

    @Override
    public Usage usage() {
        return new Usage(0, 0, 0, 0);
    }

    @Override
    public BufferPool newBuffers(long totalBytes) {
        return new DirectBuffers(totalBytes);
    }

    @Override
    public BufferPool buffers() {
        return buffers;
    }

    @Override
    public synchronized DeviceState deviceState(UUID device) {
        return state;
    }

    /** The only device changes. */
    public synchronized void become(DeviceState next) {
        state = next;
        listeners.forEach(this::tell);
    }

    private void tell(DeviceListener l) {
        l.onDevice(device, state, targets.stream().map(MemoryTarget::index).toList(), "test");
    }

    @Override
    public void onChecksumError(UUID device) {
        checksumErrors.incrementAndGet();
    }

    @Override
    public synchronized void tearDown(UUID device) {
        if (state != DeviceState.FAULTY) return;
        tornDown.incrementAndGet();
        become(DeviceState.OUT);
    }

    @Override
    public synchronized AutoCloseable listen(DeviceListener listener) {
        listeners.add(listener);
        tell(listener);
        return () -> listeners.remove(listener);
    }
}
