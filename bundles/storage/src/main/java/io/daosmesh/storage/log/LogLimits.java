package io.daosmesh.storage.log;

import io.daosmesh.model.fault.Invariant;
import java.nio.ByteBuffer;

/**
 * How much a log may hold: chosen when it is made, and said by its headers from then on. Immutable.
 *
 * @param segmentBytes of each of its files; also the bound of what is persisted at once
 * @param segmentCount files; one is written, the others wait to be trimmed or used
 */
public record LogLimits(int segmentBytes, int segmentCount) {
    /** A persist starts at a multiple of it: a torn one never reaches into what was durable before. */
    public static final int ALIGN_BYTES = 4096;

    private static final int SEGMENT_BYTES = 8 << 20;

    private static final int SEGMENT_COUNT = 16;

    /** Segments that only values of an absent device may take, which move up so that what is behind them can be trimmed. */
    private static final int RESERVE_COUNT = 3;

    /** A header with more is damaged: no release makes such a log. */
    private static final int SEGMENT_BYTES_MAX = 1 << 30;

    private static final int SEGMENT_COUNT_MAX = 4096;

    public LogLimits {
        Invariant.check(areSizes(segmentBytes, segmentCount), "%d segments of %d bytes", segmentCount, segmentBytes);
    }

    private static boolean areSizes(int segmentBytes, int segmentCount) {
        return segmentBytes % ALIGN_BYTES == 0
                && segmentBytes >= 4 * ALIGN_BYTES
                && segmentBytes <= SEGMENT_BYTES_MAX
                && segmentCount >= 6
                && segmentCount <= SEGMENT_COUNT_MAX;
    }

    /** Of a log that is made now. */
    public static LogLimits usual() {
        return new LogLimits(SEGMENT_BYTES, SEGMENT_COUNT);
    }

    static LogLimits read(ByteBuffer in) {
        int segmentBytes = in.getInt();
        int segmentCount = in.getInt();
        if (!areSizes(segmentBytes, segmentCount))
            throw new IllegalArgumentException(segmentCount + " segments of " + segmentBytes + " bytes");
        return new LogLimits(segmentBytes, segmentCount);
    }

    /** What all files take together. */
    public long totalBytes() {
        return (long) segmentBytes * segmentCount;
    }

    int reserveCount() {
        return RESERVE_COUNT;
    }

    /** So few are free that what is in tables and on devices should be trimmed. */
    public boolean isShort(int freeSegments) {
        return freeSegments <= segmentCount / 2;
    }

    /** So few are free that writes will soon wait. */
    public boolean isScarce(int freeSegments) {
        return freeSegments <= RESERVE_COUNT + segmentCount / 8;
    }

    /** The largest frame. */
    public int frameBytesMax() {
        return segmentBytes - ALIGN_BYTES;
    }

    static int aligned(int bytes) {
        return (bytes + ALIGN_BYTES - 1) & -ALIGN_BYTES;
    }
}
