package io.daosmesh.itests.sim.machine;

import io.daosmesh.model.fault.FaultException;
import io.daosmesh.storage.log.LogLimits;
import io.daosmesh.storage.log.LogRecovery;
import io.daosmesh.storage.log.LogWriter;
import io.daosmesh.storage.log.SegmentHeader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Segments of a log. What was not persisted may be there when the power fails, or a part of it, or with a bad byte. Owner: a
 * disk.
 */
final class LogMedium implements LogWriter.Medium {
    private static final UUID ENGINE = new UUID(1, 1);
    /** Written as a whole, unless it goes wrong. */
    private static final int SECTOR_BYTES = 512;

    private static final double BAD_BYTE = 0.05;

    private final Timeline time;
    private final LogLimits limits;
    /** What a process finds that starts while the machine goes on. */
    private final List<byte[]> cached = new ArrayList<>();

    private final List<byte[]> durable = new ArrayList<>();
    private SegmentHeader noted;
    /** The process dies in the middle of what it writes now. */
    private boolean isDying;

    LogMedium(Timeline time, LogLimits limits) {
        this.time = time;
        this.limits = limits;
        for (int i = 0; i < limits.segmentCount(); i++) {
            cached.add(new byte[limits.segmentBytes()]);
            durable.add(new byte[limits.segmentBytes()]);
        }
        noted = new SegmentHeader(ENGINE, 1, nonce(), 1, 1, limits);
        use(0, noted);
    }

    long nonce() {
        return time.between(Long.MIN_VALUE, Long.MAX_VALUE);
    }

    LogWriter begin(LogRecovery before, long trimmedLsn) {
        return new LogWriter(ENGINE, before, trimmedLsn, this, this::nonce);
    }

    LogRecovery recover() {
        List<LogRecovery.Segment> found = new ArrayList<>();
        for (int i = 0; i < limits.segmentCount(); i++) {
            ByteBuffer bytes = ByteBuffer.wrap(cached.get(i)).asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
            found.add(new LogRecovery.Segment(i, header(i), bytes));
        }
        return new LogRecovery(ENGINE, found, noted);
    }

    private @Nullable SegmentHeader header(int segment) {
        try {
            return SegmentHeader.decode(segment, Arrays.copyOf(cached.get(segment), LogLimits.ALIGN_BYTES));
        } catch (FaultException never) {
            return null;
        }
    }

    @Override
    public LogLimits limits() {
        return limits;
    }

    @Override
    public void write(int segment, int atBytes, ByteBuffer bytes, boolean isDurable) {
        int length = isDying ? time.below(bytes.remaining() + 1) : bytes.remaining();
        bytes.get(bytes.position(), cached.get(segment), atBytes, length);
        if (isDurable && !isDying) bytes.get(bytes.position(), durable.get(segment), atBytes, length);
    }

    @Override
    public void use(int segment, SegmentHeader header) {
        byte[] block = Arrays.copyOf(header.encode(segment), LogLimits.ALIGN_BYTES);
        write(segment, 0, ByteBuffer.wrap(block), true);
        note(header);
    }

    @Override
    public void note(SegmentHeader header) {
        noted = header;
    }

    /** What is written from here on is written in part. */
    void die() {
        isDying = true;
    }

    /** The next process starts. */
    void onEnded(boolean isPowerLoss) {
        isDying = false;
        boolean isAnyOrder = time.happens(0.7);
        for (int s = 0; s < durable.size() && isPowerLoss; s++) {
            lose(cached.get(s), durable.get(s), isAnyOrder);
            System.arraycopy(cached.get(s), 0, durable.get(s), 0, limits.segmentBytes());
        }
    }

    /** Sectors that were not persisted are there as they were, as they should be, or wrong; in order or not. */
    private void lose(byte[] written, byte[] persisted, boolean isAnyOrder) {
        boolean isLost = false;
        for (int at = 0; at < written.length; at += SECTOR_BYTES) {
            if (Arrays.equals(written, at, at + SECTOR_BYTES, persisted, at, at + SECTOR_BYTES)) continue;
            isLost = (isLost && !isAnyOrder) || time.happens(0.4);
            if (isLost) System.arraycopy(persisted, at, written, at, SECTOR_BYTES);
            else if (time.happens(BAD_BYTE)) written[at + time.below(SECTOR_BYTES)] ^= 0x20;
        }
    }
}
