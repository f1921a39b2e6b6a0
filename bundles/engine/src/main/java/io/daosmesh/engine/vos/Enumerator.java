package io.daosmesh.engine.vos;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import io.daosmesh.storage.kv.KvReader;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Lists what is visible, in pieces: a bounded number of results and of entries looked at. Owner: target loop. */
public final class Enumerator {
    /** Entries looked at in one call, but for the last window of extents: less than 5 ms of the loop. */
    public static final int VISITS_MAX = 4_096;

    private Enumerator() {}

    /**
     * One page.
     *
     * @param anchor where the next one starts; an opaque value
     */
    public record Page<T>(List<T> items, byte[] anchor, boolean isEnd) {}

    public record Range(long offset, long length) {
        long end() {
            return offset + length;
        }
    }

    /** A stored object. */
    public record StoredOid(UUID container, ObjectId oid) {}

    /** Dkeys of a group; the anchor is the last dkey looked at, or says where in it the search goes on. */
    public static Page<byte[]> dkeys(GroupReader reader, byte[] group, byte[] anchor, int countMax) {
        List<byte[]> found = new ArrayList<>();
        Spot spot = Spot.open(anchor);
        byte[] at = anchor.length == 0 ? VosRecord.NO_BYTES : Keys.under(group, spot.dkey());
        int last = reader.visited() + VISITS_MAX;
        while (found.size() < countMax && reader.visited() < last) {
            if (!spot.isInside()) {
                byte[] next = reader.nextDkeyPrefix(at);
                if (next == null) return new Page<>(found, VosRecord.NO_BYTES, true);
                at = next;
            }
            byte[] dkey = Keys.unescape(at, group.length, at.length);
            byte[] after = spot.isInside() ? Keys.under(at, spot.akey()) : VosRecord.NO_BYTES;
            GroupReader.Next n =
                    reader.atPrefix(at).nextAkey(after, spot.offset(), Math.max(1, last - reader.visited()));
            if (n != null && n.isFound()) found.add(dkey);
            spot = n == null || n.isFound()
                    ? Spot.behind(dkey)
                    : new Spot(dkey, true, Keys.unescape(n.akey(), at.length, n.akey().length), n.offset());
        }
        return new Page<>(found, spot.anchor(), false);
    }

    /** Akeys of the dkey that the reader stands at. */
    public static Page<byte[]> akeys(GroupReader reader, byte[] dkey, byte[] anchor, int countMax) {
        List<byte[]> found = new ArrayList<>();
        Spot spot = Spot.open(anchor);
        // of an akey the anchor keeps the key in the place of the dkey, unless the search stopped inside
        byte[] key = spot.isInside() ? spot.akey() : spot.dkey();
        byte[] at = anchor.length == 0 ? VosRecord.NO_BYTES : Keys.under(dkey, key);
        long offset = spot.offset();
        int last = reader.visited() + VISITS_MAX;
        do {
            GroupReader.Next n = reader.nextAkey(at, offset, Math.max(1, last - reader.visited()));
            if (n == null) return new Page<>(found, VosRecord.NO_BYTES, true);
            at = n.akey();
            offset = n.offset();
            key = Keys.unescape(at, dkey.length, at.length);
            if (n.isFound()) found.add(key);
        } while (found.size() < countMax && reader.visited() < last);
        Spot next = offset > 0 ? new Spot(VosRecord.NO_BYTES, true, key, offset) : Spot.behind(key);
        return new Page<>(found, next.anchor(), false);
    }

    /** Visible bytes of an array, neighbours joined within a page. */
    public static Page<Range> extents(GroupReader reader, byte[] dkey, byte[] akey, byte[] anchor, int countMax) {
        long from = anchor.length == 8 ? Math.max(0, ByteBuffer.wrap(anchor).getLong()) : 0;
        List<Range> found = new ArrayList<>();
        int last = reader.visited() + VISITS_MAX;
        ExtentWalk walk = reader.walk(Keys.under(dkey, akey), from);
        while (true) {
            reader.gather(walk);
            for (Range r : walk.ranges()) {
                Range before = found.isEmpty() ? null : found.get(found.size() - 1);
                if (before != null && before.end() == r.offset) {
                    found.set(found.size() - 1, new Range(before.offset, before.length + r.length));
                } else if (found.size() == countMax) {
                    return new Page<>(found, anchor(r.offset), false);
                } else {
                    found.add(r);
                }
            }
            if (walk.isLast()) return new Page<>(found, VosRecord.NO_BYTES, true);
            walk.advance();
            if (reader.visited() >= last) return cut(found, walk.from());
        }
    }

    /** A range that may go on behind the page begins the next one, if there is another one to end this one with. */
    private static Page<Range> cut(List<Range> found, long from) {
        int last = found.size() - 1;
        if (last < 1 || found.get(last).end() != from) return new Page<>(found, anchor(from), false);
        Range open = found.remove(last);
        return new Page<>(found, anchor(open.offset), false);
    }

    private static byte[] anchor(long offset) {
        return ByteBuffer.allocate(8).putLong(offset).array();
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

    /**
     * Where a listing of keys goes on. As an anchor a mark comes first, so that the empty key has one, too.
     *
     * @param isInside the key was not looked at to its end: on in, or behind, its akey
     * @param offset in the akey; 0 = behind it
     */
    private record Spot(byte[] dkey, boolean isInside, byte[] akey, long offset) {
        private static final byte BEHIND = 0;
        private static final byte INSIDE = 1;

        static Spot behind(byte[] key) {
            return new Spot(key, false, VosRecord.NO_BYTES, 0);
        }

        static Spot open(byte[] anchor) {
            try {
                if (anchor.length == 0 || anchor[0] == BEHIND)
                    return behind(Arrays.copyOfRange(anchor, Math.min(1, anchor.length), anchor.length));
                ByteBuffer b = ByteBuffer.wrap(anchor);
                byte mark = b.get();
                long offset = b.getLong();
                byte[] dkey = new byte[b.getShort() & 0xffff];
                b.get(dkey);
                byte[] akey = new byte[b.remaining()];
                b.get(akey);
                if (mark == INSIDE && offset >= 0) return new Spot(dkey, true, akey, offset);
            } catch (BufferUnderflowException e) {
                // refused below
            }
            throw Fault.of(FaultCode.INVAL, "the anchor of a listing is not one")
                    .asException();
        }

        byte[] anchor() {
            if (!isInside)
                return ByteBuffer.allocate(1 + dkey.length)
                        .put(BEHIND)
                        .put(dkey)
                        .array();
            return ByteBuffer.allocate(1 + 8 + 2 + dkey.length + akey.length)
                    .put(INSIDE)
                    .putLong(offset)
                    .putShort((short) dkey.length)
                    .put(dkey)
                    .put(akey)
                    .array();
        }
    }
}
