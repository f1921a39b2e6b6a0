package io.daosmesh.engine.vos;

import io.daosmesh.storage.kv.KvCursor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Finds records that newer ones hide completely, looking only at committed records at or below a safe epoch. Of an akey
 * first what punches and newer versions in the same place hide, then, window by window, extents under newer ones in other
 * places. Pure.
 *
 * <p>A tombstone goes together with what it hides, in the same batch, unless something under it is still undecided or a part
 * was judged in another step. A punched extent longer than {@link #LONG_STEP} tells is compared with its like alone.
 */
public final class Superseded {
    /** No extent is longer: 16 MiB. */
    private static final int LONG_STEP = 6;
    /** Long punched extents that are compared with each other at once. */
    private static final int LONG_PLACES_MAX = 4_096;
    /** More of one line than can be undecided at once. */
    private static final int LINE_VISITS = 2_000;

    /**
     * @param records to be deleted together
     * @param next where to go on; null = the end was reached
     */
    public record Found(List<VosRecord> records, byte @Nullable [] next) {}

    /** What is known of one level of the walk: where its newest tombstone stands and whether it may go. */
    private static final class Level {
        byte[] prefix = VosRecord.NO_BYTES;
        long floor;

        @Nullable
        VosRecord tombstone;

        boolean isHeld;

        void enter(byte[] newPrefix, long floorAbove) {
            prefix = newPrefix;
            floor = floorAbove;
            tombstone = null;
            isHeld = false;
        }

        boolean isAt(byte[] key) {
            return prefix.length > 0 && Keys.startsWith(key, prefix);
        }
    }

    private final KvCursor cursor;
    private final long safeEpoch;
    private final Prepared prepared;
    private final Predicate<byte[]> isOurs;
    private final int entriesMax;
    private final List<VosRecord> records = new ArrayList<>();
    private final Level group = new Level();
    private final Level dkey = new Level();
    private final Level akey = new Level();
    private Set<Long> hidden = Set.of();
    /** Line of a value or extent whose newest safe version has been found. */
    private byte[] ruled = VosRecord.NO_BYTES;
    /** End of the last extent, to see whether any two of the akey overlap. */
    private long extentsEnd;

    private int step;
    private boolean mayOverlap;
    private byte[] last = VosRecord.NO_BYTES;
    private int visited;

    private Superseded(KvCursor cursor, long safeEpoch, Prepared prepared, Predicate<byte[]> isOurs, int entriesMax) {
        this.cursor = cursor;
        this.safeEpoch = safeEpoch;
        this.prepared = prepared;
        this.isOurs = isOurs;
        this.entriesMax = entriesMax;
    }

    /**
     * @param from a key that a previous search gave, or a prefix to begin with
     * @param isOurs whether to look at a group, given its prefix: what may still come to it may lie under what it has
     * @param entriesMax entries that it looks at before it stops with a dkey; inside a dkey it stops at twice as many
     */
    public static Found search(
            KvCursor cursor, byte[] from, long safeEpoch, Prepared prepared, Predicate<byte[]> isOurs, int entriesMax) {
        Superseded search = new Superseded(cursor, safeEpoch, prepared, isOurs, entriesMax);
        boolean isInside = from.length > Keys.GROUP_BYTES && isOurs.test(Keys.groupOf(from));
        byte[] next = search.run(from.length <= Keys.GROUP_BYTES || isInside ? from : Keys.behind(Keys.groupOf(from)));
        search.leaveDkey();
        search.leave(search.group);
        return new Found(search.records, next);
    }

    private byte @Nullable [] run(byte[] from) {
        byte[] stopped = resume(from);
        if (stopped != null) return stopped;
        cursor.seek(from);
        while (true) {
            byte[] key = cursor.next() ? cursor.key() : null;
            if (mayOverlap && (key == null || !akey.isAt(key))) {
                mayOverlap = false;
                stopped = cover(0);
                if (stopped != null) return stopped;
                cursor.seek(key == null ? Keys.behind(akey.prefix) : key);
                continue;
            }
            if (key == null) return null;
            if (!group.isAt(key) && !isOurs.test(Keys.groupOf(key))) {
                if (visited++ >= entriesMax) return Keys.groupOf(key);
                cursor.seek(Keys.behind(Keys.groupOf(key)));
                continue;
            }
            if (!akey.isAt(key)) {
                stopped = enter(key);
                if (stopped != null) return stopped;
            } else if (isEnough(key)) {
                return stop(Keys.line(key));
            }
            visited++;
            last = key;
            look(key);
        }
    }

    /** Inside an akey it stops before a line, which begins anew in the next step; in a long one when much of it is dropped. */
    private boolean isEnough(byte[] key) {
        if (visited < 2 * entriesMax || Keys.kind(key) == VosRecord.PUNCH_AKEY) return false;
        return visited >= 2 * entriesMax + LINE_VISITS || !Keys.startsWith(key, Keys.line(last));
    }

    /** Enters the levels of a key that lies in another akey, or in none; where to stop instead, if it is time. */
    private byte @Nullable [] enter(byte[] key) {
        boolean isNewGroup = !group.isAt(key);
        int dkeyEnd = Keys.endOfKey(key, Keys.GROUP_BYTES);
        if (isNewGroup || dkeyEnd >= 0 && !dkey.isAt(key)) {
            byte[] groupPrefix = Arrays.copyOf(key, Keys.GROUP_BYTES);
            if (visited >= entriesMax) {
                group.isHeld |= !isNewGroup;
                return isNewGroup ? groupPrefix : Arrays.copyOf(key, dkeyEnd);
            }
            if (isNewGroup) enterGroup(groupPrefix);
            if (dkeyEnd >= 0) enterDkey(Arrays.copyOf(key, dkeyEnd));
        }
        int akeyEnd = dkeyEnd < 0 ? -1 : Keys.endOfKey(key, dkeyEnd);
        if (akeyEnd < 0) return null;
        byte[] prefix = Arrays.copyOf(key, akeyEnd);
        if (visited >= 2 * entriesMax) {
            leave(akey);
            return stop(prefix);
        }
        enterAkey(prefix);
        return null;
    }

    /** Stops inside a dkey, and inside an akey if it stands in one. */
    private byte[] stop(byte[] next) {
        group.isHeld = true;
        dkey.isHeld = true;
        akey.isHeld = true;
        return next;
    }

    /** Goes on inside a group, dkey or akey: their punches still count, but must stay because a part was judged before. */
    private byte @Nullable [] resume(byte[] from) {
        if (from.length <= Keys.GROUP_BYTES) return null;
        enterGroup(Arrays.copyOf(from, Keys.GROUP_BYTES));
        group.floor = newestPunch(Keys.punches(group.prefix), 0);
        int dkeyEnd = Keys.endOfKey(from, Keys.GROUP_BYTES);
        if (dkeyEnd < 0 || dkeyEnd == from.length) return null;
        enterDkey(Arrays.copyOf(from, dkeyEnd));
        dkey.floor = newestPunch(Keys.punches(dkey.prefix), group.floor);
        int akeyEnd = Keys.endOfKey(from, dkeyEnd);
        if (akeyEnd < 0 || akeyEnd == from.length) return null;
        enterAkey(Arrays.copyOf(from, akeyEnd));
        akey.floor = newestPunch(akey.prefix, dkey.floor);
        long offset = Keys.offsetBehindExtents(from, akeyEnd);
        mayOverlap = offset < 0;
        return offset < 0 ? null : cover(offset);
    }

    private long newestPunch(byte[] scope, long above) {
        byte[] line = Keys.punchLine(scope);
        cursor.seek(Keys.atOrBelow(line, safeEpoch));
        while (cursor.next() && Keys.startsWith(cursor.key(), line)) {
            long e = Keys.epoch(cursor.key());
            if (!hidden.contains(e)) return Math.max(above, e);
        }
        return above;
    }

    private void enterGroup(byte[] prefix) {
        leaveDkey();
        leave(group);
        group.enter(prefix, 0);
        hidden = prepared.epochs(Keys.punches(prefix));
    }

    private void enterDkey(byte[] prefix) {
        leaveDkey();
        dkey.enter(prefix, group.floor);
        hidden = prepared.epochs(prefix);
    }

    private void enterAkey(byte[] prefix) {
        leave(akey);
        akey.enter(prefix, dkey.floor);
        ruled = VosRecord.NO_BYTES;
        extentsEnd = 0;
        step = -1;
        mayOverlap = false;
    }

    private void leaveDkey() {
        leave(akey);
        leave(dkey);
    }

    private void leave(Level level) {
        VosRecord t = level.tombstone;
        if (t != null && !level.isHeld) records.add(t);
        level.enter(VosRecord.NO_BYTES, 0);
    }

    private void look(byte[] key) {
        long e = Keys.epoch(key);
        if (hidden.contains(e)) {
            group.isHeld = true;
            dkey.isHeld = true;
            akey.isHeld = true;
            return;
        }
        if (e > safeEpoch) {
            // nothing that is newer can be hidden, nor hide: on to what may
            cursor.seek(Keys.atOrBelow(Keys.line(key), safeEpoch));
            return;
        }
        switch (Keys.kind(key)) {
            case VosRecord.PUNCH_OBJECT -> punch(key, e, group);
            case VosRecord.PUNCH_DKEY -> punch(key, e, dkey);
            case VosRecord.PUNCH_AKEY -> punch(key, e, akey);
            default -> value(key, e);
        }
    }

    /** Newest first: the first one at or below the safe epoch rules, older ones are hidden by it. */
    private void punch(byte[] key, long epoch, Level level) {
        VosRecord r = VosRecord.decode(key, cursor.value());
        if (epoch <= level.floor) {
            records.add(r);
            return;
        }
        level.floor = epoch;
        level.tombstone = r;
    }

    private void value(byte[] key, long epoch) {
        boolean isRuled = ruled.length > 0 && Keys.startsWith(key, ruled);
        if (epoch <= akey.floor || isRuled) {
            records.add(VosRecord.decode(key, cursor.value()));
            return;
        }
        ruled = Keys.line(key);
        if (!Keys.isExtent(key)) return;
        int s = Keys.step(key, akey.prefix.length);
        mayOverlap |= step >= 0 && s != step || Keys.offset(key) < extentsEnd;
        step = s;
        extentsEnd = Math.max(extentsEnd, Keys.offset(key) + Keys.length(key));
    }

    /** Drops extents that newer ones in other places cover, from an offset on; where to stop, if it is time. */
    private byte @Nullable [] cover(long from) {
        if (from == 0) coverLong();
        ExtentWalk walk = new ExtentWalk(akey.prefix, sight(), from, Long.MAX_VALUE, ExtentWalk.WINDOW_PLACES, false);
        List<ExtentWalk.Place> covered = new ArrayList<>();
        Map<ByteKey, ExtentWalk.Place> open = new HashMap<>();
        byte[] stopped = null;
        while (true) {
            int before = walk.visited();
            walk.gather(cursor, Integer.MAX_VALUE);
            visited += walk.visited() - before;
            judge(walk, open, covered);
            if (walk.isLast()) break;
            walk.advance();
            if (visited < 2 * entriesMax) continue;
            long at = walk.from();
            for (ExtentWalk.Place p : open.values()) at = Math.min(at, p.from());
            stopped = stop(Keys.behindExtents(akey.prefix, at > from ? at : walk.from()));
            break;
        }
        drop(covered);
        return stopped;
    }

    private ExtentWalk.Sight sight() {
        return new ExtentWalk.Sight(safeEpoch, akey.floor, hidden);
    }

    /** @param open places that reach behind the windows so far, invisible in all of them */
    private static void judge(ExtentWalk walk, Map<ByteKey, ExtentWalk.Place> open, List<ExtentWalk.Place> covered) {
        Set<ExtentWalk.Place> visible = Collections.newSetFromMap(new IdentityHashMap<>());
        walk.cover((p, a, b) -> visible.add(p));
        for (ExtentWalk.Place p : walk.places()) {
            if (p.from() >= walk.end() || Keys.stepOf(p.end() - p.from()) > LONG_STEP) continue;
            ByteKey key = new ByteKey(p.key());
            boolean isWholeKnown = p.from() >= walk.from() || open.containsKey(key);
            if (visible.contains(p)) open.remove(key);
            else if (isWholeKnown && p.end() > walk.end()) open.put(key, p);
            else if (isWholeKnown) {
                open.remove(key);
                covered.add(p);
            }
        }
    }

    private void coverLong() {
        List<ExtentWalk.Place> places = new ArrayList<>();
        cursor.seek(Keys.extents(akey.prefix, LONG_STEP + 1, 0));
        byte[] line = VosRecord.NO_BYTES;
        while (places.size() < LONG_PLACES_MAX && cursor.next()) {
            byte[] key = cursor.key();
            if (!akey.isAt(key)) break;
            visited++;
            long e = Keys.epoch(key);
            boolean isSeen = e <= safeEpoch && e > akey.floor && !hidden.contains(e);
            if (!isSeen || line.length > 0 && Keys.startsWith(key, line)) continue;
            line = Keys.line(key);
            places.add(new ExtentWalk.Place(key, Keys.offset(key), Keys.offset(key) + Keys.length(key), e, null));
        }
        Set<ExtentWalk.Place> visible = Collections.newSetFromMap(new IdentityHashMap<>());
        ExtentWalk.cover(places, 0, Long.MAX_VALUE, (p, a, b) -> visible.add(p));
        places.removeIf(visible::contains);
        drop(places);
    }

    private void drop(List<ExtentWalk.Place> places) {
        for (ExtentWalk.Place p : places) {
            cursor.seek(p.key());
            if (cursor.next() && Arrays.equals(cursor.key(), p.key()))
                records.add(VosRecord.decode(p.key(), cursor.value()));
        }
    }
}
