package io.daosmesh.storage.bio;

/** A range of bytes of a blob. Immutable. */
public record Extent(long offsetBytes, long lengthBytes) {
    public Extent {
        if (offsetBytes < 0 || lengthBytes <= 0)
            throw new IllegalArgumentException("extent " + offsetBytes + "+" + lengthBytes);
    }

    public long endBytes() {
        return offsetBytes + lengthBytes;
    }
}
