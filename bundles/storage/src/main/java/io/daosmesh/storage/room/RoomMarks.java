package io.daosmesh.storage.room;

import io.daosmesh.model.fault.Invariant;

/**
 * From which room on the SCM's file system counts as low, and as ample again. Immutable.
 *
 * @param reserveBytes of the file that is given up when room is short; 0 = there is none
 * @param lowBytes below it nothing new is taken
 * @param highBytes from it on, with the reserve in its place, new data is taken again
 */
public record RoomMarks(long reserveBytes, long lowBytes, long highBytes) {
    /** What a target holds in memory before it goes into a table; and as much for the tables that it is merged with. */
    private static final long TARGET_BYTES = 16L << 20;

    private static final long MIB = 1L << 20;

    public RoomMarks {
        Invariant.check(reserveBytes >= 0, "a reserve of %d bytes", reserveBytes);
        Invariant.check(lowBytes > 0 && highBytes > lowBytes, "marks of %d and %d bytes", lowBytes, highBytes);
    }

    /**
     * Neither the reserve nor the low mark takes more than a sixteenth of a small SCM.
     *
     * @param reserveBytesMax wanted
     */
    public static RoomMarks of(long scmBytes, long reserveBytesMax, int targetCount) {
        long sixteenth = Math.max(MIB, scmBytes / 16 / MIB * MIB);
        long reserve = Math.min(reserveBytesMax, sixteenth);
        long low = Math.max(Math.max(MIB, reserve), Math.min(targetCount * TARGET_BYTES, sixteenth));
        return new RoomMarks(reserve, low, 2 * low);
    }

    /** Of the SCM, that no pool can have. */
    public long keptBytes() {
        return reserveBytes + lowBytes;
    }

    /** Opening indexes and logs may take so much: what was in memory goes into tables. */
    public long openingBytes() {
        return lowBytes;
    }

    /** Below it, while the engine serves, the reserve is given up. */
    long scarceBytes() {
        return lowBytes / 2;
    }

    /** Below it, without the reserve, deletes are refused as well. */
    long fullBytes() {
        return lowBytes / 8;
    }

    /** From it on deletes are taken again. */
    long deletableBytes() {
        return lowBytes / 4;
    }

    /** What new data may be written into, of so much room. */
    long writableBytes(long usableBytes) {
        return Math.max(0, usableBytes - lowBytes);
    }
}
