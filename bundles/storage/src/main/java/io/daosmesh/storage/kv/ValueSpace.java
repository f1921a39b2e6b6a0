package io.daosmesh.storage.kv;

import io.daosmesh.model.fault.Fault;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** Where the values of a batch belong that are not in the index itself. Any thread. */
public interface ValueSpace {
    /** Never given twice by one engine. */
    long blobId();

    /** A batch with a value for this range is about to be written: what it holds is void. Whole blocks. */
    default void expect(long offsetBytes, long lengthBytes) {}

    /**
     * The batch with this value is durable: whoever reads the range finds it from now on, and so does the next start.
     *
     * @param lsn number of its batch in the engine's log, 0 = it has none
     * @param bytes whole blocks of 4 KiB from position to limit; copied
     */
    void hold(long lsn, long offsetBytes, ByteBuffer bytes);

    /** The last values could not be taken to where they belong: they wait in memory. */
    default boolean isStuck() {
        return false;
    }

    /** Why no value can be taken now; null when it can. */
    default @Nullable Fault refusal() {
        return null;
    }
}
