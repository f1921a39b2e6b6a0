package io.daosmesh.storage.room;

/**
 * What may be written while the SCM's file system has so much room. Two marks, so that it does not change to and fro. Pure.
 * Owner: whoever looks.
 */
public final class Room {
    /** What is taken. */
    public enum State {
        AMPLE(0),
        /** Reads and deletes only. */
        LOW(1),
        /** Reads only. */
        FULL(2);

        private final int code;

        State(int code) {
            this.code = code;
        }

        /** As metrics show it. */
        public int code() {
            return code;
        }

        public boolean mayDelete() {
            return this != FULL;
        }
    }

    /** What has to be done about the reserve now. */
    public enum Step {
        NONE,
        GIVE_UP,
        MAKE
    }

    private final RoomMarks marks;
    private State state = State.AMPLE;
    private long usableBytes;
    private boolean hasReserve;

    public Room(RoomMarks marks) {
        this.marks = marks;
    }

    public State state() {
        return state;
    }

    /** Before anything is opened: what has to be done so that it can be. */
    public Step onOpening(long usable, boolean isReserveThere) {
        return usable < marks.openingBytes() && isReserveThere ? Step.GIVE_UP : Step.NONE;
    }

    /**
     * After each look at the file system, and again after each step that was done.
     *
     * @param usable bytes that can be written, the reserve not among them
     */
    public Step onLook(long usable, boolean isReserveThere) {
        usableBytes = usable;
        hasReserve = isReserveThere || marks.reserveBytes() == 0;
        // what a reserve has given is not for new data, whoever gave it up, and when
        boolean isLow = usable < marks.lowBytes() || !hasReserve && missingBytes() > 0;
        if (state == State.AMPLE && isLow) state = State.LOW;
        if (state != State.AMPLE && missingBytes() == 0 && hasReserve) state = State.AMPLE;
        if (state == State.LOW && !isReserveThere && usable < marks.fullBytes()) state = State.FULL;
        if (state == State.FULL && usable >= marks.deletableBytes()) state = State.LOW;
        if (isReserveThere) return usable < marks.scarceBytes() ? Step.GIVE_UP : Step.NONE;
        return !hasReserve && missingBytes() == 0 ? Step.MAKE : Step.NONE;
    }

    /** What has to become free until all is taken again; 0 when nothing has to. */
    public long missingBytes() {
        long wanted = marks.highBytes() + (hasReserve ? 0 : marks.reserveBytes());
        return Math.max(0, wanted - usableBytes);
    }

    public long usableBytes() {
        return usableBytes;
    }

    /** For new data. */
    public long writableBytes() {
        return state == State.AMPLE ? marks.writableBytes(usableBytes) : 0;
    }
}
