package io.daosmesh.itests.mesh.torture;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * What reads of one place may answer, by what was acknowledged and seen before: a register with one writer, whose writes come
 * one after the other, and one reader at a time beside it. Writes have the numbers 1, 2, ...; 0 is that nothing was there. A
 * write whose outcome is unknown takes effect once, at any time after it began, or never. Pure; guarded by its owner.
 */
final class Register {
    private static final int NOT_KNOWN = -1;

    private final List<Change> changes = new ArrayList<>();
    private int acknowledged;
    private int unknown;
    /** Number that the last read has seen, {@link #NOT_KNOWN} if several fit; and what was acknowledged when that read began. */
    private int seen;

    private int acknowledgedAtSeen;

    private enum Outcome {
        UNDER_WAY,
        ACKNOWLEDGED,
        UNKNOWN
    }

    private static final class Change {
        private final boolean isRemoval;
        private final long beganMs;
        private long endedMs;
        private Outcome outcome = Outcome.UNDER_WAY;
        /** It was seen, and later another one. */
        private boolean isOver;
        /** The first write that began after it was seen. */
        private int supersededFrom = Integer.MAX_VALUE;

        Change(boolean isRemoval, long beganMs) {
            this.isRemoval = isRemoval;
            this.beganMs = beganMs;
        }
    }

    Register() {
        Change nothing = new Change(true, 0);
        nothing.outcome = Outcome.ACKNOWLEDGED;
        changes.add(nothing);
    }

    /** Number of a write that begins now; the one before has ended. */
    int begin(boolean isRemoval, long nowMs) {
        changes.add(new Change(isRemoval, nowMs));
        return last();
    }

    void acknowledge(int number, long nowMs) {
        end(number, Outcome.ACKNOWLEDGED, nowMs);
        acknowledged = number;
    }

    void giveUp(int number, long nowMs) {
        end(number, Outcome.UNKNOWN, nowMs);
        unknown++;
    }

    private void end(int number, Outcome outcome, long nowMs) {
        Change c = changes.get(number);
        if (number != last() || c.outcome != Outcome.UNDER_WAY) throw new IllegalStateException("write " + number);
        c.outcome = outcome;
        c.endedMs = nowMs;
    }

    /** Of the newest write. */
    int last() {
        return changes.size() - 1;
    }

    /** To be given to {@link #read} when a read that begins now has ended. */
    int acknowledged() {
        return acknowledged;
    }

    /** Writes without a known outcome. */
    int unknown() {
        return unknown;
    }

    /** True or false if every read must say so until another write begins; nothing if both may be. */
    java.util.Optional<Boolean> isThere() {
        boolean isSettled = unknown == 0 && changes.get(last()).outcome == Outcome.ACKNOWLEDGED;
        return isSettled ? java.util.Optional.of(!changes.get(last()).isRemoval) : java.util.Optional.empty();
    }

    /**
     * A read has ended.
     *
     * @param acknowledgedBefore {@link #acknowledged} when it began
     * @param found number of the write whose value it answered; nothing = absent
     * @return false if no order of the calls explains it; then it counts as not made
     */
    boolean read(int acknowledgedBefore, OptionalInt found) {
        int[] fitting = found.isPresent()
                ? IntStream.of(found.getAsInt())
                        .filter(n -> n <= last() && !changes.get(n).isRemoval && fits(n, acknowledgedBefore))
                        .toArray()
                : IntStream.rangeClosed(0, last())
                        .filter(n -> changes.get(n).isRemoval && fits(n, acknowledgedBefore))
                        .toArray();
        if (fitting.length == 0) return false;
        boolean isSameAsBefore = IntStream.of(fitting).anyMatch(n -> n == seen);
        if (seen != NOT_KNOWN && !isSameAsBefore) changes.get(seen).isOver = true;
        seen = fitting.length == 1 ? fitting[0] : NOT_KNOWN;
        acknowledgedAtSeen = acknowledgedBefore;
        if (seen != NOT_KNOWN) {
            Change c = changes.get(seen);
            c.supersededFrom = Math.min(c.supersededFrom, last() + 1);
        }
        return true;
    }

    private boolean fits(int number, int acknowledgedBefore) {
        Change c = changes.get(number);
        if (c.isOver || acknowledgedBefore >= c.supersededFrom) return false;
        if (c.outcome == Outcome.UNKNOWN) return true;
        // it took effect before it was acknowledged, so before the newer one that was acknowledged, or seen
        if (number < acknowledgedBefore) return false;
        boolean isBeforeSeen = number < seen || number <= acknowledgedAtSeen;
        return seen == NOT_KNOWN || number == seen || !isBeforeSeen;
    }

    /** What a read may answer now, and what was seen last, for a person. */
    String expected(int acknowledgedBefore) {
        StringBuilder b = new StringBuilder();
        for (int n = 0; n <= last(); n++) {
            if (!fits(n, acknowledgedBefore)) continue;
            if (!b.isEmpty()) b.append(" or ");
            b.append(describe(n));
        }
        return b + "; seen last: " + (seen == NOT_KNOWN ? "absent" : describe(seen));
    }

    String describe(int number) {
        if (number == 0) return "absent from the beginning";
        if (number > last()) return "#" + number + " (never written)";
        Change c = changes.get(number);
        String what = "#" + number + (c.isRemoval ? " (removal, began at " : " (began at ") + seconds(c.beganMs);
        return what
                + switch (c.outcome) {
                    case UNDER_WAY -> ", under way)";
                    case ACKNOWLEDGED -> ", acknowledged at " + seconds(c.endedMs) + ")";
                    case UNKNOWN -> ", outcome unknown at " + seconds(c.endedMs) + ")";
                };
    }

    private static String seconds(long ms) {
        return String.format(java.util.Locale.ROOT, "%.3f s", ms / 1e3);
    }
}
