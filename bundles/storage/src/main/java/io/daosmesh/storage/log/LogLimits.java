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

    /** Twice what an index keeps in memory: trimming is seldom what writes wait for. */
    private static final int SEGMENT_BYTES = 16 << 20;

    private static final long SPACIOUS_BYTES = 2L << 30;
    private static final int SEGMENT_COUNT = 4;

    public LogLimits {
        Invariant.check(segmentBytes % ALIGN_BYTES == 0, "a segment of %d bytes", segmentBytes);
        Invariant.check(segmentBytes >= 4 * ALIGN_BYTES, "a segment of %d bytes", segmentBytes);
        Invariant.check(segmentCount >= 3, "%d segments", segmentCount);
    }

    /** For an SCM space of so many bytes: a log of 64 MiB, half of that where space is short. */
    public static LogLimits of(long scmBytes) {
        return new LogLimits(scmBytes >= SPACIOUS_BYTES ? SEGMENT_BYTES : SEGMENT_BYTES / 2, SEGMENT_COUNT);
    }

    /** What all files take together. */
    public long totalBytes() {
        return (long) segmentBytes * segmentCount;
    }

    /** The largest frame. */
    public int frameBytesMax() {
        return segmentBytes - ALIGN_BYTES;
    }

    static int aligned(int bytes) {
        return (bytes + ALIGN_BYTES - 1) & -ALIGN_BYTES;
    }
}
