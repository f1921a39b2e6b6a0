package io.daosmesh.storage.log;

import io.daosmesh.model.release.StoredFormat;
import io.daosmesh.storage.smd.Frame;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.UUID;

/**
 * First block of a segment; makes all that an earlier use has left in it void. Immutable.
 *
 * @param generation one more at each use of any segment of the engine
 * @param nonce goes into the checksum of each frame of this use: neither a value that looks like a frame nor a segment of
 *     another engine is taken for one
 * @param firstLsn of the frames that follow
 * @param neededLsn lowest that was still needed when the use began: what is before it is in the indexes
 * @param limits sizes the log was made with, the same in all headers
 */
public record SegmentHeader(UUID engine, long generation, long nonce, long firstLsn, long neededLsn, LogLimits limits) {
    /** In the place of a segment's number. */
    public static final int NOTE = -1;

    private static final int BYTES = 16 + 4 * 8 + 2 * 4;

    /** Of logs whose headers do not say it: their releases knew no other. */
    private static final LogLimits UNSAID = new LogLimits(8 << 20, 16);

    private static final int VERSION = StoredFormat.ENGINE_LOG.oldest();
    /** With sizes that a release which does not read them must not guess. */
    private static final int SIZED_VERSION = StoredFormat.ENGINE_LOG.newest();

    private static final int VERSION_AT = 8;

    private static Frame.Kind kind(int number, boolean isSized) {
        String name = number == NOTE ? "note of the segment in use" : "segment " + number;
        return new Frame.Kind(name + " of the engine log", 0x31474f4c4d534f41L, isSized ? SIZED_VERSION : VERSION);
    }

    public byte[] encode(int number) {
        ByteBuffer out = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
        out.putLong(engine.getMostSignificantBits()).putLong(engine.getLeastSignificantBits());
        out.putLong(generation).putLong(nonce).putLong(firstLsn).putLong(neededLsn);
        out.putInt(limits.segmentBytes()).putInt(limits.segmentCount());
        return Frame.encode(kind(number, !limits.equals(UNSAID)), out.array());
    }

    /** DF_INVAL when damaged, DF_INCOMPT when of a layout this release does not know. */
    public static SegmentHeader decode(int number, byte[] bytes) {
        boolean isSized = bytes.length > VERSION_AT && bytes[VERSION_AT] == SIZED_VERSION;
        return Frame.decode(kind(number, isSized), bytes, SegmentHeader::read);
    }

    private static SegmentHeader read(ByteBuffer in) {
        UUID engine = new UUID(in.getLong(), in.getLong());
        long generation = in.getLong();
        long nonce = in.getLong();
        long firstLsn = in.getLong();
        long neededLsn = in.getLong();
        LogLimits limits = in.hasRemaining() ? LogLimits.read(in) : UNSAID;
        return new SegmentHeader(engine, generation, nonce, firstLsn, neededLsn, limits);
    }
}
