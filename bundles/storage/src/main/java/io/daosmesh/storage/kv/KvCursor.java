package io.daosmesh.storage.kv;

/** Walks a range in its direction. Owner: one thread at a time. */
public interface KvCursor extends AutoCloseable {
    /** Moves to the next entry; false at the end. */
    boolean next();

    /**
     * Jumps: the following {@link #next()} answers the first entry at or behind {@code key} in the cursor's direction,
     * still inside the range.
     */
    void seek(byte[] key);

    /** Key of the entry that the last {@code next()} found; a fresh array. */
    byte[] key();

    byte[] value();

    @Override
    void close();
}
