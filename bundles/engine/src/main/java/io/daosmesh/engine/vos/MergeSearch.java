package io.daosmesh.engine.vos;

import io.daosmesh.model.fault.FaultException;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import io.daosmesh.storage.kv.KvReader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Finds extents of which newer ones have left parts only, and short ones side by side, and says which extents shall take the
 * place of which. Looks at committed records at or below a safe epoch, as they show there; a dkey in which anything of that
 * age is undecided is left alone, because what is put together bears the newest of its epochs. Pure.
 *
 * <p>An extent goes only together with all its visible parts. So visible parts are taken as atoms, that no extent reaches
 * out of, and neighbouring atoms as a merge while that pays: what is copied must buy fewer records or free space. A long
 * extent with a few small ones over it stays as it is until there are enough of them.
 */
public final class MergeSearch {
    /** Extents are put together up to this length: a chunk of the file system, a bulk transfer. */
    public static final int MERGED_BYTES_MAX = 1 << 20;
    /** Copied for one merge at most. */
    public static final int COPIED_BYTES_MAX = 3 << 20;
    /** Merges of one search, and the rest of what one stretch of an array shows. */
    static final int MERGES_MAX = 64;

    /** A record less is worth so many copied bytes: what is longer costs more to write again than to read from two places. */
    private static final int BYTES_A_RECORD = 64 << 10;
    /** A freed byte is worth so many copied ones. */
    private static final int COPIES_A_FREED_BYTE = 2;
    /** Parts of one merged extent, of which each has an origin at least. */
    private static final int PIECES_MAX = Origins.PARTS_MAX / 4;
    /** A stretch ends with the window in which it has so many visible parts or bytes: the longest extent fits. */
    private static final int STRETCH_PARTS = 2_048;

    private static final int STRETCH_VISITS = 8_192;
    private static final long STRETCH_BYTES = VosWriter.VALUE_BYTES_MAX;
    private static final int BLOCK_BYTES = 4096;

    /** Bytes {@code from} to {@code to} (exclusive, positions in the array) of a record. */
    public record Piece(byte[] record, long from, long to) {}

    /**
     * What takes the place of what, at once.
     *
     * @param replaced keys of records of one akey
     * @param merged the extents to be written: the pieces of each follow each other without gaps
     */
    public record Merge(List<byte[]> replaced, List<List<Piece>> merged) {
        /** Bytes to be copied. */
        public long copiedBytes() {
            return merged.stream().mapToLong(MergeSearch::byteCount).sum();
        }

        /** True if what is copied buys fewer records, or free space. */
        public boolean pays() {
            long freed = 0;
            for (byte[] key : replaced) freed += stored(Keys.length(key));
            for (List<Piece> m : merged) freed -= stored(MergeSearch.byteCount(m));
            long copied = copiedBytes();
            boolean isRight = copied > 0 && copied <= COPIED_BYTES_MAX;
            return isRight && MergeSearch.pays(copied, replaced.size() - merged.size(), freed);
        }
    }

    /** Length of the extent that these pieces make. */
    public static int byteCount(List<Piece> merged) {
        return (int) (merged.get(merged.size() - 1).to - merged.get(0).from);
    }

    /** Key of the extent that these pieces make: nothing between their epochs lies over them, so they bear the newest. */
    public static byte[] key(List<Piece> merged) {
        byte[] any = merged.get(0).record;
        long epoch = merged.stream().mapToLong(p -> Keys.epoch(p.record)).max().orElseThrow();
        byte[] akey = Arrays.copyOf(any, Keys.endOfScope(any));
        return Keys.extent(akey, epoch, VosRecord.EXTENT, merged.get(0).from, byteCount(merged));
    }

    /**
     * What to do before the search goes on.
     *
     * @param isHeld something was left alone that is worth another look later
     * @param next where to go on; null = the end was reached
     */
    public record Found(List<Merge> merges, boolean isHeld, byte @Nullable [] next) {}

    /** A visible part of a place. */
    private record Part(ExtentWalk.Place place, long from, long to) {
        long bytes() {
            return to - from;
        }

        boolean isWhole() {
            return from == place.from() && to == place.end();
        }
    }

    private final KvReader kv;
    private final long safeEpoch;
    private final Prepared prepared;
    private final Predicate<byte[]> isOurs;
    private final int entriesMax;
    private final List<Merge> merges = new ArrayList<>();
    private boolean isHeld;
    private int visited;

    private MergeSearch(KvReader kv, long safeEpoch, Prepared prepared, Predicate<byte[]> isOurs, int entriesMax) {
        this.kv = kv;
        this.safeEpoch = safeEpoch;
        this.prepared = prepared;
        this.isOurs = isOurs;
        this.entriesMax = entriesMax;
    }

    /**
     * One step. What it finds is right for as long as none of the records is changed, nothing at or below the safe epoch is
     * added, and nothing is deleted but what newer records hide.
     *
     * @param from a key that a previous search gave, or the prefix of a pool's records
     * @param isOurs whether to look at a group, given its prefix
     * @param entriesMax entries after which it stops
     */
    public static Found search(
            KvReader kv, byte[] from, long safeEpoch, Prepared prepared, Predicate<byte[]> isOurs, int entriesMax) {
        MergeSearch search = new MergeSearch(kv, safeEpoch, prepared, isOurs, entriesMax);
        byte[] next = search.run(from);
        return new Found(search.merges, search.isHeld, next);
    }

    private byte @Nullable [] run(byte[] from) {
        byte[] at = from;
        try (KvCursor c = kv.cursor(KvRange.prefix(Keys.recordsOf(from)))) {
            while (visited < entriesMax && merges.size() < MERGES_MAX) {
                byte[] akey = akeyOf(at);
                if (akey != null) {
                    byte[] stopped = merge(akey, Keys.offsetBehindExtents(at, akey.length));
                    if (stopped != null) return stopped;
                    at = Keys.behind(akey);
                }
                at = findAkey(c, at);
                if (at == null) return null;
            }
        }
        return at;
    }

    /** The akey in which a search goes on there; null if it stands elsewhere. */
    private static byte @Nullable [] akeyOf(byte[] at) {
        int dkeyEnd = at.length <= Keys.GROUP_BYTES ? -1 : Keys.endOfKey(at, Keys.GROUP_BYTES);
        int akeyEnd = dkeyEnd < 0 ? -1 : Keys.endOfKey(at, dkeyEnd);
        return akeyEnd < 0 || Keys.offsetBehindExtents(at, akeyEnd) < 0 ? null : Arrays.copyOf(at, akeyEnd);
    }

    /** The begin of the next akey with more than one extent, or where to go on looking for it; null = there is none. */
    private byte @Nullable [] findAkey(KvCursor c, byte[] from) {
        byte[] at = from;
        while (visited < entriesMax) {
            c.seek(at);
            if (!c.next()) return null;
            visited++;
            byte[] key = c.key();
            byte[] behind = behindOther(key);
            if (behind != null) {
                at = behind;
                continue;
            }
            byte[] akey = Arrays.copyOf(key, Keys.endOfScope(key));
            if (!c.next()) return null;
            visited++;
            if (Keys.startsWith(c.key(), akey)) return Keys.behindExtents(akey, 0);
            at = c.key();
        }
        return at;
    }

    /** Where to go on if the key is none of an extent that may be merged; null if it is. */
    private byte @Nullable [] behindOther(byte[] key) {
        byte[] group = Keys.groupOf(key);
        if (!isOurs.test(group)) return Keys.behind(group);
        if (isOpen(Keys.punches(group))) return Keys.behind(group);
        int dkeyEnd = Keys.endOfKey(key, Keys.GROUP_BYTES);
        if (dkeyEnd < 0) return Keys.firstChild(group);
        byte[] dkey = Arrays.copyOf(key, dkeyEnd);
        if (isOpen(dkey)) return Keys.behind(dkey);
        int akeyEnd = Keys.endOfKey(key, dkeyEnd);
        if (akeyEnd < 0) return Keys.firstChild(dkey);
        return Keys.step(key, akeyEnd) < 0 ? Keys.extents(Arrays.copyOf(key, akeyEnd), 0, 0) : null;
    }

    private boolean isOpen(byte[] scope) {
        boolean isOpen = prepared.epochs(scope).stream().anyMatch(e -> e <= safeEpoch);
        isHeld |= isOpen;
        return isOpen;
    }

    /** Where to stop in this akey; null = it was looked at to its end. */
    private byte @Nullable [] merge(byte[] akey, long from) {
        byte[] group = Keys.groupOf(akey);
        byte[] dkey = Arrays.copyOf(akey, Keys.endOfKey(akey, Keys.GROUP_BYTES));
        if (!isOurs.test(group) || isOpen(Keys.punches(group)) || isOpen(dkey)) return null;
        try (GroupReader r = new GroupReader(kv, group, safeEpoch, prepared)) {
            r.atPrefix(dkey);
            long at = from;
            while (true) {
                int before = merges.size();
                Stretch s = new Stretch(r, akey, at);
                visited += s.visited;
                plan(s);
                if (s.isLast) return null;
                at = s.next();
                // what is to be merged is looked at again only when it is
                if (merges.size() > before || visited >= entriesMax) return Keys.behindExtents(akey, at);
            }
        } catch (FaultException e) {
            // more on one spot than a turn can look at
            isHeld = true;
            return null;
        }
    }

    /** The visible parts of some windows of an akey. */
    private static final class Stretch {
        final byte[] akey;
        final long from;
        final long end;
        final boolean isLast;
        final int visited;
        final List<Part> parts = new ArrayList<>();

        Stretch(GroupReader r, byte[] akey, long from) {
            this.akey = akey;
            this.from = from;
            int before = r.visited();
            ExtentWalk walk = r.walk(akey, from);
            r.gather(walk);
            add(walk);
            while (!walk.isLast() && walk.end() - from < STRETCH_BYTES) {
                if (parts.size() >= STRETCH_PARTS || r.visited() - before >= STRETCH_VISITS) break;
                walk.advance();
                r.gather(walk);
                add(walk);
            }
            end = walk.end();
            isLast = walk.isLast();
            visited = r.visited() - before;
        }

        private void add(ExtentWalk walk) {
            List<Part> here = new ArrayList<>();
            walk.cover((p, a, b) -> here.add(new Part(p, a, b)));
            here.sort(Comparator.comparingLong(Part::from));
            int last = parts.size() - 1;
            if (last >= 0 && !here.isEmpty() && isGoneOn(parts.get(last), here.get(0))) {
                Part head = parts.remove(last);
                here.set(0, new Part(head.place, head.from, here.get(0).to));
            }
            parts.addAll(here);
        }

        private static boolean isGoneOn(Part head, Part tail) {
            return head.to == tail.from && Arrays.equals(head.place.key(), tail.place.key());
        }

        /** All of the extent is in sight, and one search may replace it. */
        boolean isWholeKnown(ExtentWalk.Place p) {
            boolean isInside = p.from() >= from && p.end() <= end;
            return isInside && !p.isHole() && p.end() - p.from() <= VosWriter.VALUE_BYTES_MAX;
        }

        /** Where the next one begins: with the first extent that reaches out of this one. */
        long next() {
            long next = end;
            for (Part p : parts) {
                boolean isOutside = p.place.end() > end && p.place.from() > from;
                if (isOutside && !p.place.isHole()) next = Math.min(next, p.place.from());
            }
            return next;
        }
    }

    /** Parts {@code first} to {@code last} (exclusive) of a stretch that no replaceable extent reaches out of. */
    private static final class Atom {
        final int first;
        final int last;
        /** Of what may be replaced. */
        private final Map<ByteKey, ExtentWalk.Place> places = new HashMap<>();

        private long bytes;
        private long storedBytes;
        private int runs;

        Atom(Stretch s, int first, int last) {
            this.first = first;
            this.last = last;
            Part before = null;
            for (Part p : s.parts.subList(first, last)) {
                if (!s.isWholeKnown(p.place)) {
                    before = null;
                    continue;
                }
                if (before == null || before.to != p.from) runs++;
                before = p;
                bytes += p.bytes();
                if (places.put(new ByteKey(p.place.key()), p.place) == null)
                    storedBytes += stored(p.place.end() - p.place.from());
            }
        }
    }

    /** On the device whole blocks; what is shorter lies in the index. */
    private static long stored(long lengthBytes) {
        return lengthBytes < BLOCK_BYTES ? lengthBytes : (lengthBytes + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
    }

    private static boolean pays(long copiedBytes, long recordsLess, long freedBytes) {
        return copiedBytes <= BYTES_A_RECORD * recordsLess + COPIES_A_FREED_BYTE * freedBytes;
    }

    private void plan(Stretch s) {
        List<Atom> atoms = atoms(s);
        int a = 0;
        while (a < atoms.size()) {
            Atom first = atoms.get(a);
            if (first.bytes > COPIED_BYTES_MAX) {
                for (ExtentWalk.Place p : first.places.values()) add(trim(s, first, p));
                a++;
                continue;
            }
            int b = a + 1;
            long bytes = first.bytes;
            long records = first.places.size() - first.runs;
            long stored = first.storedBytes;
            while (b < atoms.size() && isJoined(s, atoms, b) && bytes + atoms.get(b).bytes <= MERGED_BYTES_MAX) {
                Atom more = atoms.get(b++);
                bytes += more.bytes;
                records += more.places.size() - more.runs + 1;
                stored += more.storedBytes;
            }
            boolean mayPay = bytes > 0 && pays(bytes, records, stored - bytes);
            int last = atoms.get(b - 1).last;
            a = mayPay && add(merge(s, s.parts.subList(first.first, last))) ? b : a + 1;
        }
    }

    /** Ends where no extent that may be replaced has parts on both sides. */
    private static List<Atom> atoms(Stretch s) {
        Map<ByteKey, Integer> lastOf = new HashMap<>();
        for (int i = 0; i < s.parts.size(); i++)
            lastOf.put(new ByteKey(s.parts.get(i).place.key()), i);
        List<Atom> atoms = new ArrayList<>();
        int first = 0;
        int reach = 0;
        for (int i = 0; i < s.parts.size(); i++) {
            ExtentWalk.Place p = s.parts.get(i).place;
            Integer last = s.isWholeKnown(p) ? lastOf.get(new ByteKey(p.key())) : null;
            reach = Math.max(reach, last == null ? i : last);
            if (reach > i) continue;
            atoms.add(new Atom(s, first, i + 1));
            first = i + 1;
            reach = first;
        }
        return atoms;
    }

    /** The atom goes on where the one before it ends. */
    private static boolean isJoined(Stretch s, List<Atom> atoms, int i) {
        Part left = s.parts.get(atoms.get(i).first - 1);
        Part right = s.parts.get(atoms.get(i).first);
        return left.to == right.from && s.isWholeKnown(left.place) && s.isWholeKnown(right.place);
    }

    private boolean add(@Nullable Merge merge) {
        if (merge == null) return false;
        merges.add(merge);
        return true;
    }

    /** One extent alone, where too much hangs together: what is left of it, at its epoch. */
    private @Nullable Merge trim(Stretch s, Atom atom, ExtentWalk.Place place) {
        List<Part> parts = new ArrayList<>();
        for (Part p : s.parts.subList(atom.first, atom.last))
            if (Arrays.equals(p.place.key(), place.key())) parts.add(p);
        return merge(s, parts);
    }

    /** Null if it does not pay. */
    private static @Nullable Merge merge(Stretch s, List<Part> parts) {
        List<List<Piece>> merged = new ArrayList<>();
        Set<ByteKey> replaced = new LinkedHashSet<>();
        List<Part> run = new ArrayList<>();
        long bytes = 0;
        for (Part p : parts) {
            boolean isMine = s.isWholeKnown(p.place);
            boolean goesOn = isMine && !run.isEmpty() && run.get(run.size() - 1).to == p.from;
            if (!goesOn || bytes + p.bytes() > MERGED_BYTES_MAX || run.size() == PIECES_MAX) {
                end(run, merged, replaced);
                bytes = 0;
            }
            if (isMine) run.add(p);
            bytes += p.bytes();
        }
        end(run, merged, replaced);
        Merge merge = new Merge(replaced.stream().map(ByteKey::bytes).toList(), merged);
        return merge.pays() ? merge : null;
    }

    private static void end(List<Part> run, List<List<Piece>> merged, Set<ByteKey> replaced) {
        boolean isAsItWas = run.size() == 1 && run.get(0).isWhole();
        if (!run.isEmpty() && !isAsItWas) {
            for (Part p : run) replaced.add(new ByteKey(p.place.key()));
            merged.add(run.stream()
                    .map(p -> new Piece(p.place.key(), p.from, p.to))
                    .toList());
        }
        run.clear();
    }
}
