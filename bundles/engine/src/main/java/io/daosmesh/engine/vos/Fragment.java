package io.daosmesh.engine.vos;

/** Visible bytes {@code from} to {@code to} (exclusive, positions in the array) of one record. Immutable. */
public record Fragment(VosRecord record, long from, long to) {
    public long length() {
        return to - from;
    }
}
