package io.daosmesh.engine.scrub;

import io.daosmesh.engine.scrub.ScrubReport.Work;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * What a scrubber remembers over restarts. Immutable.
 *
 * @param startedMs, endedMs begin of the last pass, and end of the last completed one; Unix time
 * @param counted damaged values that count for the threshold
 * @param passedBytes of the pass under way
 * @param at where it goes on
 */
record ScrubState(
        boolean isInPass,
        long startedMs,
        long endedMs,
        long passes,
        long lastPassNs,
        Work current,
        Work last,
        Work total,
        long busyNs,
        long counted,
        long passedBytes,
        byte[] at) {
    private static final byte LAYOUT = 1;
    private static final int FIXED_BYTES = 2 + 16 * Long.BYTES;

    byte[] encode() {
        ByteBuffer b = ByteBuffer.allocate(FIXED_BYTES + at.length)
                .put(LAYOUT)
                .put((byte) (isInPass ? 1 : 0))
                .putLong(startedMs)
                .putLong(endedMs)
                .putLong(passes)
                .putLong(lastPassNs)
                .putLong(busyNs)
                .putLong(counted)
                .putLong(passedBytes);
        put(b, current);
        put(b, last);
        put(b, total);
        return b.put(at).array();
    }

    private static void put(ByteBuffer b, Work w) {
        b.putLong(w.checksums()).putLong(w.bytes()).putLong(w.corruptions());
    }

    private static Work work(ByteBuffer b) {
        return new Work(b.getLong(), b.getLong(), b.getLong());
    }

    /** Null for what another release or nobody has written: the scrubber begins anew. */
    static @Nullable ScrubState decode(byte @Nullable [] bytes) {
        if (bytes == null || bytes.length < FIXED_BYTES || bytes[0] != LAYOUT) return null;
        ByteBuffer b = ByteBuffer.wrap(bytes);
        try {
            boolean isInPass = b.position(1).get() != 0;
            long startedMs = b.getLong();
            long endedMs = b.getLong();
            long passes = b.getLong();
            long lastPassNs = b.getLong();
            long busyNs = b.getLong();
            long counted = b.getLong();
            long passedBytes = b.getLong();
            Work current = work(b);
            Work last = work(b);
            Work total = work(b);
            byte[] at = new byte[b.remaining()];
            b.get(at);
            return new ScrubState(
                    isInPass,
                    startedMs,
                    endedMs,
                    passes,
                    lastPassNs,
                    current,
                    last,
                    total,
                    busyNs,
                    counted,
                    passedBytes,
                    at);
        } catch (BufferUnderflowException e) {
            return null;
        }
    }
}
