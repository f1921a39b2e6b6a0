package io.daosmesh.engine.vos;

import io.daosmesh.model.id.DtxId;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.storage.kv.KvRange;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Layout of a target's key space, version 1. Owner: any thread; pure functions.
 *
 * <pre>
 * F                                                                    layout version
 * M pool                                                               marker of a pool shard
 * T pool client hlc                                                    DTX
 * C pool container                                                     clock when the container was destroyed
 * U pool container oid group dkey akey ~epoch kind offset              a record that cannot be read here
 * R pool container oid group [dkey [akey]] ~epoch kind offset          record
 * </pre>
 *
 * Keys of the user are escaped (00 to 00 FF) and end with 00 01, so that the order is theirs; 00 00 in the place of a key
 * holds the punches of the level above, before every key. Epochs are inverted: the newest record comes first.
 */
public final class Keys {
    public static final int LAYOUT_VERSION = 1;
    /** As in the fault KEY2BIG. */
    public static final int KEY_BYTES_MAX = 4096;
    /** Inverted epoch, kind, offset. */
    static final int SUFFIX_BYTES = 8 + 1 + 8;

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
        byte[] other = key.clone();
        other[0] = (byte) (key[0] == 'U' ? 'R' : 'U');
        return other;
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

    public static byte[] record(byte[] scope, long epoch, int kind, long offset) {
        return ByteBuffer.allocate(scope.length + SUFFIX_BYTES)
                .put(scope)
                .putLong(~epoch)
                .put((byte) kind)
                .putLong(offset)
                .array();
    }

    /** Where records at or below an epoch start. */
    static byte[] atOrBelow(byte[] scope, long epoch) {
        return ByteBuffer.allocate(scope.length + 8).put(scope).putLong(~epoch).array();
    }

    /** True if one single value takes the place of the other: whoever sees the newer one does not see the older. */
    public static boolean isSameSingle(byte[] a, byte[] b) {
        int scope = a.length - SUFFIX_BYTES;
        boolean isSingle = kind(a) == VosRecord.SINGLE && kind(b) == VosRecord.SINGLE;
        return isSingle && a.length == b.length && Arrays.equals(a, 0, scope, b, 0, scope);
    }

    /** The first key behind all that start with the prefix. */
    public static byte[] behind(byte[] prefix) {
        byte[] to = KvRange.prefix(prefix).to();
        return to == null ? prefix : to;
    }

    static boolean startsWith(byte[] key, byte[] prefix) {
        return key.length >= prefix.length && Arrays.equals(key, 0, prefix.length, prefix, 0, prefix.length);
    }

    static long epoch(byte[] key) {
        return ~ByteBuffer.wrap(key).getLong(key.length - SUFFIX_BYTES);
    }

    static int kind(byte[] key) {
        return key[key.length - 9];
    }

    static long offset(byte[] key) {
        return ByteBuffer.wrap(key).getLong(key.length - 8);
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
