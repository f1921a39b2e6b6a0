package io.daosmesh.storage.log;

import io.daosmesh.model.fault.FaultException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;

/** Segments in memory that lose what was not persisted, block by block, when the power fails. Owner: one test. */
final class MemoryMedium implements LogWriter.Medium {
    static final UUID ENGINE = new UUID(3, 4);
    /** Sectors are written whole. */
    private static final int SECTOR_BYTES = 512;

    private final LogLimits limits;
    private final List<byte[]> volatiles = new ArrayList<>();
    final List<byte[]> durables = new ArrayList<>();
    private SegmentHeader noted;
    private int inUse;
    /** The next header is written so far, and no further. */
    int tornHeaderBytes = LogLimits.ALIGN_BYTES;

    MemoryMedium(LogLimits limits) {
        this.limits = limits;
        for (int i = 0; i < limits.segmentCount(); i++) {
            volatiles.add(new byte[limits.segmentBytes()]);
            durables.add(new byte[limits.segmentBytes()]);
            use(i, new SegmentHeader(ENGINE, i == 0 ? 1 : 0, 7, 1, 1, limits));
        }
        noted = header(0);
        inUse = 0;
    }

    /** The segment that was noted last. */
    int inUse() {
        return inUse;
    }

    @Override
    public LogLimits limits() {
        return limits;
    }

    @Override
    public void write(int segment, int atBytes, ByteBuffer bytes, boolean isDurable) {
        bytes.get(bytes.position(), volatiles.get(segment), atBytes, bytes.remaining());
        if (isDurable) bytes.get(bytes.position(), durables.get(segment), atBytes, bytes.remaining());
    }

    @Override
    public void use(int segment, SegmentHeader header) {
        byte[] block = java.util.Arrays.copyOf(header.encode(segment), LogLimits.ALIGN_BYTES);
        write(segment, 0, ByteBuffer.wrap(block, 0, tornHeaderBytes), true);
        if (tornHeaderBytes < block.length) throw new IllegalStateException("killed");
        note(header);
        inUse = segment;
    }

    @Override
    public void note(SegmentHeader header) {
        noted = header;
    }

    /** Of what was not persisted any sectors may be there. */
    void crash(Random random) {
        for (int s = 0; s < durables.size(); s++) {
            byte[] durable = durables.get(s);
            byte[] lost = volatiles.get(s);
            for (int at = 0; at < durable.length; at += SECTOR_BYTES) {
                if (random.nextBoolean()) System.arraycopy(lost, at, durable, at, SECTOR_BYTES);
            }
            System.arraycopy(durable, 0, lost, 0, durable.length);
        }
    }

    LogRecovery recover() {
        List<LogRecovery.Segment> found = new ArrayList<>();
        for (int i = 0; i < limits.segmentCount(); i++) {
            ByteBuffer bytes = ByteBuffer.wrap(durables.get(i)).order(ByteOrder.LITTLE_ENDIAN);
            found.add(new LogRecovery.Segment(i, header(i), bytes));
        }
        return new LogRecovery(ENGINE, found, noted);
    }

    private @org.jspecify.annotations.Nullable SegmentHeader header(int segment) {
        try {
            return SegmentHeader.decode(segment, java.util.Arrays.copyOf(durables.get(segment), LogLimits.ALIGN_BYTES));
        } catch (FaultException e) {
            return null;
        }
    }
}
