package io.daosmesh.engine.vos;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import io.daosmesh.storage.kv.KvReader;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What is visible of one object group at an epoch: committed, not above the epoch, not punched since. One cursor serves
 * all lookups. Owner: target loop; close it.
 */
public final class GroupReader implements AutoCloseable {
    /** Entries looked at to find out at once whether something exists; about 10 ms of the loop. */
    static final int EXISTENCE_VISITS_MAX = 20_000;
    /** Entries looked at for one window, whose bounds do not count what overlaps it: tens of milliseconds. */
    private static final int WINDOW_VISITS_MAX = 60_000;

    private static final long EXISTS = -1;
    private static final long ABSENT = -2;

    private final KvCursor cursor;
    private final byte[] group;
    private final long epoch;
    private final Prepared prepared;
    private final long objectPunch;
    private byte[] dkey = VosRecord.NO_BYTES;
    private Set<Long> hidden = Set.of();
    private long floor;
    private long akeyFloor;
    private int visited;

    public GroupReader(KvReader kv, byte[] group, long epoch, Prepared prepared) {
        this(kv.cursor(KvRange.prefix(group)), group, epoch, prepared);
    }

    /** For one dkey alone: what lies behind it, such as the remains of deleted ones, costs nothing. */
    public static GroupReader within(KvReader kv, byte[] group, byte[] userDkey, long epoch, Prepared prepared) {
        byte[] end = Keys.behind(Keys.under(group, userDkey));
        return new GroupReader(kv.cursor(KvRange.of(group, end)), group, epoch, prepared);
    }

    private GroupReader(KvCursor cursor, byte[] group, long epoch, Prepared prepared) {
        this.cursor = new Thrifty(cursor);
        this.group = group;
        this.epoch = epoch;
        this.prepared = prepared;
        byte[] punches = Keys.punches(group);
        this.objectPunch = newestPunch(punches, prepared.epochs(punches));
    }

    /** True if somebody who reads at the epoch gets bytes of this very record. */
    public static boolean isVisible(KvReader kv, VosRecord record, long epoch, Prepared prepared) {
        Keys.Parts p = Keys.parse(record.key());
        byte[] dkey = p.dkey();
        byte[] akey = p.akey();
        if (dkey == null || akey == null) return false;
        try (GroupReader reader = within(kv, p.groupPrefix(), dkey, epoch, prepared)) {
            reader.at(dkey);
            if (record.kind() == VosRecord.SINGLE) return isSame(reader.single(akey), record);
            long length = Keys.length(record.key());
            // of a damaged key nobody can say
            if (record.offset() < 0 || length < 0 || record.offset() + length < 0) return true;
            return reader.firstOf(akey, record) != null;
        }
    }

    /** The first bytes of this very extent that somebody gets who reads at the epoch; null if there are none. */
    public static @Nullable Fragment firstVisible(KvReader kv, VosRecord extent, long epoch, Prepared prepared) {
        Keys.Parts p = Keys.parse(extent.key());
        byte[] dkey = p.dkey();
        byte[] akey = p.akey();
        if (dkey == null || akey == null) return null;
        try (GroupReader reader = within(kv, p.groupPrefix(), dkey, epoch, prepared)) {
            return reader.at(dkey).firstOf(akey, extent);
        }
    }

    private @Nullable Fragment firstOf(byte[] akey, VosRecord extent) {
        return array(akey, extent.offset(), Keys.length(extent.key())).fragments().stream()
                .filter(f -> isSame(f.record(), extent))
                .findFirst()
                .orElse(null);
    }

    private static boolean isSame(@Nullable VosRecord found, VosRecord record) {
        return found != null && Arrays.equals(found.key(), record.key());
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
        byte[] line = Keys.punchLine(punches);
        cursor.seek(Keys.atOrBelow(line, epoch));
        while (cursor.next()) {
            visited++;
            byte[] key = cursor.key();
            if (!Keys.startsWith(key, line)) return 0;
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
        if (!enter(akeyPrefix)) return null;
        byte[] line = Keys.singleLine(akeyPrefix);
        do {
            byte[] key = cursor.key();
            if (!Keys.startsWith(key, line)) return null;
            long e = Keys.epoch(key);
            if (e <= akeyFloor) return null;
            if (e > epoch) cursor.seek(Keys.atOrBelow(line, epoch));
            else if (!hidden.contains(e)) return VosRecord.decode(key, cursor.value());
        } while (next());
        return null;
    }

    /** Finds the punches of an akey and stands behind them; false if nothing is there. */
    private boolean enter(byte[] akeyPrefix) {
        akeyFloor = floor;
        byte[] punches = Keys.punchLine(akeyPrefix);
        byte[] behind = Keys.singleLine(akeyPrefix);
        cursor.seek(Keys.atOrBelow(punches, epoch));
        while (next()) {
            byte[] key = cursor.key();
            if (!Keys.startsWith(key, punches)) return Keys.startsWith(key, akeyPrefix);
            long e = Keys.epoch(key);
            if (hidden.contains(e)) continue;
            akeyFloor = Math.max(floor, e);
            cursor.seek(behind);
        }
        return false;
    }

    private boolean next() {
        visited++;
        return cursor.next();
    }

    /**
     * What a fetch of an array range finds.
     *
     * @param fragments visible bytes in order, holes between them are zeros
     * @param length bytes present: the wanted length, cut at the end of the array
     * @param isAbsent the array holds nothing at all
     */
    public record ArrayRange(List<Fragment> fragments, long length, boolean isAbsent) {}

    /** All of a range, however many entries have to be looked at. */
    public ArrayRange array(byte[] akey, long offset, long length) {
        ArraySearch search = search(akey, offset, length);
        while (!step(search, Integer.MAX_VALUE)) {
            // goes on
        }
        return search.range();
    }

    /** Begins to look for a range: what is seen is decided now, and found by {@link #step}. */
    public ArraySearch search(byte[] akey, long offset, long length) {
        byte[] prefix = Keys.under(dkey, akey);
        enter(prefix);
        return new ArraySearch(prefix, sight(), offset, length);
    }

    /** True when the search is done; false when about {@code visitsMax} entries were looked at: go on, in another turn. */
    public boolean step(ArraySearch search, int visitsMax) {
        int before = search.visited();
        boolean isDone = search.step(cursor, visitsMax);
        visited += search.visited() - before;
        return isDone;
    }

    private ExtentWalk.Sight sight() {
        return new ExtentWalk.Sight(epoch, akeyFloor, Set.copyOf(hidden));
    }

    /** All extents of an akey from an offset on, without their values. */
    ExtentWalk walk(byte[] akeyPrefix, long from) {
        enter(akeyPrefix);
        return new ExtentWalk(akeyPrefix, sight(), from, Long.MAX_VALUE, ExtentWalk.WINDOW_PLACES, false);
    }

    /** Gathers the walk's next window; BUSY when very many old versions overlap there. */
    void gather(ExtentWalk walk) {
        int before = walk.visited();
        boolean isGathered = walk.gather(cursor, WINDOW_VISITS_MAX);
        visited += walk.visited() - before;
        if (!isGathered) throw tooMuch(WINDOW_VISITS_MAX);
    }

    private static FaultException tooMuch(int visits) {
        return Fault.of(FaultCode.BUSY, "more than %d entries that are mostly not visible any more", visits)
                .remedy("try again when aggregation has dropped them")
                .asException();
    }

    /** BUSY when too much that is not visible any more would have to be looked at. */
    public boolean akeyExists(byte[] akey) {
        return decided(find(Keys.under(dkey, akey), 0, EXISTENCE_VISITS_MAX));
    }

    /** True if any akey of the dkey holds something; BUSY as with {@link #akeyExists}. */
    public boolean dkeyExists() {
        Next n = nextAkey(VosRecord.NO_BYTES, 0, EXISTENCE_VISITS_MAX);
        if (n == null) return false;
        return decided(n.isFound ? EXISTS : n.offset);
    }

    private static boolean decided(long found) {
        if (found >= 0) throw tooMuch(EXISTENCE_VISITS_MAX);
        return found == EXISTS;
    }

    /** {@link #EXISTS}, {@link #ABSENT}, or the offset at which the search goes on: the visits are used up. */
    private long find(byte[] akeyPrefix, long from, int visitsMax) {
        long last = (long) visited + visitsMax;
        if (from > 0) enter(akeyPrefix);
        else if (singleAt(akeyPrefix) != null) return EXISTS;
        ExtentWalk walk = new ExtentWalk(akeyPrefix, sight(), from, Long.MAX_VALUE, ExtentWalk.FEW_PLACES, false);
        while (true) {
            gather(walk);
            if (walk.showsBytes()) return EXISTS;
            if (walk.isLast()) return ABSENT;
            walk.advance();
            if (visited >= last) return walk.from();
        }
    }

    /**
     * What the search for the next akey ends with.
     *
     * @param akey prefix of the one that was looked at last
     * @param isFound it holds something
     * @param offset in that akey, where the search goes on when the visits are used up; 0 = behind the akey
     */
    record Next(byte[] akey, boolean isFound, long offset) {}

    /**
     * The first akey of the dkey that holds something; null if there is none.
     *
     * @param after prefix of the akey behind which it begins, empty = with the first one
     * @param offset in that akey, where it begins; 0 = behind the akey
     */
    @Nullable
    Next nextAkey(byte[] after, long offset, int visitsMax) {
        long last = (long) visited + visitsMax;
        long start = offset;
        byte[] from = after.length == 0 ? Keys.firstChild(dkey) : start > 0 ? after : Keys.behind(after);
        while (true) {
            cursor.seek(from);
            if (!next()) return null;
            byte[] key = cursor.key();
            if (!Keys.startsWith(key, dkey)) return null;
            byte[] prefix = Arrays.copyOf(key, Keys.endOfKey(key, dkey.length));
            long found = find(prefix, Arrays.equals(prefix, after) ? start : 0, (int) Math.max(1, last - visited));
            if (found == EXISTS) return new Next(prefix, true, 0);
            if (found != ABSENT) return new Next(prefix, false, found);
            if (visited >= last) return new Next(prefix, false, 0);
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
        return end < 0 ? null : Arrays.copyOf(key, end);
    }

    @Override
    public void close() {
        cursor.close();
    }

    /**
     * A cursor that knows what it has seen: a jump that must end where it stands costs nothing. Lookups for one key after
     * another begin where the one before has ended.
     */
    private static final class Thrifty implements KvCursor {
        private final KvCursor cursor;
        /** From here to where it stands there is nothing; null before the first move. */
        private byte @Nullable [] nothingFrom;
        /** Key of the entry that it stands on; null at the end. */
        private byte @Nullable [] at;

        private byte @Nullable [] sought;

        Thrifty(KvCursor cursor) {
            this.cursor = cursor;
        }

        @Override
        public void seek(byte[] key) {
            sought = key;
        }

        @Override
        public boolean next() {
            byte[] target = sought;
            byte[] last = at;
            sought = null;
            if (target != null) {
                if (isNextFrom(target)) return last != null;
                cursor.seek(target);
                nothingFrom = target;
            } else if (last != null) {
                nothingFrom = Arrays.copyOf(last, last.length + 1);
            }
            boolean isThere = cursor.next();
            at = isThere ? cursor.key() : null;
            return isThere;
        }

        private boolean isNextFrom(byte[] target) {
            byte[] from = nothingFrom;
            byte[] to = at;
            return from != null
                    && Arrays.compareUnsigned(from, target) <= 0
                    && (to == null || Arrays.compareUnsigned(target, to) <= 0);
        }

        @Override
        public byte[] key() {
            byte[] key = at;
            return key == null ? cursor.key() : key;
        }

        @Override
        public byte[] value() {
            return cursor.value();
        }

        @Override
        public void close() {
            cursor.close();
        }
    }
}
