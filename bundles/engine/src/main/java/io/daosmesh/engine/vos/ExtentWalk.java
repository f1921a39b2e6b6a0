package io.daosmesh.engine.vos;

import io.daosmesh.storage.kv.KvCursor;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Walks the extents of one akey by rising offset, window by window. A window is as wide as a bounded number of places that
 * begin in it allows; what reaches into it from before is found by one jump for each step of lengths ({@link Keys}), and of
 * the versions in one place only the newest visible one is looked at. So the work for a range depends on what lies there,
 * not on what the akey holds. Gathering a window may be interrupted and go on with another cursor. Owner: target loop.
 */
final class ExtentWalk {
    /** Places that begin in one window, of each step of lengths. */
    static final int WINDOW_PLACES = 512;
    /** For the first window of a search that most often ends with the first place. */
    static final int FEW_PLACES = 4;

    /**
     * Places of a window behind which it jumps instead of stepping on: a place that is overwritten all the time is followed
     * by what is left of deleted versions. Where there are many places, a step is cheaper.
     */
    private static final int JUMPS = 16;

    /** Of one epoch the shorter one first: it may be what is left of the other one, whose bytes cannot be read. */
    private static final Comparator<Place> NEWEST_FIRST =
            Comparator.comparingLong(Place::epoch).reversed().thenComparingLong(p -> p.end - p.from);

    /**
     * What a reader sees of an akey.
     *
     * @param epoch nothing newer
     * @param floor nothing as old as this: the newest punch above
     * @param hidden epochs that are not committed
     */
    record Sight(long epoch, long floor, Set<Long> hidden) {}

    /**
     * The newest visible version in one place.
     *
     * @param end exclusive
     * @param value of the record; null when nobody wants it
     */
    record Place(byte[] key, long from, long end, long epoch, byte @Nullable [] value) {
        boolean isHole() {
            return Keys.kind(key) == VosRecord.PUNCH_EXTENT;
        }
    }

    /** Receives parts of a range, in any order. */
    @FunctionalInterface
    interface Parts {
        /** Of this place nothing newer covers the bytes {@code from} to {@code to} (exclusive). */
        void part(Place place, long from, long to);
    }

    private final byte[] akey;
    private final Sight sight;
    private final boolean keepsValues;
    private final long to;
    private int placesMax;
    private long from;
    private final List<Place> places = new ArrayList<>();
    private long end;
    private byte[] at;
    private int step = -1;
    private byte @Nullable [] line;
    private boolean isLineDone;
    private int begun;
    private int jumps;
    private int visited;

    /**
     * @param to exclusive
     * @param placesMax for the first window; later ones get wider, up to {@link #WINDOW_PLACES}
     */
    ExtentWalk(byte[] akey, Sight sight, long from, long to, int placesMax, boolean keepsValues) {
        this.akey = akey;
        this.sight = sight;
        this.from = from;
        this.to = Math.max(from, to);
        this.end = this.to;
        this.placesMax = placesMax;
        this.keepsValues = keepsValues;
        this.at = Keys.extents(akey, 0, from);
    }

    /** Entries looked at so far. */
    int visited() {
        return visited;
    }

    /** Start of the window. */
    long from() {
        return from;
    }

    /** End of the window, exclusive; known when it has been gathered. */
    long end() {
        return end;
    }

    /** True if nothing is left behind the gathered window. */
    boolean isLast() {
        return end == to;
    }

    /** What overlaps the gathered window, and some places behind it. */
    List<Place> places() {
        return places;
    }

    /** Gathers what overlaps the window; false if the visits did not suffice: go on with the same or another cursor. */
    boolean gather(KvCursor cursor, int visitsMax) {
        if (from == to) return true;
        long last = (long) visited + visitsMax;
        cursor.seek(at);
        while (cursor.next()) {
            byte[] key = cursor.key();
            if (!Keys.startsWith(key, akey)) return true;
            if (visited == last) {
                at = key;
                return false;
            }
            visited++;
            byte[] onwards = look(key, cursor);
            if (onwards != null) cursor.seek(onwards);
        }
        return true;
    }

    /** Where to jump to; null = the next entry. */
    private byte @Nullable [] look(byte[] key, KvCursor cursor) {
        int s = Keys.step(key, akey.length);
        long offset = Keys.offset(key);
        if (s != step) {
            step = s;
            begun = 0;
            long first = Math.max(0, from - Keys.stepBytesMax(s) + 1);
            if (offset < first) return Keys.extents(akey, s, first);
        }
        if (offset >= end) return Keys.extents(akey, s + 1, 0);
        byte[] of = line;
        if (of == null || !Keys.startsWith(key, of)) {
            if (offset > from && begun >= placesMax) {
                end = offset;
                return Keys.extents(akey, s + 1, 0);
            }
            if (offset >= from) begun++;
            of = Keys.line(key);
            line = of;
            isLineDone = false;
        }
        if (isLineDone) return Keys.behind(of);
        long epoch = Keys.epoch(key);
        if (epoch > sight.epoch) return Keys.atOrBelow(of, sight.epoch);
        if (sight.hidden.contains(epoch)) return null;
        isLineDone = true;
        long placeEnd = offset + Keys.length(key);
        if (epoch > sight.floor && placeEnd > from)
            places.add(new Place(key, offset, placeEnd, epoch, keepsValues ? cursor.value() : null));
        return jumps++ < JUMPS ? Keys.behind(of) : null;
    }

    /** Tells which parts of the gathered window are visible, holes among them; newest places first. */
    void cover(Parts visible) {
        cover(places, from, end, visible);
    }

    static void cover(List<Place> places, long from, long to, Parts visible) {
        places.sort(NEWEST_FIRST);
        Uncovered uncovered = new Uncovered(from, to);
        for (Place p : places) {
            if (uncovered.isEmpty()) return;
            uncovered.take(p, visible);
        }
    }

    /** True if the gathered window shows any bytes. */
    boolean showsBytes() {
        boolean[] shows = new boolean[1];
        cover((p, a, b) -> shows[0] |= !p.isHole());
        return shows[0];
    }

    /** Visible bytes of the gathered window by rising offset, added to those of the windows before; needs the values. */
    void addFragments(List<Fragment> found) {
        List<Fragment> here = new ArrayList<>();
        cover((p, a, b) -> {
            byte[] value = p.value();
            if (!p.isHole() && value != null) here.add(new Fragment(VosRecord.decode(p.key(), value), a, b));
        });
        here.sort(Comparator.comparingLong(Fragment::from));
        int last = found.size() - 1;
        if (last >= 0 && !here.isEmpty() && found.get(last).isGoneOnWith(here.get(0))) {
            Fragment head = found.get(last);
            found.set(last, new Fragment(head.record(), head.from(), here.get(0).to()));
            here.remove(0);
        }
        found.addAll(here);
    }

    /** Where the gathered window shows bytes, by rising offset. */
    List<Enumerator.Range> ranges() {
        List<Enumerator.Range> found = new ArrayList<>();
        cover((p, a, b) -> {
            if (!p.isHole()) found.add(new Enumerator.Range(a, b - a));
        });
        found.sort(Comparator.comparingLong(Enumerator.Range::offset));
        return found;
    }

    /** On to the window behind the gathered one. */
    void advance() {
        from = end;
        end = to;
        placesMax = Math.min(WINDOW_PLACES, 4 * placesMax);
        places.clear();
        step = -1;
        jumps = 0;
        line = null;
        at = Keys.extents(akey, 0, from);
    }

    /** The parts of a range that no newer place has covered yet. */
    private static final class Uncovered {
        private final TreeMap<Long, Long> gaps = new TreeMap<>();

        Uncovered(long from, long to) {
            if (from < to) gaps.put(from, to);
        }

        boolean isEmpty() {
            return gaps.isEmpty();
        }

        void take(Place place, Parts taken) {
            Map.Entry<Long, Long> gap = gaps.floorEntry(place.from);
            if (gap == null || gap.getValue() <= place.from) gap = gaps.higherEntry(place.from);
            while (gap != null && gap.getKey() < place.end) {
                long a = Math.max(place.from, gap.getKey());
                long b = Math.min(place.end, gap.getValue());
                gaps.remove(gap.getKey());
                if (gap.getKey() < a) gaps.put(gap.getKey(), a);
                if (b < gap.getValue()) gaps.put(b, gap.getValue());
                taken.part(place, a, b);
                gap = gaps.higherEntry(a);
            }
        }
    }
}
