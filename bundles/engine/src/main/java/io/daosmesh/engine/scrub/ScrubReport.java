package io.daosmesh.engine.scrub;

/**
 * Where the scrubber of a shard is. Immutable.
 *
 * @param startedNs begin of the pass under way, else of the last one; by the clock of the target
 * @param nextNs when the next pass begins at the earliest; 0 while one is under way or none is wanted
 * @param passes completed
 * @param lastPassNs how long the last completed one took
 * @param busyNs of the target's loop, for all passes
 * @param isOverMax so much damage was found that the target shall leave the pool
 */
public record ScrubReport(
        boolean isInPass,
        long startedNs,
        long nextNs,
        long passes,
        long lastPassNs,
        Work current,
        Work last,
        Work total,
        long busyNs,
        long countedCorruptions,
        boolean isOverMax) {
    /** What one pass, or all of them, have done. */
    public record Work(long checksums, long bytes, long corruptions) {
        static final Work NONE = new Work(0, 0, 0);

        Work plus(long moreChecksums, long moreBytes) {
            return new Work(checksums + moreChecksums, bytes + moreBytes, corruptions);
        }

        Work plusCorruption() {
            return new Work(checksums, bytes, corruptions + 1);
        }
    }

    static final ScrubReport NONE = new ScrubReport(false, 0, 0, 0, 0, Work.NONE, Work.NONE, Work.NONE, 0, 0, false);
}
