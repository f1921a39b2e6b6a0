package io.daosmesh.engine.read;

import io.daosmesh.engine.vos.Keys;
import io.daosmesh.model.wire.ValueMessage;
import io.daosmesh.storage.BufferPool;
import io.daosmesh.storage.kv.KvBatch;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.concurrent.ConcurrentNavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Answers of one target that are the newest committed ones: noted when the slow way has found them, dropped with the first
 * index change of their dkey, group, container or pool. Changed by the target loop only; any thread looks up. Knows nothing
 * of who may read what or whether this rank leads still: see {@link HotReads}.
 */
public final class ValueCache {
    /** Longer ones are not worth the short ones that would have to go. */
    static final int VALUE_BYTES_MAX = 64 << 10;

    private static final int KEY_BYTES_MAX = 8 << 10;
    /** One value must not throw out all the others. */
    private static final int PARTS_MIN = 8;
    /** Those asked for since they were noted stay for another round, so many for each that goes. */
    private static final int SPARED_MAX = 16;

    private final BufferPool buffers;
    private final long bytesMax;
    /** By dkey, then by what was asked of it. */
    private final ConcurrentNavigableMap<byte[], CachedValue> values =
            new ConcurrentSkipListMap<>(Arrays::compareUnsigned);

    private final LinkedHashSet<CachedValue> ages = new LinkedHashSet<>();
    private final AtomicLong bytes = new AtomicLong();
    private final AtomicLong hits = new AtomicLong();
    private final AtomicLong misses = new AtomicLong();
    private final AtomicLong evictions = new AtomicLong();

    /** @param buffers for this cache alone; all it has may be kept */
    public ValueCache(BufferPool buffers) {
        this.buffers = buffers;
        this.bytesMax = buffers.totalBytes();
    }

    /** What is asked of a dkey; null if that is too long to be remembered. */
    static byte @Nullable [] key(byte[] dkey, List<ValueMessage> asked) {
        int length = dkey.length;
        for (ValueMessage v : asked) length += 4 + v.getSerializedSize();
        if (length > KEY_BYTES_MAX) return null;
        byte[] key = Arrays.copyOf(dkey, length);
        ByteBuffer to = ByteBuffer.wrap(key).position(dkey.length);
        for (ValueMessage v : asked) to.putInt(v.getSerializedSize()).put(v.toByteArray());
        return key;
    }

    @Nullable
    CachedValue find(byte[] key) {
        CachedValue found = values.get(key);
        return found != null && found.isFilled() ? found : null;
    }

    void count(boolean isHit) {
        (isHit ? hits : misses).incrementAndGet();
    }

    /** Target loop, in the turn in which the answer was found and nothing of its dkey or group is prepared; null if it is not kept. */
    @Nullable
    CachedValue note(byte[] key, int dataBytes, int mapVersion, List<Integer> otherRanks) {
        CachedValue v = new CachedValue(key, dataBytes, mapVersion, otherRanks, buffers);
        if (v.costBytes > bytesMax / PARTS_MIN) return null;
        CachedValue before = values.get(key);
        if (before != null) drop(before);
        makeRoom(v.costBytes);
        bytes.addAndGet(v.costBytes);
        ages.add(v);
        values.put(key, v);
        return v;
    }

    private void makeRoom(int costBytes) {
        int spared = 0;
        while (bytes.get() + costBytes > bytesMax) {
            CachedValue oldest = ages.iterator().next();
            if (spared++ < SPARED_MAX && oldest.takeAsked()) {
                ages.remove(oldest);
                ages.add(oldest);
                continue;
            }
            drop(oldest);
            evictions.incrementAndGet();
            spared = 0;
        }
    }

    private void drop(CachedValue v) {
        values.remove(v.key, v);
        ages.remove(v);
        bytes.addAndGet(-v.costBytes);
        v.drop();
    }

    /** Drops what stands for anything under the prefix of a dkey or above. Target loop. */
    public void drop(byte[] prefix) {
        if (values.isEmpty()) return;
        Iterator<CachedValue> under =
                values.subMap(prefix, true, Keys.behind(prefix), false).values().iterator();
        while (under.hasNext()) drop(under.next());
    }

    /** Changes of the index are staged, or have been made. Target loop. */
    public void onChange(KvBatch batch) {
        if (!values.isEmpty()) batch.forEach(new Changes());
    }

    /** A record changes its dkey. Whatever is neither a record nor a DTX may change who sees what of the pool. */
    private final class Changes implements KvBatch.Visitor {
        @Override
        public void put(byte[] key, byte[] value) {
            onKey(key);
        }

        @Override
        public void delete(byte[] key) {
            onKey(key);
        }

        @Override
        public void deleteRange(byte[] from, byte[] to) {
            drop(Keys.recordsOf(from));
        }

        private void onKey(byte[] key) {
            if (Keys.isRecord(key)) drop(Keys.touched(key));
            else if (!Keys.isDtx(key)) drop(Keys.recordsOf(key));
        }
    }

    public long bytes() {
        return bytes.get();
    }

    public long hits() {
        return hits.get();
    }

    public long misses() {
        return misses.get();
    }

    public long evictions() {
        return evictions.get();
    }
}
