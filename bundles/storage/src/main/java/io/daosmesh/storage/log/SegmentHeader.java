package io.daosmesh.storage.log;

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
 */
public record SegmentHeader(UUID engine, long generation, long nonce, long firstLsn, long neededLsn) {
    private static final int BYTES = 16 + 4 * 8;

    private static Frame.Kind kind(int number) {
        return new Frame.Kind("segment " + number + " of the engine log", 0x31474f4c4d534f41L, 1);
    }

    public byte[] encode(int number) {
        ByteBuffer out = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
        out.putLong(engine.getMostSignificantBits()).putLong(engine.getLeastSignificantBits());
        out.putLong(generation).putLong(nonce).putLong(firstLsn).putLong(neededLsn);
        return Frame.encode(kind(number), out.array());
    }

    /** DF_INVAL when damaged, DF_INCOMPT when of a layout this release does not know. */
    public static SegmentHeader decode(int number, byte[] bytes) {
        return Frame.decode(kind(number), bytes, SegmentHeader::read);
    }

    private static SegmentHeader read(ByteBuffer in) {
        UUID engine = new UUID(in.getLong(), in.getLong());
        return new SegmentHeader(engine, in.getLong(), in.getLong(), in.getLong(), in.getLong());
    }
}
