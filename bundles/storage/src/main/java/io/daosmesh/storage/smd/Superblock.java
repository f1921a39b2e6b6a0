package io.daosmesh.storage.smd;

import io.daosmesh.model.release.StoredFormat;
import java.nio.ByteBuffer;
import java.util.UUID;

/**
 * Identity of an engine, first structure on its SCM; writing it is the last step of a format. Immutable.
 *
 * @param rank -1 before the first join; {@link #REPLACES} before the join of an engine that takes the place of a lost one
 */
public record Superblock(UUID engine, String system, int engineIndex, int rank, int targetCount, long formattedAtMs) {
    public static final int REPLACES = -2;

    /** 2: batches of the indexes are in the engine's log; 3: short values too, which has more segments. */
    private static final int LAYOUT = StoredFormat.SUPERBLOCK.newest();

    public static Frame.Kind kind(int engineIndex) {
        return new Frame.Kind("superblock of engine " + engineIndex, 0x314253454d534f41L, LAYOUT);
    }

    public byte[] encode() {
        Encoder out = new Encoder().putUuid(engine).putString(system).putInt(engineIndex);
        out.putInt(rank).putInt(targetCount).putLong(formattedAtMs);
        return Frame.encode(kind(engineIndex), out.bytes());
    }

    /** DF_INVAL when damaged, DF_INCOMPT when of a layout this release does not know. */
    public static Superblock decode(int engineIndex, byte[] bytes) {
        return Frame.decode(kind(engineIndex), bytes, Superblock::read);
    }

    private static Superblock read(ByteBuffer in) {
        return new Superblock(
                Encoder.uuid(in), Encoder.string(in), in.getInt(), in.getInt(), in.getInt(), in.getLong());
    }

    /** -1 before it has joined. */
    public int knownRank() {
        return Math.max(-1, rank);
    }

    public Superblock withRank(int newRank) {
        return new Superblock(engine, system, engineIndex, newRank, targetCount, formattedAtMs);
    }
}
