package io.daosmesh.engine.vos;

import io.daosmesh.model.id.ObjectId;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import io.daosmesh.storage.kv.KvReader;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Lists what is visible, in pieces: a bounded number of results and of entries looked at. Owner: target loop. */
public final class Enumerator {
    /** Entries looked at in one call: about 10 ms of the loop. */
    public static final int VISITS_MAX = 20_000;

    private Enumerator() {}

    /**
     * One page.
     *
     * @param anchor where the next one starts; an opaque value
     */
    public record Page<T>(List<T> items, byte[] anchor, boolean isEnd) {}

    public record Range(long offset, long length) {}

    /** A stored object. */
    public record StoredOid(UUID container, ObjectId oid) {}

    /** Dkeys of a group; the anchor is the last dkey looked at. */
    public static Page<byte[]> dkeys(GroupReader reader, byte[] group, byte[] anchor, int countMax) {
        List<byte[]> found = new ArrayList<>();
        byte[] at = anchor.length == 0 ? VosRecord.NO_BYTES : Keys.under(group, open(anchor));
        int start = reader.visited();
        while (found.size() < countMax && reader.visited() - start < VISITS_MAX) {
            byte[] next = reader.nextDkeyPrefix(at);
            if (next == null) return new Page<>(found, VosRecord.NO_BYTES, true);
            at = next;
            if (reader.atPrefix(at).dkeyExists()) found.add(Keys.unescape(at, group.length, at.length));
        }
        return new Page<>(found, anchor(Keys.unescape(at, group.length, at.length)), false);
    }

    /** Akeys of the dkey that the reader stands at. */
    public static Page<byte[]> akeys(GroupReader reader, byte[] dkey, byte[] anchor, int countMax) {
        List<byte[]> found = new ArrayList<>();
        byte[] at = anchor.length == 0 ? VosRecord.NO_BYTES : Keys.under(dkey, open(anchor));
        while (found.size() < countMax) {
            byte[] next = reader.nextAkey(at);
            if (next == null) return new Page<>(found, VosRecord.NO_BYTES, true);
            at = next;
            found.add(Keys.unescape(at, dkey.length, at.length));
        }
        return new Page<>(found, anchor(found.get(found.size() - 1)), false);
    }

    /** Visible bytes of an array, neighbours joined. */
    public static Page<Range> extents(GroupReader reader, byte[] dkey, byte[] akey, byte[] anchor, int countMax) {
        long from = anchor.length == 8 ? ByteBuffer.wrap(anchor).getLong() : 0;
        List<Range> found = new ArrayList<>();
        for (Fragment f : reader.fragments(Keys.under(dkey, akey), from, Long.MAX_VALUE)) {
            Range last = found.isEmpty() ? null : found.get(found.size() - 1);
            if (last != null && last.offset + last.length == f.from()) {
                found.set(found.size() - 1, new Range(last.offset, last.length + f.length()));
            } else if (found.size() == countMax) {
                return new Page<>(
                        found, ByteBuffer.allocate(8).putLong(f.from()).array(), false);
            } else {
                found.add(new Range(f.from(), f.length()));
            }
        }
        return new Page<>(found, VosRecord.NO_BYTES, true);
    }

    /** Objects with any entry under the prefix of a container or pool; the anchor is a key of the store. */
    public static Page<StoredOid> objects(
            KvReader kv, UUID pool, @Nullable UUID container, byte[] anchor, int countMax) {
        byte[] prefix = container == null ? Keys.records(pool) : Keys.container(pool, container);
        List<StoredOid> found = new ArrayList<>();
        try (KvCursor cursor = kv.cursor(KvRange.prefix(prefix))) {
            byte[] at = anchor;
            while (found.size() < countMax) {
                if (at.length > 0) cursor.seek(at);
                if (!cursor.next()) return new Page<>(found, VosRecord.NO_BYTES, true);
                Keys.Parts parts = Keys.parse(cursor.key());
                found.add(new StoredOid(parts.container(), parts.oid()));
                at = Keys.behind(Keys.object(pool, parts.container(), parts.oid()));
            }
            return new Page<>(found, at, false);
        }
    }

    /** Anchors of keys carry a mark in front, so that the empty key has one too. */
    private static byte[] anchor(byte[] key) {
        byte[] a = new byte[key.length + 1];
        System.arraycopy(key, 0, a, 1, key.length);
        return a;
    }

    private static byte[] open(byte[] anchor) {
        return java.util.Arrays.copyOfRange(anchor, 1, anchor.length);
    }
}
