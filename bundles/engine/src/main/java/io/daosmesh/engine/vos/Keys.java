package io.daosmesh.engine.vos;

import io.daosmesh.model.fault.Invariant;
import io.daosmesh.model.id.DtxId;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.release.StoredFormat;
import io.daosmesh.storage.kv.KvRange;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Layout of a target's key space, version 2. Owner: any thread; pure functions.
 *
 * <pre>
 * F                                                                    layout version
 * M pool                                                               marker of a pool shard
 * T pool client hlc                                                    DTX
 * C pool container                                                     clock when the container was destroyed
 * U pool container oid group dkey akey line ~epoch kind                a record that cannot be read here
 * G pool [container oid group (dkey | 00 00)]                          map version of the newest change; of the first logged one
 * H pool                                                               pool map by which the target was a holder last
 * D pool container oid group                                           map version at which the group was pulled
 * N pool container oid group (dkey | 00 00)                            has to be pulled, whatever the source says
 * S pool                                                               where the scrubber is, and what it has counted
 * R pool container oid group [dkey [akey]] line ~epoch kind            record
 *
 * line: 00                        punches of the level
 *       01                        versions of a single value
 *       02+step offset length     versions of an extent or of a punched one
 * </pre>
 *
 * Keys of the user are escaped (00 to 00 FF) and end with 00 01, so that the order is theirs; 00 00 in the place of a key
 * holds the punches of the level above, before every key. Epochs are inverted: in a line the newest record comes first.
 * Extents lie by their offsets, apart by the magnitude of their length: of one step none is longer than
 * {@link #stepBytesMax}, which bounds how far before a byte those begin that could cover it.
 */
public final class Keys {
    public static final byte LAYOUT_VERSION = (byte) StoredFormat.TARGET_INDEX.newest();
    /** As in the fault KEY2BIG. */
    public static final int KEY_BYTES_MAX = 4096;
    /** Steps of extents' lengths, each sixteen times as long as the one before. */
    static final int STEPS = 17;

    private static final byte PUNCH_LINE = 0;
    private static final byte SINGLE_LINE = 1;
    private static final byte EXTENT_LINES = 2;
    /** Behind all extents of an akey; no record lies there. */
    private static final byte BEHIND_EXTENTS = EXTENT_LINES + STEPS;
    /** Inverted epoch, kind. */
    private static final int VERSION_BYTES = 8 + 1;

    private static final int LENGTH_FROM_END = VERSION_BYTES + 8;
    private static final int OFFSET_FROM_END = LENGTH_FROM_END + 8;

    private static final int POOL_BYTES = 1 + 16;
    static final int GROUP_BYTES = POOL_BYTES + 16 + 16 + 4;

    private Keys() {}

    public static byte[] format() {
        return new byte[] {'F'};
    }

    public static byte[] marker(UUID pool) {
        return pool('M', pool);
    }

    public static byte[] dtxs(UUID pool) {
        return pool('T', pool);
    }

    public static byte[] dtx(UUID pool, DtxId id) {
        return head('T', pool, 24)
                .putLong(id.client().getMostSignificantBits())
                .putLong(id.client().getLeastSignificantBits())
                .putLong(id.hlc())
                .array();
    }

    public static DtxId dtxId(byte[] key) {
        ByteBuffer b = ByteBuffer.wrap(key, POOL_BYTES, 24);
        return new DtxId(new UUID(b.getLong(), b.getLong()), b.getLong());
    }

    public static byte[] destroyed(UUID pool) {
        return pool('C', pool);
    }

    public static byte[] destroyed(UUID pool, UUID container) {
        return head('C', pool, 16)
                .putLong(container.getMostSignificantBits())
                .putLong(container.getLeastSignificantBits())
                .array();
    }

    public static byte[] unreadable(UUID pool) {
        return pool('U', pool);
    }

    /** The mark of a record, or the record of a mark. */
    public static byte[] marked(byte[] key) {
        return in(key[0] == 'U' ? 'R' : 'U', key);
    }

    private static byte[] in(char table, byte[] key) {
        byte[] other = key.clone();
        other[0] = (byte) table;
        return other;
    }

    /** Prefix of the pool's log of changes; as a key by itself: since when it is kept. */
    public static byte[] changes(UUID pool) {
        return pool('G', pool);
    }

    /** In the log of changes, for a scope or all of a group. */
    public static byte[] change(byte[] scope) {
        return in('G', scope);
    }

    public static byte[] held(UUID pool) {
        return pool('H', pool);
    }

    public static byte[] pulled(UUID pool) {
        return pool('D', pool);
    }

    public static byte[] pulled(byte[] group) {
        return in('D', group);
    }

    public static byte[] gaps(UUID pool) {
        return pool('N', pool);
    }

    public static byte[] gap(byte[] scope) {
        return in('N', scope);
    }

    public static byte[] scrub(UUID pool) {
        return pool('S', pool);
    }

    /** The container of a record. */
    public static UUID containerOf(byte[] record) {
        ByteBuffer b = ByteBuffer.wrap(record, POOL_BYTES, 16);
        return new UUID(b.getLong(), b.getLong());
    }

    /** What an index holds of a pool beside its marker and records. */
    public static List<byte[]> tables(UUID pool) {
        return List.of(
                dtxs(pool),
                destroyed(pool),
                unreadable(pool),
                changes(pool),
                held(pool),
                pulled(pool),
                gaps(pool),
                scrub(pool));
    }

    /** The place among the records of a key of another table. */
    public static byte[] recordOf(byte[] key) {
        return in('R', key);
    }

    /** The group's prefix of a record or scope. */
    public static byte[] groupOf(byte[] key) {
        return Arrays.copyOf(key, GROUP_BYTES);
    }

    /** The scope is that of a whole group's punches, and stands for all of it. */
    public static boolean isWholeGroup(byte[] scope) {
        return scope.length == GROUP_BYTES + 2 && scope[GROUP_BYTES] == 0 && scope[GROUP_BYTES + 1] == 0;
    }

    /** The user's dkey of a scope that is none of a whole group. */
    public static byte[] dkeyOf(byte[] scope) {
        return unescape(scope, GROUP_BYTES, scope.length);
    }

    public static byte[] records(UUID pool) {
        return pool('R', pool);
    }

    public static byte[] container(UUID pool, UUID container) {
        return container(pool, container, 0).array();
    }

    public static byte[] object(UUID pool, UUID container, ObjectId oid) {
        return container(pool, container, 16)
                .putLong(oid.high())
                .putLong(oid.low())
                .array();
    }

    public static byte[] group(UUID pool, UUID container, ObjectId oid, int group) {
        return container(pool, container, 20)
                .putLong(oid.high())
                .putLong(oid.low())
                .putInt(group)
                .array();
    }

    private static byte[] pool(char table, UUID pool) {
        return head(table, pool, 0).array();
    }

    private static ByteBuffer container(UUID pool, UUID container, int more) {
        return head('R', pool, 16 + more)
                .putLong(container.getMostSignificantBits())
                .putLong(container.getLeastSignificantBits());
    }

    private static ByteBuffer head(char table, UUID pool, int more) {
        return ByteBuffer.allocate(POOL_BYTES + more)
                .put((byte) table)
                .putLong(pool.getMostSignificantBits())
                .putLong(pool.getLeastSignificantBits());
    }

    /** Prefix of everything under a dkey (given a group's prefix) or an akey (given a dkey's). */
    public static byte[] under(byte[] prefix, byte[] key) {
        int zeros = 0;
        for (byte b : key) if (b == 0) zeros++;
        byte[] out = Arrays.copyOf(prefix, prefix.length + key.length + zeros + 2);
        int at = prefix.length;
        for (byte b : key) {
            out[at++] = b;
            if (b == 0) out[at++] = (byte) 0xff;
        }
        out[at] = 0;
        out[at + 1] = 1;
        return out;
    }

    /** Where the punches of a whole group (given its prefix) or dkey lie. */
    public static byte[] punches(byte[] prefix) {
        return Arrays.copyOf(prefix, prefix.length + 2);
    }

    /** First possible key of the level below, behind the punches. */
    static byte[] firstChild(byte[] prefix) {
        byte[] out = Arrays.copyOf(prefix, prefix.length + 2);
        out[prefix.length + 1] = 1;
        return out;
    }

    /** Key of a punch of a whole level, or of a version of a single value. */
    public static byte[] record(byte[] scope, long epoch, int kind) {
        boolean isExtent = kind == VosRecord.EXTENT || kind == VosRecord.PUNCH_EXTENT;
        Invariant.check(!isExtent, "the key of an extent says where it lies");
        byte line = kind == VosRecord.SINGLE ? SINGLE_LINE : PUNCH_LINE;
        return ByteBuffer.allocate(scope.length + 1 + VERSION_BYTES)
                .put(scope)
                .put(line)
                .putLong(~epoch)
                .put((byte) kind)
                .array();
    }

    /** Key of an extent, or of a punched one. */
    public static byte[] extent(byte[] akey, long epoch, int kind, long offset, long length) {
        return ByteBuffer.allocate(akey.length + 1 + OFFSET_FROM_END)
                .put(akey)
                .put((byte) (EXTENT_LINES + stepOf(length)))
                .putLong(offset)
                .putLong(length)
                .putLong(~epoch)
                .put((byte) kind)
                .array();
    }

    /** What all versions in the place of this record have in common; the newest comes first. */
    static byte[] line(byte[] record) {
        return Arrays.copyOf(record, record.length - VERSION_BYTES);
    }

    /** Line of the punches of a whole level; before everything else of an akey. */
    static byte[] punchLine(byte[] scope) {
        return lineOf(scope, PUNCH_LINE);
    }

    static byte[] singleLine(byte[] akey) {
        return lineOf(akey, SINGLE_LINE);
    }

    private static byte[] lineOf(byte[] scope, byte line) {
        byte[] out = Arrays.copyOf(scope, scope.length + 1);
        out[scope.length] = line;
        return out;
    }

    /** Where the extents of a step begin that start at the offset or behind it. */
    static byte[] extents(byte[] akey, int step, long offset) {
        return extents(akey, (byte) (EXTENT_LINES + step), offset);
    }

    /** A place behind all extents of an akey that keeps an offset. */
    static byte[] behindExtents(byte[] akey, long offset) {
        return extents(akey, BEHIND_EXTENTS, offset);
    }

    private static byte[] extents(byte[] akey, byte line, long offset) {
        return ByteBuffer.allocate(akey.length + 9)
                .put(akey)
                .put(line)
                .putLong(offset)
                .array();
    }

    /** The offset kept by {@link #behindExtents}; -1 if it is no such place. */
    static long offsetBehindExtents(byte[] key, int akeyEnd) {
        return key.length == akeyEnd + 9 && key[akeyEnd] == BEHIND_EXTENTS
                ? ByteBuffer.wrap(key).getLong(akeyEnd + 1)
                : -1;
    }

    /** Step of the extents among which the record of an akey lies; negative for other records. */
    static int step(byte[] record, int akeyEnd) {
        return record[akeyEnd] - EXTENT_LINES;
    }

    /** Smallest step for extents of so many bytes. */
    static int stepOf(long length) {
        return (Long.SIZE - Long.numberOfLeadingZeros(Math.max(1, length) - 1) + 3) / 4;
    }

    /** Longest extent of a step. */
    static long stepBytesMax(int step) {
        return step == STEPS - 1 ? Long.MAX_VALUE : 1L << 4 * step;
    }

    /** Where versions at or below an epoch start in a line. */
    static byte[] atOrBelow(byte[] line, long epoch) {
        return ByteBuffer.allocate(line.length + 8).put(line).putLong(~epoch).array();
    }

    /** True if one single value takes the place of the other: whoever sees the newer one does not see the older. */
    public static boolean isSameSingle(byte[] a, byte[] b) {
        boolean isSingle = kind(a) == VosRecord.SINGLE && kind(b) == VosRecord.SINGLE;
        return isSingle && a.length == b.length && startsWith(a, line(b));
    }

    /** The first key behind all that start with the prefix. */
    public static byte[] behind(byte[] prefix) {
        byte[] to = KvRange.prefix(prefix).to();
        return to == null ? prefix : to;
    }

    public static boolean startsWith(byte[] key, byte[] prefix) {
        return key.length >= prefix.length && Arrays.equals(key, 0, prefix.length, prefix, 0, prefix.length);
    }

    public static long epoch(byte[] record) {
        return ~ByteBuffer.wrap(record).getLong(record.length - VERSION_BYTES);
    }

    static int kind(byte[] record) {
        return record[record.length - 1];
    }

    static boolean isExtent(byte[] record) {
        int kind = kind(record);
        return kind == VosRecord.EXTENT || kind == VosRecord.PUNCH_EXTENT;
    }

    /** First byte of an extent; 0 for other records. */
    static long offset(byte[] record) {
        return isExtent(record) ? ByteBuffer.wrap(record).getLong(record.length - OFFSET_FROM_END) : 0;
    }

    /** Bytes of an extent; 0 for other records. */
    static long length(byte[] record) {
        return isExtent(record) ? ByteBuffer.wrap(record).getLong(record.length - LENGTH_FROM_END) : 0;
    }

    /** Length of what stands before a record's line: the prefix of its akey, or the place of the punches above. */
    public static int endOfScope(byte[] record) {
        int dkeyEnd = endOfKey(record, GROUP_BYTES);
        if (dkeyEnd < 0) return GROUP_BYTES + 2;
        int akeyEnd = endOfKey(record, dkeyEnd);
        return akeyEnd < 0 ? dkeyEnd + 2 : akeyEnd;
    }

    /** Length of the prefix that ends with the user key starting at {@code from}; -1 if punches of the level stand there. */
    static int endOfKey(byte[] key, int from) {
        for (int i = from; i + 1 < key.length; i++) {
            if (key[i] != 0) continue;
            if (key[i + 1] == 0 && i == from) return -1;
            if (key[i + 1] == 1) return i + 2;
            i++;
        }
        return -1;
    }

    /** The user's key between {@code from} and its terminator. */
    static byte[] unescape(byte[] key, int from, int end) {
        byte[] out = new byte[end - 2 - from];
        int n = 0;
        for (int i = from; i < end - 2; i++) {
            out[n++] = key[i];
            if (key[i] == 0) i++;
        }
        return Arrays.copyOf(out, n);
    }

    /**
     * A record's key taken apart.
     *
     * @param dkey null for a punch of the object
     * @param akey null for a punch of the object or dkey
     */
    public record Parts(
            UUID container,
            ObjectId oid,
            int group,
            byte @Nullable [] dkey,
            byte @Nullable [] akey,
            byte[] groupPrefix) {}

    public static Parts parse(byte[] key) {
        ByteBuffer b = ByteBuffer.wrap(key);
        b.position(POOL_BYTES);
        UUID container = new UUID(b.getLong(), b.getLong());
        ObjectId oid = new ObjectId(b.getLong(), b.getLong());
        int group = b.getInt();
        byte[] prefix = Arrays.copyOf(key, GROUP_BYTES);
        int dkeyEnd = endOfKey(key, GROUP_BYTES);
        if (dkeyEnd < 0) return new Parts(container, oid, group, null, null, prefix);
        byte[] dkey = unescape(key, GROUP_BYTES, dkeyEnd);
        int akeyEnd = endOfKey(key, dkeyEnd);
        byte[] akey = akeyEnd < 0 ? null : unescape(key, dkeyEnd, akeyEnd);
        return new Parts(container, oid, group, dkey, akey, prefix);
    }

    /** Of what a change of the record touches: its dkey, or the group when it is a punch of that. */
    public static byte[] touched(byte[] record) {
        int dkeyEnd = endOfKey(record, GROUP_BYTES);
        return Arrays.copyOf(record, dkeyEnd < 0 ? GROUP_BYTES : dkeyEnd);
    }

    /** The records of the pool to whose tables the key belongs. */
    public static byte[] recordsOf(byte[] key) {
        byte[] prefix = Arrays.copyOf(key, POOL_BYTES);
        prefix[0] = 'R';
        return prefix;
    }

    public static boolean isRecord(byte[] key) {
        return key[0] == 'R';
    }

    public static boolean isDtx(byte[] key) {
        return key[0] == 'T';
    }

    /** Under which a DTX of the group hides the record. */
    public static byte[] scope(byte[] group, byte[] record) {
        byte[] dkey = parse(record).dkey();
        return dkey == null ? punches(group) : under(group, dkey);
    }
}
