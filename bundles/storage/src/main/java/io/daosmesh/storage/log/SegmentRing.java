package io.daosmesh.storage.log;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
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

    /**
     * A free segment becomes the active one; NOSPACE when none is.
     *
     * @param lastLsns of the frames in each segment
     * @param neededLsn a segment with only lower ones is free
     * @param before the one that was in use, taken last: without its header the log would be lost
     */
    public SegmentRing(LogLimits limits, long[] lastLsns, long neededLsn, int before) {
        this.limits = limits;
        this.states = new State[limits.segmentCount()];
        this.lastLsns = lastLsns.clone();
        for (int i = 0; i < states.length; i++) states[i] = lastLsns[i] < neededLsn ? State.FREE : State.FULL;
        this.active = before;
        int other = free();
        if (other >= 0) active = other;
        if (states[active] != State.FREE)
            throw Fault.of(
                            FaultCode.NOSPACE,
                            "all segments of the engine log hold values of a device that is not there")
                    .remedy("bring the device back, or set it faulty")
                    .asException();
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

    /** Last of the frames in the full segment that can be trimmed first; 0 when none is full. */
    public long oldestLsn() {
        long oldest = 0;
        for (int i = 0; i < states.length; i++) {
            if (states[i] == State.FULL && (oldest == 0 || lastLsns[i] < oldest)) oldest = lastLsns[i];
        }
        return oldest;
    }

    public int freeCount() {
        int count = 0;
        for (State s : states) if (s == State.FREE) count++;
        return count;
    }
}
