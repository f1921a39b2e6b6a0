package io.daosmesh.client.value;

/** Bytes of an array that are there. Immutable. */
public record Extent(long offset, long length) {
    public long end() {
        return offset + length;
    }
}
