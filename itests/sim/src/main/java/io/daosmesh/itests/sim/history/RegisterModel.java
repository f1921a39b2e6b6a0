package io.daosmesh.itests.sim.history;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One key with one value. Its state is the number of the value, 0 = absent; every value is written once. Stateless. */
public final class RegisterModel implements Model<Integer, RegisterModel.Operation> {
    public static final int ABSENT = 0;

    public enum Kind {
        READ,
        /** A value, or a punch if it is {@link #ABSENT}. */
        PUT,
        /** Refused if something is there. */
        INSERT,
        /** Refused if nothing is there. */
        REPLACE,
        /** Refused unless the expected value is there. */
        COMPARE_AND_SET
    }

    /**
     * @param value what was read, or is to be written
     * @param expected of a compare-and-set
     * @param isUnmet it was refused since its condition does not hold
     */
    public record Operation(Kind kind, int value, int expected, boolean isUnmet) {
        public static Operation read(int value) {
            return new Operation(Kind.READ, value, 0, false);
        }

        public static Operation put(int value) {
            return new Operation(Kind.PUT, value, 0, false);
        }

        public static Operation insert(int value) {
            return new Operation(Kind.INSERT, value, 0, false);
        }

        public static Operation compareAndSet(int expected, int value) {
            return new Operation(Kind.COMPARE_AND_SET, value, expected, false);
        }

        /** The same, refused for its condition. */
        public Operation unmet() {
            return new Operation(kind, value, expected, true);
        }

        @Override
        public String toString() {
            String of = kind == Kind.COMPARE_AND_SET ? expected + " to " + value : Integer.toString(value);
            return kind.name().toLowerCase(java.util.Locale.ROOT) + " " + of + (isUnmet ? " (unmet)" : "");
        }
    }

    @Override
    public Integer initial() {
        return ABSENT;
    }

    @Override
    public @Nullable Integer apply(Integer state, Operation o, boolean isOpen) {
        boolean isMet = switch (o.kind) {
            case READ -> state == o.value;
            case PUT -> true;
            case INSERT -> state == ABSENT;
            case REPLACE -> state != ABSENT;
            case COMPARE_AND_SET -> state == o.expected;
        };
        if (o.kind == Kind.READ) return isMet ? state : null;
        if (o.isUnmet) return isMet ? null : state;
        return isMet ? Integer.valueOf(o.value) : null;
    }

    @Override
    public boolean isPure(Operation o) {
        return o.kind == Kind.READ || o.isUnmet;
    }

    /**
     * Without what cannot matter: open reads, and open writes whose value nobody has seen, unless somebody was told that
     * something is there.
     */
    public static List<Call<Operation>> relevant(List<Call<Operation>> calls) {
        Set<Integer> seen = new HashSet<>();
        boolean isExistenceSeen = false;
        for (Call<Operation> c : calls) {
            Operation o = c.operation();
            if (o.kind == Kind.READ && !c.isOpen()) seen.add(o.value);
            if (o.kind == Kind.COMPARE_AND_SET) seen.add(o.expected);
            isExistenceSeen |= o.kind == Kind.INSERT || o.kind == Kind.REPLACE || o.isUnmet;
        }
        List<Call<Operation>> left = new ArrayList<>(calls.size());
        for (Call<Operation> c : calls) {
            boolean isUnseen =
                    c.operation().kind == Kind.READ || !isExistenceSeen && !seen.contains(c.operation().value);
            if (!c.isOpen() || !isUnseen) left.add(c);
        }
        return left;
    }
}
