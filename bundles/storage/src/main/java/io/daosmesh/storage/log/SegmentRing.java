package io.daosmesh.storage.log;

import io.daosmesh.model.fault.Invariant;
import org.jspecify.annotations.Nullable;

/**
 * Which segment is written, where, and which may be used again. Frames that are persisted together stand in one segment.
 * Owner: whoever appends. Pure.
 */
public final class SegmentRing {
    /** Where a frame goes. */
    public record Place(int segment, int atBytes) {}

    private enum State {
        FREE,
        ACTIVE,
        FULL
    }

    private final LogLimits limits;
    private final State[] states;
    private final long[] lastLsns;
    private int active;
    private int at = LogLimits.ALIGN_BYTES;
    private int persisted = LogLimits.ALIGN_BYTES;

    /** @param active the segment whose use has begun; all others are free */
    public SegmentRing(LogLimits limits, int active) {
        this.limits = limits;
        this.states = new State[limits.segmentCount()];
        java.util.Arrays.fill(states, State.FREE);
        this.lastLsns = new long[limits.segmentCount()];
        this.active = active;
        states[active] = State.ACTIVE;
    }

    public int active() {
        return active;
    }

    /** Null when the active segment has no room for it: then what is not persisted is, and {@link #roll} follows. */
    public @Nullable Place place(long lsn, int bytes) {
        Invariant.check(bytes <= limits.frameBytesMax(), "a frame of %d bytes", bytes);
        if (bytes > limits.segmentBytes() - at) return null;
        Place place = new Place(active, at);
        at += bytes;
        lastLsns[active] = lsn;
        return place;
    }

    /** First byte that is not durable. */
    public int persistFrom() {
        return persisted;
    }

    /** Behind the last byte that is not durable; equal to the first when all is. */
    public int persistTo() {
        return at;
    }

    /** All that was placed is durable. */
    public void onPersisted() {
        at = LogLimits.aligned(at);
        persisted = at;
    }

    /** A segment that can be begun; -1 when none can before a {@link #trim}. */
    public int free() {
        for (int i = 1; i < states.length; i++) {
            int next = (active + i) % states.length;
            if (states[next] == State.FREE) return next;
        }
        return -1;
    }

    /** The use of a free segment has begun. */
    public void roll(int next) {
        Invariant.check(persisted == at, "segment %d has frames that are not durable", active);
        Invariant.check(states[next] == State.FREE, "segment %d is in use", next);
        states[active] = State.FULL;
        states[next] = State.ACTIVE;
        active = next;
        at = LogLimits.ALIGN_BYTES;
        persisted = at;
    }

    /** @param neededLsn frames before it are in tables that are durable */
    public void trim(long neededLsn) {
        for (int i = 0; i < states.length; i++) {
            if (states[i] == State.FULL && lastLsns[i] < neededLsn) states[i] = State.FREE;
        }
    }

    public int freeCount() {
        int count = 0;
        for (State s : states) if (s == State.FREE) count++;
        return count;
    }
}
