package io.daosmesh.engine.shard;

import io.daosmesh.engine.turn.StagedOp;
import io.daosmesh.engine.vos.ByteKey;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.VosRecord;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import io.daosmesh.storage.kv.KvReader;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Records of a shard whose bytes cannot be had here, remembered over restarts until they are repaired, overwritten or deleted.
 * Owner: target loop, but for {@link #report}.
 */
public final class DamagedRecords {
    /** More are not remembered: their readers hear CSUM all the same. */
    public static final int KEPT_MAX = 4096;

    /** Pause before a record is looked at again; doubles with each time up to the longest. */
    static final long PAUSE_NS = 5_000_000_000L;

    static final long PAUSE_MAX_NS = 60_000_000_000L;

    private final UUID pool;
    private final Map<ByteKey, Due> records = new LinkedHashMap<>();
    private volatile Report report = new Report(0, List.of());

    /** @param isMarked the index remembers it */
    private record Due(boolean isMarked, long atNs, int tries) {}

    /** Of one object. */
    public record Damaged(UUID container, ObjectId oid, long records) {}

    /**
     * What nobody can read, as far as this shard answers for it.
     *
     * @param objects some of them
     */
    public record Report(long records, List<Damaged> objects) {}

    DamagedRecords(UUID pool) {
        this.pool = pool;
    }

    /** What the index remembers. */
    void load(KvReader kv, long nowNs) {
        try (KvCursor c = kv.cursor(KvRange.prefix(Keys.unreadable(pool)))) {
            while (c.next() && records.size() < KEPT_MAX)
                records.put(new ByteKey(Keys.marked(c.key())), new Due(true, nowNs, 0));
        }
    }

    /** A reader came upon it. */
    public void found(byte[] key, long nowNs) {
        if (records.size() < KEPT_MAX) records.putIfAbsent(new ByteKey(key), new Due(false, nowNs, 0));
    }

    /** Remembers it in the same change of the index that puts a lost record there. */
    public void note(byte[] key, StagedOp op, long nowNs) {
        if (records.size() >= KEPT_MAX) return;
        op.batch().put(Keys.marked(key), VosRecord.NO_BYTES);
        records.put(new ByteKey(key), new Due(true, nowNs + PAUSE_NS, 0));
    }

    /** It is remembered already. */
    public boolean isKnown(byte[] key) {
        return !records.isEmpty() && records.containsKey(new ByteKey(key));
    }

    public boolean isEmpty() {
        return records.isEmpty();
    }

    /** Those that the index does not know yet; it does when the operation is durable. */
    public void mark(StagedOp op) {
        records.replaceAll((key, due) -> {
            if (!due.isMarked) op.batch().put(Keys.marked(key.bytes()), VosRecord.NO_BYTES);
            return new Due(true, due.atNs, due.tries);
        });
    }

    public boolean hasUnmarked() {
        return records.values().stream().anyMatch(d -> !d.isMarked);
    }

    /** One to be looked at now; it is due again later. Null = none. */
    public byte @Nullable [] next(long nowNs) {
        for (Map.Entry<ByteKey, Due> e : records.entrySet()) {
            Due due = e.getValue();
            if (due.atNs - nowNs > 0) continue;
            long pauseNs = Math.min(PAUSE_MAX_NS, PAUSE_NS << Math.min(10, due.tries));
            e.setValue(new Due(due.isMarked, nowNs + pauseNs, due.tries + 1));
            return e.getKey().bytes();
        }
        return null;
    }

    /** How often it was looked at. */
    public int tries(byte[] key) {
        Due due = records.get(new ByteKey(key));
        return due == null ? 0 : due.tries;
    }

    /** It is whole again, or nobody can see it any more. */
    public void forget(byte[] key, StagedOp op) {
        records.remove(new ByteKey(key));
        op.batch().delete(Keys.marked(key));
    }

    public List<byte[]> keys() {
        List<byte[]> keys = new ArrayList<>(records.size());
        for (ByteKey k : records.keySet()) keys.add(k.bytes());
        return keys;
    }

    public void publish(Report next) {
        report = next;
    }

    /** Any thread. */
    public Report report() {
        return report;
    }
}
