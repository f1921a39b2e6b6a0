package io.daosmesh.model.pool;

/**
 * Progress of a pool's rebuild. Immutable. Numerator never exceeds denominator.
 *
 * @param status DER number of a failure, 0 = fine
 * @param startedHlc 0 if never started
 */
public record RebuildStatus(
        State state,
        int status,
        int mapVersion,
        String operation,
        long objectsTotal,
        long objects,
        long records,
        long bytes,
        long startedHlc,
        long durationMs) {
    /** As {@code dmg pool query} prints. */
    public enum State {
        IDLE,
        BUSY,
        DONE
    }

    public static final RebuildStatus NEVER = new RebuildStatus(State.IDLE, 0, 0, "", 0, 0, 0, 0, 0, 0);
}
