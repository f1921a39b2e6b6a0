package io.daosmesh.engine.vos;

import java.util.Arrays;

/** Visible bytes {@code from} to {@code to} (exclusive, positions in the array) of one record. Immutable. */
public record Fragment(VosRecord record, long from, long to) {
    public long length() {
        return to - from;
    }

    /** True if the other one is the same record's and begins where this one ends. */
    boolean isGoneOnWith(Fragment next) {
        return to == next.from && Arrays.equals(record.key(), next.record.key());
    }
}
