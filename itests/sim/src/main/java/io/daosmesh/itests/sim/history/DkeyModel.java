package io.daosmesh.itests.sim.history;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * One dkey with all its akeys, each a single value and an array of bytes: what the documents promise of updates with many
 * values, punches and fetches, done one by one. Stateless.
 */
public final class DkeyModel implements Model<DkeyModel.State, DkeyModel.Operation> {
    public enum Kind {
        UPDATE,
        PUNCH_DKEY,
        PUNCH_AKEYS,
        PUNCH_EXTENTS,
        FETCH
    }

    /**
     * One value of a request or an answer.
     *
     * @param akey bytes as ISO 8859-1
     * @param bytes written, or found
     * @param length of a range that is punched or was asked for
     * @param isAbsent found nothing
     */
    public record Value(String akey, boolean isArray, int offset, byte[] bytes, int length, boolean isAbsent) {
        public static Value of(byte[] akey, boolean isArray, int offset, byte[] bytes) {
            return new Value(text(akey), isArray, offset, bytes, bytes.length, false);
        }

        /** A range to be punched or fetched. */
        public static Value range(byte[] akey, boolean isArray, int offset, int length) {
            return new Value(text(akey), isArray, offset, new byte[0], length, false);
        }

        public Value found(byte[] what, boolean absent) {
            return new Value(akey, isArray, offset, what, length, absent);
        }

        public byte[] akeyBytes() {
            return akey.getBytes(StandardCharsets.ISO_8859_1);
        }

        private static String text(byte[] akey) {
            return new String(akey, StandardCharsets.ISO_8859_1);
        }

        @Override
        public String toString() {
            String key = akey.length() > 8
                    ? akey.length() + " bytes"
                    : HexFormat.of().formatHex(akeyBytes());
            String where = isArray ? "[" + offset + ", +" + length + "]" : "";
            String what = isAbsent ? " absent" : " " + bytes.length + " bytes #" + Arrays.hashCode(bytes);
            return key + where + what;
        }
    }

    /** @param values in the order of the request */
    public record Operation(Kind kind, List<Value> values) {
        public Operation {
            values = List.copyOf(values);
        }

        @Override
        public String toString() {
            return kind.name().toLowerCase(java.util.Locale.ROOT) + values;
        }
    }

    /** What is there: single values, and arrays with the places that hold something. Immutable. */
    public static final class State {
        private static final State EMPTY = new State(Map.of(), Map.of());

        private final Map<String, byte[]> singles;
        private final Map<String, Array> arrays;
        private final int hash;

        private State(Map<String, byte[]> singles, Map<String, Array> arrays) {
            this.singles = singles;
            this.arrays = arrays;
            int h = 0;
            for (Map.Entry<String, byte[]> e : singles.entrySet())
                h += e.getKey().hashCode() ^ Arrays.hashCode(e.getValue());
            this.hash = h * 31 + arrays.hashCode();
        }

        @Override
        public boolean equals(@Nullable Object o) {
            if (!(o instanceof State s) || s.hash != hash || !s.arrays.equals(arrays)) return false;
            if (!s.singles.keySet().equals(singles.keySet())) return false;
            for (Map.Entry<String, byte[]> e : singles.entrySet())
                if (!Arrays.equals(e.getValue(), s.singles.get(e.getKey()))) return false;
            return true;
        }

        @Override
        public int hashCode() {
            return hash;
        }

        @Override
        public String toString() {
            return "singles " + singles.size() + ", arrays " + arrays.values();
        }
    }

    /** Bytes that were never written are zero, and only count as a hole below what was. */
    private record Array(byte[] bytes, BitSet written) {
        @Override
        public boolean equals(@Nullable Object o) {
            return o instanceof Array a && a.written.equals(written) && Arrays.equals(a.bytes, bytes);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(bytes) ^ written.hashCode();
        }

        @Override
        public String toString() {
            return written.cardinality() + " of " + written.length() + " bytes";
        }

        private Array with(int offset, byte[] data, int length, boolean isWrite) {
            BitSet w = (BitSet) written.clone();
            byte[] b = Arrays.copyOf(bytes, Math.max(bytes.length, offset + length));
            for (int i = 0; i < length; i++) b[offset + i] = isWrite ? data[i] : 0;
            w.set(offset, offset + length, isWrite);
            return new Array(Arrays.copyOf(b, w.length()), w);
        }
    }

    private static final Array NOTHING = new Array(new byte[0], new BitSet());

    @Override
    public State initial() {
        return State.EMPTY;
    }

    @Override
    public @Nullable State apply(State s, Operation o, boolean isOpen) {
        return switch (o.kind) {
            case FETCH -> o.values.stream().allMatch(v -> isFound(s, v)) ? s : null;
            case PUNCH_DKEY -> State.EMPTY;
            default -> changed(s, o);
        };
    }

    @Override
    public boolean isPure(Operation o) {
        return o.kind == Kind.FETCH;
    }

    private static State changed(State s, Operation o) {
        Map<String, byte[]> singles = new TreeMap<>(s.singles);
        Map<String, Array> arrays = new TreeMap<>(s.arrays);
        for (Value v : o.values) {
            if (o.kind == Kind.PUNCH_AKEYS) {
                singles.remove(v.akey);
                arrays.remove(v.akey);
            } else if (o.kind == Kind.UPDATE && !v.isArray) {
                singles.put(v.akey, v.bytes);
            } else {
                Array a = arrays.getOrDefault(v.akey, NOTHING).with(v.offset, v.bytes, v.length, o.kind == Kind.UPDATE);
                if (a.written.isEmpty()) arrays.remove(v.akey);
                else arrays.put(v.akey, a);
            }
        }
        return new State(singles, arrays);
    }

    private static boolean isFound(State s, Value v) {
        if (!v.isArray) {
            byte[] there = s.singles.get(v.akey);
            return there == null ? v.isAbsent : !v.isAbsent && Arrays.equals(there, v.bytes);
        }
        Array a = s.arrays.get(v.akey);
        if (a == null) return v.isAbsent && v.bytes.length == 0;
        int length = Math.max(0, Math.min(v.length, a.written.length() - v.offset));
        if (v.isAbsent || v.bytes.length != length) return false;
        return length == 0 || Arrays.equals(v.bytes, 0, length, a.bytes, v.offset, v.offset + length);
    }
}
