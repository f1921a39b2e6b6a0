package io.daosmesh.storage.kv;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Map;
import java.util.NavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;

/**
 * The twin of the durable store for tests and the simulator: same order, same atomic batches, nothing kept. Writer: one
 * thread; readers: any. Snapshots copy, so it is for small stores. Pure.
 */
public final class MemoryKvStore implements KvStore {
    private volatile NavigableMap<byte[], byte[]> map = new ConcurrentSkipListMap<>(Arrays::compareUnsigned);
    private volatile boolean isClosed;
    private volatile boolean isShared;
    private long durableBatchCount;

    private static NavigableMap<byte[], byte[]> copy(NavigableMap<byte[], byte[]> from) {
        NavigableMap<byte[], byte[]> to = new ConcurrentSkipListMap<>(Arrays::compareUnsigned);
        to.putAll(from);
        return to;
    }

    @Override
    public byte @Nullable [] get(byte[] key) {
        checkOpen();
        byte[] value = map.get(key);
        return value == null ? null : value.clone();
    }

    @Override
    public KvCursor cursor(KvRange range) {
        checkOpen();
        return new Cursor(map, range);
    }

    @Override
    public void write(KvBatch batch, boolean isDurable) {
        checkOpen();
        Fault refusal = batch.refusal();
        if (refusal != null) throw refusal.asException();
        NavigableMap<byte[], byte[]> next = isShared ? copy(map) : map;
        isShared = false;
        batch.forEach(new KvBatch.Visitor() {
            @Override
            public void put(byte[] key, byte[] value) {
                next.put(key.clone(), value.clone());
            }

            @Override
            public void delete(byte[] key) {
                next.remove(key);
            }

            @Override
            public void deleteRange(byte[] from, byte[] to) {
                if (Arrays.compareUnsigned(from, to) < 0)
                    next.subMap(from, true, to, false).clear();
            }

            @Override
            public void value(ValueSpace space, long offsetBytes, ByteBuffer bytes) {
                space.hold(0, offsetBytes, bytes);
            }
        });
        map = next;
        if (isDurable) durableBatchCount++;
    }

    /** How many batches asked to be synced; for tests of group commit. */
    public long durableBatchCount() {
        return durableBatchCount;
    }

    @Override
    public KvSnapshot snapshot() {
        checkOpen();
        isShared = true;
        NavigableMap<byte[], byte[]> kept = map;
        return new KvSnapshot() {
            @Override
            public byte @Nullable [] get(byte[] key) {
                byte[] value = kept.get(key);
                return value == null ? null : value.clone();
            }

            @Override
            public KvCursor cursor(KvRange range) {
                return new Cursor(kept, range);
            }

            @Override
            public void close() {
                // nothing held
            }
        };
    }

    @Override
    public long sizeBytes() {
        long bytes = 0;
        for (Map.Entry<byte[], byte[]> e : map.entrySet()) bytes += e.getKey().length + e.getValue().length;
        return bytes;
    }

    @Override
    public void close() {
        isClosed = true;
    }

    private void checkOpen() {
        if (isClosed) throw Fault.of(FaultCode.UNINIT, "the store is closed").asException();
    }

    private static final class Cursor implements KvCursor {
        private final NavigableMap<byte[], byte[]> part;
        private Map.@Nullable Entry<byte[], byte[]> at;
        private byte @Nullable [] sought;
        private boolean isStarted;

        Cursor(NavigableMap<byte[], byte[]> map, KvRange range) {
            byte[] to = range.to();
            NavigableMap<byte[], byte[]> forward;
            if (to == null) forward = map.tailMap(range.from(), true);
            else if (Arrays.compareUnsigned(range.from(), to) >= 0) forward = map.subMap(to, true, to, false);
            else forward = map.subMap(range.from(), true, to, false);
            part = range.isBackward() ? forward.descendingMap() : forward;
        }

        @Override
        public boolean next() {
            byte[] target = sought;
            Map.Entry<byte[], byte[]> last = at;
            if (target != null) at = part.ceilingEntry(target);
            else if (!isStarted) at = part.firstEntry();
            else if (last != null) at = part.higherEntry(last.getKey());
            isStarted = true;
            sought = null;
            return at != null;
        }

        @Override
        public void seek(byte[] key) {
            sought = key.clone();
        }

        @Override
        public byte[] key() {
            return entry().getKey().clone();
        }

        @Override
        public byte[] value() {
            return entry().getValue().clone();
        }

        private Map.Entry<byte[], byte[]> entry() {
            Map.Entry<byte[], byte[]> e = at;
            if (e == null) throw new IllegalStateException("the cursor stands on no entry");
            return e;
        }

        @Override
        public void close() {
            at = null;
        }
    }
}
