package io.daosmesh.storage.smd;

import java.nio.ByteBuffer;
import java.util.UUID;

/**
 * Identity of an engine, first structure on its SCM; writing it is the last step of a format. Immutable.
 *
 * @param rank -1 before the first join
 * @param hasIndexNotes each target has an {@link IndexNote}: one that is missing is lost. False where an older release has
 *     formatted and no newer one has run yet
 */
public record Superblock(
        UUID engine,
        String system,
        int engineIndex,
        int rank,
        int targetCount,
        long formattedAtMs,
        boolean hasIndexNotes) {
    public static Frame.Kind kind(int engineIndex) {
        return new Frame.Kind("superblock of engine " + engineIndex, 0x314253454d534f41L, 1);
    }

    public byte[] encode() {
        Encoder out = new Encoder().putUuid(engine).putString(system).putInt(engineIndex);
        out.putInt(rank).putInt(targetCount).putLong(formattedAtMs).putInt(hasIndexNotes ? 1 : 0);
        return Frame.encode(kind(engineIndex), out.bytes());
    }

    /** DF_INVAL when damaged, DF_INCOMPT when of a layout this release does not know. */
    public static Superblock decode(int engineIndex, byte[] bytes) {
        return Frame.decode(kind(engineIndex), bytes, Superblock::read);
    }

    private static Superblock read(ByteBuffer in) {
        return new Superblock(
                Encoder.uuid(in),
                Encoder.string(in),
                in.getInt(),
                in.getInt(),
                in.getInt(),
                in.getLong(),
                // older ones end here
                in.remaining() >= Integer.BYTES && in.getInt() != 0);
    }

    public Superblock withRank(int newRank) {
        return new Superblock(engine, system, engineIndex, newRank, targetCount, formattedAtMs, hasIndexNotes);
    }

    public Superblock withIndexNotes() {
        return new Superblock(engine, system, engineIndex, rank, targetCount, formattedAtMs, true);
    }
}
