package io.daosmesh.itests.sim.pool;

import io.daosmesh.itests.sim.history.DkeyModel.Kind;
import io.daosmesh.itests.sim.history.DkeyModel.Operation;
import io.daosmesh.itests.sim.history.DkeyModel.Value;
import io.daosmesh.itests.sim.machine.Timeline;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Makes requests with many values of one dkey: most of them sound, some with what a program with a fault would send. Owner:
 * the timeline.
 */
final class OddInput {
    private static final int ARRAY_BYTES = 10_000;
    private static final int[] LENGTHS = {0, 1, 7, 100, 4_095, 4_096, 5_000};
    /** With zeros, 0xff, and each the beginning of another. */
    private static final byte[][] AKEYS = {
        {0}, {0, 0}, {(byte) 0xff, (byte) 0xff}, {'a'}, {'a', 0, 1}, {'a', (byte) 0xff}, longKey()
    };

    private final Timeline time;
    private byte fill;

    OddInput(Timeline time) {
        this.time = time;
    }

    private static byte[] longKey() {
        byte[] key = new byte[4_096];
        Arrays.fill(key, (byte) 0xff);
        return key;
    }

    Operation next() {
        return switch (time.below(10)) {
            case 0 -> new Operation(Kind.PUNCH_DKEY, List.of());
            case 1 -> new Operation(Kind.PUNCH_AKEYS, ranges(false));
            case 2 -> new Operation(Kind.PUNCH_EXTENTS, ranges(true));
            default -> new Operation(Kind.UPDATE, values());
        };
    }

    /** Everything that may be there: each akey's value, its whole array, and a part of that. */
    Operation fetch() {
        List<Value> asked = new ArrayList<>();
        for (byte[] akey : AKEYS) {
            asked.add(Value.range(akey, false, 0, 0));
            asked.add(Value.range(akey, true, 0, 2 * ARRAY_BYTES));
        }
        asked.add(Value.range(akey(), true, time.below(ARRAY_BYTES), length()));
        return new Operation(Kind.FETCH, asked);
    }

    private byte[] akey() {
        return AKEYS[time.below(AKEYS.length)];
    }

    private int length() {
        return LENGTHS[time.below(LENGTHS.length)];
    }

    private List<Value> values() {
        boolean mayBeOdd = time.happens(0.3);
        List<Value> values = new ArrayList<>();
        int count = 1 + time.below(5);
        while (values.size() < count) {
            boolean isArray = time.happens(0.6);
            byte[] bytes = new byte[length()];
            Arrays.fill(bytes, ++fill);
            values.add(Value.of(akey(), isArray, isArray ? time.below(ARRAY_BYTES / 2) : 0, bytes));
            if (!mayBeOdd && isOdd(new Operation(Kind.UPDATE, values))) values.remove(values.size() - 1);
        }
        if (mayBeOdd && time.happens(0.3)) values.add(values.get(time.below(values.size())));
        return values;
    }

    private List<Value> ranges(boolean isExtents) {
        List<Value> ranges = new ArrayList<>();
        int count = 1 + time.below(3);
        for (int i = 0; i < count; i++)
            ranges.add(Value.range(
                    akey(), isExtents, isExtents ? time.below(ARRAY_BYTES / 2) : 0, isExtents ? length() : 0));
        return ranges;
    }

    /** True if a server may refuse it: a place is named twice, or an extent has no bytes. */
    static boolean isOdd(Operation o) {
        Set<String> singles = new HashSet<>();
        for (int i = 0; i < o.values().size(); i++) {
            Value v = o.values().get(i);
            if (!v.isArray()) {
                if (!singles.add(v.akey())) return true;
                continue;
            }
            if (v.length() == 0) return true;
            for (Value w : o.values().subList(0, i)) {
                boolean overlaps = w.offset() < v.offset() + v.length() && v.offset() < w.offset() + w.length();
                if (w.isArray() && w.akey().equals(v.akey()) && overlaps) return true;
            }
        }
        for (Value v : o.values()) if (v.isArray() && singles.contains(v.akey())) return true;
        return false;
    }
}
