package io.daosmesh.storage.log;

import io.daosmesh.storage.kv.KvBatch;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.UUID;
import java.util.function.LongSupplier;

/** Numbers frames, places them in segments, and says when all up to a number is durable. Owner: the log. Pure. */
public final class LogWriter {
    /** Where the segments are. All throw a fault when the medium fails. */
    public interface Medium {
        LogLimits limits();

        /** @param isDurable false: it outlives this process, and may be lost with the power */
        void write(int segment, int atBytes, ByteBuffer bytes, boolean isDurable);

        /** The segment is in use from here on, durably: its header says so, then the note of the log. */
        void use(int segment, SegmentHeader header);

        /**
         * What the header says is noted durably, as of the use that it names: before a segment is used again, so that what a
         * torn header takes away is known to be needed no more.
         */
        void note(SegmentHeader header);
    }

    private final Medium medium;
    private final LogLimits limits;
    private final SegmentRing ring;
    private final LongSupplier nonces;
    /** Frames that are not persisted, as they will stand in the segment. */
    private final ByteBuffer pending;

    private SegmentHeader header;
    private long lastLsn;
    private long durableLsn;
    private long neededLsn;

    /**
     * Goes on behind what was recovered, in another segment, which is in use on return.
     *
     * @param trimmedLsn frames up to it are in tables and on devices, durably
     */
    public LogWriter(UUID engine, LogRecovery before, long trimmedLsn, Medium medium, LongSupplier nonces) {
        this.medium = medium;
        this.limits = medium.limits();
        this.nonces = nonces;
        this.pending = ByteBuffer.allocateDirect(limits.segmentBytes()).order(ByteOrder.LITTLE_ENDIAN);
        this.lastLsn = before.nextLsn() - 1;
        this.durableLsn = lastLsn;
        this.neededLsn = trimmedLsn + 1;
        this.ring = new SegmentRing(limits, before.lastLsns(limits.segmentCount()), neededLsn, before.newestSegment());
        medium.note(header(engine, before.generation()));
        this.header = header(engine, before.generation() + 1);
        medium.use(ring.active(), header);
    }

    private SegmentHeader header(UUID engine, long generation) {
        return new SegmentHeader(engine, generation, nonces.getAsLong(), lastLsn + 1, neededLsn, limits);
    }

    /** False when the segment has no room for it: {@link #persist}, {@link #roll}, and again. */
    public boolean place(int target, long position, KvBatch batch) {
        SegmentRing.Place place = ring.place(lastLsn + 1, LogFrame.bytes(batch));
        if (place == null) return false;
        lastLsn++;
        new LogFrame(lastLsn, durableLsn, target, position, batch)
                .encode(header, pending, place.atBytes() - ring.persistFrom());
        return true;
    }

    /** True when there was something to persist. All that was placed is durable afterwards. */
    public boolean persist() {
        boolean isNeeded = ring.persistFrom() < ring.persistTo();
        if (isNeeded) {
            write(true);
            ring.onPersisted();
        }
        durableLsn = lastLsn;
        return isNeeded;
    }

    /** All that was placed outlives this process, and is durable with the next {@link #persist}. */
    public void publish() {
        if (ring.persistFrom() < ring.persistTo()) write(false);
    }

    private void write(boolean isDurable) {
        ByteBuffer bytes = pending.slice(0, ring.persistTo() - ring.persistFrom());
        medium.write(ring.active(), ring.persistFrom(), bytes, isDurable);
    }

    /**
     * Begins another segment; false when none is free before a {@link #trim}.
     *
     * @param fromReserve the last ones may be taken as well
     */
    public boolean roll(boolean fromReserve) {
        int next = ring.free();
        if (next < 0 || (!fromReserve && ring.freeCount() <= limits.reserveCount())) return false;
        SegmentHeader begun = header(header.engine(), header.generation() + 1);
        medium.use(next, begun);
        header = begun;
        ring.roll(next);
        return true;
    }

    /** Trimmed up to it, the oldest full segment is free; 0 when none is full. */
    public long oldestLsn() {
        return ring.oldestLsn();
    }

    /** @param lsn frames up to it are in tables and on devices, durably */
    public void trim(long lsn) {
        if (lsn < neededLsn) return;
        neededLsn = lsn + 1;
        medium.note(header(header.engine(), header.generation()));
        ring.trim(neededLsn);
    }

    /** Of the frame placed last. */
    public long lastLsn() {
        return lastLsn;
    }

    public int freeSegments() {
        return ring.freeCount();
    }
}
