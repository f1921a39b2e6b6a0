package io.daosmesh.engine.dtx;

import io.daosmesh.model.id.DtxId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * Committed DTXs in the order of their commits, found by their ids. There are up to a million of them in a target, so they are
 * numbers in arrays: {@value #BYTES_EACH} bytes each with their place in the hash table, where objects took 142. Grows by
 * segments, which are never copied, and shrinks with them. Owner: target loop. Pure.
 */
final class CommittedIds {
    /** 48 of its own, 4 in a hash table that is at least a quarter and at most half full. */
    static final int BYTES_EACH = 64;

    private static final int SEGMENT_BITS = 12;
    private static final int SEGMENT_ENTRIES = 1 << SEGMENT_BITS;
    private static final int WORDS = 6;
    private static final int CLIENT_HIGH = 0;
    private static final int CLIENT_LOW = 1;
    private static final int HLC = 2;
    private static final int EPOCH = 3;
    private static final int GROUP = 4;
    private static final int COMMITTED_NS = 5;
    private static final int SLOTS_MIN = 64;
    /** A slot holds the low bits of an entry's number and one more, so that 0 is an empty one. */
    private static final long NUMBER_MASK = (1L << 30) - 1;

    private final List<long[]> segments = new ArrayList<>();
    private int[] slots = new int[SLOTS_MIN];
    /** Numbers of the oldest entry and of the next one. */
    private long first;

    private long next;

    int count() {
        return (int) (next - first);
    }

    /** What is allocated, without the few objects around it. */
    long bytes() {
        return (long) segments.size() * SEGMENT_ENTRIES * WORDS * Long.BYTES + (long) slots.length * Integer.BYTES;
    }

    /** The newest, or in its old place if it is known already. */
    void put(DtxTable.Committed dtx, long committedNs) {
        long known = find(dtx.id());
        long number = known >= 0 ? known : append(dtx.id());
        set(number, EPOCH, dtx.epoch());
        set(number, GROUP, dtx.group());
        set(number, COMMITTED_NS, committedNs);
    }

    private long append(DtxId id) {
        if ((count() + 1) * 2 > slots.length) resize(slots.length * 2);
        long number = next++;
        if (segmentOf(number) == segments.size()) segments.add(new long[SEGMENT_ENTRIES * WORDS]);
        set(number, CLIENT_HIGH, id.client().getMostSignificantBits());
        set(number, CLIENT_LOW, id.client().getLeastSignificantBits());
        set(number, HLC, id.hlc());
        enter(number);
        return number;
    }

    /** Number of the entry; -1 if there is none. */
    long find(DtxId id) {
        long high = id.client().getMostSignificantBits();
        long low = id.client().getLeastSignificantBits();
        int mask = slots.length - 1;
        for (int at = hash(high, low, id.hlc()) & mask; slots[at] != 0; at = (at + 1) & mask) {
            long n = numberIn(slots[at]);
            if (get(n, HLC) == id.hlc() && get(n, CLIENT_LOW) == low && get(n, CLIENT_HIGH) == high) return n;
        }
        return -1;
    }

    /** False for an entry that is gone. */
    boolean has(long number) {
        return number >= first && number < next;
    }

    DtxTable.Committed entry(long number) {
        return new DtxTable.Committed(id(number), epoch(number), get(number, GROUP));
    }

    long epoch(long number) {
        return get(number, EPOCH);
    }

    private DtxId id(long number) {
        return new DtxId(new UUID(get(number, CLIENT_HIGH), get(number, CLIENT_LOW)), get(number, HLC));
    }

    /** Of the oldest of at least one. */
    long oldestNs() {
        return get(first, COMMITTED_NS);
    }

    DtxId removeOldest() {
        DtxId id = id(first);
        leave(first);
        first++;
        if ((first & (SEGMENT_ENTRIES - 1)) == 0) segments.remove(0);
        if (slots.length > SLOTS_MIN && count() * 8 < slots.length) resize(slots.length / 2);
        return id;
    }

    /**
     * By group: the numbers of the last entry and, for each entry, of the one before it in its group; they count from the first
     * that was committed at this moment or later. 0 = none.
     */
    static final class Groups {
        final Map<Long, Integer> last = new HashMap<>();
        private final int[] before;
        private final long from;

        private Groups(long from, int count) {
            this.from = from;
            this.before = new int[count];
        }
    }

    Groups groups(long sinceNs) {
        long from = first;
        while (from < next && get(from, COMMITTED_NS) - sinceNs < 0) from++;
        Groups all = new Groups(from, (int) (next - from));
        for (long n = from; n < next; n++) {
            Integer before = all.last.put(get(n, GROUP), (int) (n - from) + 1);
            all.before[(int) (n - from)] = before == null ? 0 : before;
        }
        return all;
    }

    /** Those of the group that are still here, newest first. */
    List<DtxTable.Committed> of(Groups all, long group) {
        List<DtxTable.Committed> found = new ArrayList<>();
        int at = all.last.getOrDefault(group, 0);
        while (at > 0 && has(all.from + at - 1)) {
            found.add(entry(all.from + at - 1));
            at = all.before[at - 1];
        }
        return found;
    }

    // ---- arrays

    private int segmentOf(long number) {
        return (int) ((number >>> SEGMENT_BITS) - (first >>> SEGMENT_BITS));
    }

    private static int wordOf(long number) {
        return (int) (number & (SEGMENT_ENTRIES - 1)) * WORDS;
    }

    private long get(long number, int word) {
        return segments.get(segmentOf(number))[wordOf(number) + word];
    }

    private void set(long number, int word, long value) {
        segments.get(segmentOf(number))[wordOf(number) + word] = value;
    }

    // ---- hash table: open, one step at a time

    private static int hash(long high, long low, long hlc) {
        return Long.hashCode(mixed(mixed(high) ^ mixed(low + 1) ^ mixed(hlc + 2)));
    }

    private static long mixed(long bits) {
        long h = (bits ^ bits >>> 32) * 0x9e3779b97f4a7c15L;
        return h ^ h >>> 29;
    }

    private int hash(long number) {
        return hash(get(number, CLIENT_HIGH), get(number, CLIENT_LOW), get(number, HLC));
    }

    private long numberIn(int slot) {
        return first + ((slot - 1L - first) & NUMBER_MASK);
    }

    private void enter(long number) {
        int mask = slots.length - 1;
        int at = hash(number) & mask;
        while (slots[at] != 0) at = (at + 1) & mask;
        slots[at] = (int) (number & NUMBER_MASK) + 1;
    }

    private void leave(long number) {
        int mask = slots.length - 1;
        int hole = hash(number) & mask;
        while (numberIn(slots[hole]) != number) hole = (hole + 1) & mask;
        // whatever was put behind it because of it moves up
        for (int at = (hole + 1) & mask; slots[at] != 0; at = (at + 1) & mask) {
            int wanted = hash(numberIn(slots[at])) & mask;
            if (((at - wanted) & mask) < ((at - hole) & mask)) continue;
            slots[hole] = slots[at];
            hole = at;
        }
        slots[hole] = 0;
    }

    private void resize(int length) {
        slots = new int[length];
        for (long n = first; n < next; n++) enter(n);
    }
}
