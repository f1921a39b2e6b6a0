package io.daosmesh.engine.vos;

import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import io.daosmesh.storage.kv.KvReader;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What is visible of one object group at an epoch: committed, not above the epoch, not punched since. One cursor serves
 * all lookups. Owner: target loop; close it.
 */
public final class GroupReader implements AutoCloseable {
    private final KvCursor cursor;
    private final byte[] group;
    private final long epoch;
    private final Prepared prepared;
    private final long objectPunch;
    private byte[] dkey = VosRecord.NO_BYTES;
    private Set<Long> hidden = Set.of();
    private long floor;
    private int visited;

    public GroupReader(KvReader kv, byte[] group, long epoch, Prepared prepared) {
        this.cursor = kv.cursor(KvRange.prefix(group));
        this.group = group;
        this.epoch = epoch;
        this.prepared = prepared;
        byte[] punches = Keys.punches(group);
        this.objectPunch = newestPunch(punches, prepared.epochs(punches));
    }

    /** Entries looked at so far, for limits. */
    public int visited() {
        return visited;
    }

    /** Turns to a dkey. */
    public GroupReader at(byte[] userDkey) {
        return atPrefix(Keys.under(group, userDkey));
    }

    GroupReader atPrefix(byte[] prefix) {
        dkey = prefix;
        hidden = prepared.epochs(prefix);
        floor = Math.max(objectPunch, newestPunch(Keys.punches(prefix), hidden));
        return this;
    }

    private long newestPunch(byte[] punches, Set<Long> notCommitted) {
        cursor.seek(Keys.atOrBelow(punches, epoch));
        while (cursor.next()) {
            visited++;
            byte[] key = cursor.key();
            if (!Keys.startsWith(key, punches)) return 0;
            long e = Keys.epoch(key);
            if (!notCommitted.contains(e)) return e;
        }
        return 0;
    }

    /** The newest value; null if there is none. */
    public @Nullable VosRecord single(byte[] akey) {
        return singleAt(Keys.under(dkey, akey));
    }

    private @Nullable VosRecord singleAt(byte[] akeyPrefix) {
        start(akeyPrefix);
        for (VosRecord r = next(akeyPrefix); r != null; r = next(akeyPrefix)) {
            if (r.kind() == VosRecord.SINGLE) return r;
        }
        return null;
    }

    /**
     * What a fetch of an array range finds.
     *
     * @param fragments visible bytes in order, holes between them are zeros
     * @param length bytes present: the wanted length, cut at the end of the array
     * @param isAbsent the array holds nothing at all
     */
    public record ArrayRange(List<Fragment> fragments, long length, boolean isAbsent) {}

    public ArrayRange array(byte[] akey, long offset, long length) {
        byte[] prefix = Keys.under(dkey, akey);
        long end = offset + length;
        List<Fragment> found = fragments(prefix, offset, end);
        long last = found.isEmpty() ? offset : found.get(found.size() - 1).to();
        if (length > 0 && last == end) return new ArrayRange(found, length, false);
        if (!fragments(prefix, end, Long.MAX_VALUE).isEmpty()) return new ArrayRange(found, length, false);
        if (!found.isEmpty()) return new ArrayRange(found, last - offset, false);
        return new ArrayRange(List.of(), 0, fragments(prefix, 0, offset).isEmpty());
    }

    /** Visible extents of an akey that overlap the range, in order. */
    List<Fragment> fragments(byte[] akeyPrefix, long from, long to) {
        if (from >= to) return List.of();
        List<Fragment> found = new ArrayList<>();
        Uncovered uncovered = new Uncovered(from, to);
        start(akeyPrefix);
        for (VosRecord r = next(akeyPrefix); r != null && !uncovered.isEmpty(); r = next(akeyPrefix)) {
            VosRecord record = r;
            if (r.kind() == VosRecord.EXTENT) {
                uncovered.take(r.offset(), r.endOffset(), (a, b) -> found.add(new Fragment(record, a, b)));
            } else if (r.kind() == VosRecord.PUNCH_EXTENT) {
                uncovered.take(r.offset(), r.endOffset(), (a, b) -> {});
            }
        }
        found.sort(Comparator.comparingLong(Fragment::from));
        return found;
    }

    public boolean akeyExists(byte[] akey) {
        return prefixExists(Keys.under(dkey, akey));
    }

    private boolean prefixExists(byte[] akeyPrefix) {
        start(akeyPrefix);
        VosRecord newest = next(akeyPrefix);
        if (newest == null) return false;
        if (newest.kind() == VosRecord.SINGLE) return true;
        if (newest.kind() == VosRecord.EXTENT && newest.length() > 0) return true;
        // behind a hole, or an extent without bytes as an earlier release took it
        return !fragments(akeyPrefix, 0, Long.MAX_VALUE).isEmpty() || singleAt(akeyPrefix) != null;
    }

    /** True if any akey of the dkey holds something. */
    public boolean dkeyExists() {
        return nextAkey(VosRecord.NO_BYTES) != null;
    }

    /** Prefix of the first akey behind {@code after} (a prefix, empty = from the start) that holds something. */
    byte @Nullable [] nextAkey(byte[] after) {
        byte[] from = after.length == 0 ? Keys.firstChild(dkey) : Keys.behind(after);
        while (true) {
            cursor.seek(from);
            if (!cursor.next()) return null;
            visited++;
            byte[] key = cursor.key();
            if (!Keys.startsWith(key, dkey)) return null;
            int end = Keys.endOfKey(key, dkey.length);
            byte[] prefix = java.util.Arrays.copyOf(key, end);
            if (prefixExists(prefix)) return prefix;
            from = Keys.behind(prefix);
        }
    }

    /** Prefix of the next dkey that has any entry, visible or not. */
    byte @Nullable [] nextDkeyPrefix(byte[] after) {
        cursor.seek(after.length == 0 ? Keys.firstChild(group) : Keys.behind(after));
        if (!cursor.next()) return null;
        visited++;
        byte[] key = cursor.key();
        int end = Keys.endOfKey(key, group.length);
        return end < 0 ? null : java.util.Arrays.copyOf(key, end);
    }

    private void start(byte[] akeyPrefix) {
        cursor.seek(Keys.atOrBelow(akeyPrefix, epoch));
    }

    /** Next committed record of the akey that no punch hides, from new to old; null at the end. */
    private @Nullable VosRecord next(byte[] akeyPrefix) {
        while (cursor.next()) {
            visited++;
            byte[] key = cursor.key();
            if (!Keys.startsWith(key, akeyPrefix)) return null;
            long e = Keys.epoch(key);
            if (e <= floor) return null;
            if (!hidden.isEmpty() && hidden.contains(e)) continue;
            if (Keys.kind(key) == VosRecord.PUNCH_AKEY) return null;
            return VosRecord.decode(key, cursor.value());
        }
        return null;
    }

    @Override
    public void close() {
        cursor.close();
    }
}
