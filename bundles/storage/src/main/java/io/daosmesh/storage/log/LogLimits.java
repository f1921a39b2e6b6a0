package io.daosmesh.storage.log;

import io.daosmesh.model.fault.Invariant;

/**
 * How much a log may hold. Immutable.
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

    public LogLimits {
        Invariant.check(segmentBytes % ALIGN_BYTES == 0, "a segment of %d bytes", segmentBytes);
        Invariant.check(segmentBytes >= 4 * ALIGN_BYTES, "a segment of %d bytes", segmentBytes);
        Invariant.check(segmentCount >= 6, "%d segments", segmentCount);
    }

    public static LogLimits usual() {
        return new LogLimits(SEGMENT_BYTES, SEGMENT_COUNT);
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
