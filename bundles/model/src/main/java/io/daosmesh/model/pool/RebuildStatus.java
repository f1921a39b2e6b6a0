package io.daosmesh.model.pool;

import io.daosmesh.model.wire.RebuildStatusMessage;

/**
 * Progress of a pool's rebuild. Immutable. Numerator never exceeds denominator.
 *
 * @param status DER number of a failure, 0 = fine
 * @param objectsBlocked wait for room at their new home
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
        long objectsBlocked,
        long startedHlc,
        long durationMs) {
    /** As {@code dmg pool query} prints. */
    public enum State {
        IDLE(RebuildStatusMessage.State.IDLE),
        BUSY(RebuildStatusMessage.State.BUSY),
        DONE(RebuildStatusMessage.State.DONE);

        private final RebuildStatusMessage.State wire;

        State(RebuildStatusMessage.State wire) {
            this.wire = wire;
        }

        public RebuildStatusMessage.State toWire() {
            return wire;
        }

        /** IDLE for one of another release. */
        public static State of(RebuildStatusMessage.State wire) {
            for (State state : values()) if (state.wire == wire) return state;
            return IDLE;
        }
    }

    public static final RebuildStatus NEVER = new RebuildStatus(State.IDLE, 0, 0, "", 0, 0, 0, 0, 0, 0, 0);
}
