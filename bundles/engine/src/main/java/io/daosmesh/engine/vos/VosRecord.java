package io.daosmesh.engine.vos;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.release.StoredFormat;
import io.daosmesh.storage.bio.Allocator;
import io.daosmesh.storage.bio.Extent;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * One version of a value, an array extent or a punch, as kept in the index. Immutable.
 *
 * @param key key in the store
 * @param kind see the constants; the numbers are those of MigratedRecordMessage
 * @param offset first byte of an array extent
 * @param length bytes of the value or extent, of the hole for a punched extent
 * @param crc32c of all bytes
 * @param inline the bytes, empty when they are on the device
 * @param pieces where the bytes are on the device, in order; empty when inline
 * @param chunkCrcs checksums of {@link #CHUNK_BYTES} each for values on the device longer than one chunk
 * @param origins of an extent that was put together from several
 */
public record VosRecord(
        byte[] key,
        int kind,
        long offset,
        long length,
        int crc32c,
        byte[] inline,
        List<Extent> pieces,
        int[] chunkCrcs,
        Origins origins) {
    public static final int SINGLE = 0;
    public static final int EXTENT = 1;
    public static final int PUNCH_AKEY = 2;
    public static final int PUNCH_DKEY = 3;
    public static final int PUNCH_OBJECT = 4;
    public static final int PUNCH_EXTENT = 5;
    /** A read of a part verifies and reads whole chunks (DAOS: cksum_size 32 KiB). */
    public static final int CHUNK_BYTES = 32 << 10;

    public static final byte[] NO_BYTES = new byte[0];
    private static final int[] NO_CRCS = new int[0];
    private static final byte LAYOUT = (byte) StoredFormat.RECORD.oldest();
    /** With its origins; an older release refuses it with DF_INCOMPT. */
    private static final byte LAYOUT_OF_MERGED = (byte) StoredFormat.RECORD.newest();

    /** Of a value that was written as it is. */
    public VosRecord(
            byte[] key,
            int kind,
            long offset,
            long length,
            int crc32c,
            byte[] inline,
            List<Extent> pieces,
            int[] chunkCrcs) {
        this(key, kind, offset, length, crc32c, inline, pieces, chunkCrcs, Origins.NONE);
    }

    VosRecord withOrigins(Origins next) {
        return new VosRecord(key, kind, offset, length, crc32c, inline, pieces, chunkCrcs, next);
    }

    /** True if the encoded record has origins, without decoding it. */
    static boolean isMerged(byte[] value) {
        return value.length > 0 && value[0] == LAYOUT_OF_MERGED;
    }

    public static VosRecord punch(byte[] key, int kind, long offset, long length) {
        return new VosRecord(key, kind, offset, length, 0, NO_BYTES, List.of(), NO_CRCS);
    }

    public static VosRecord inline(byte[] key, int kind, long offset, int crc32c, byte[] bytes) {
        return new VosRecord(key, kind, offset, bytes.length, crc32c, bytes, List.of(), NO_CRCS);
    }

    /** Stands for a value of which no copy could be read: whoever reads it hears CSUM, never that it is absent. */
    public static VosRecord lost(byte[] key, long length, int crc32c, Origins origins) {
        return new VosRecord(
                key, Keys.kind(key), Keys.offset(key), length, crc32c, NO_BYTES, List.of(), NO_CRCS, origins);
    }

    public long epoch() {
        return Keys.epoch(key);
    }

    public long endOffset() {
        return offset + length;
    }

    public boolean isOnDevice() {
        return !pieces.isEmpty();
    }

    public boolean isPunch() {
        return kind >= PUNCH_AKEY;
    }

    /** See {@link #lost}. */
    public boolean isLost() {
        return !isPunch() && !isOnDevice() && inline.length < length;
    }

    /** False when its parts contradict each other or reach out of the blob: to read it would tell nothing. */
    public boolean isSound(long blobBytes) {
        boolean isOfKey = kind != EXTENT && kind != PUNCH_EXTENT || length == Keys.length(key);
        if (length < 0 || offset < 0 || offset + length < 0 || !isOfKey || !origins.isOf(length)) return false;
        if (!isOnDevice()) return isPunch() || isLost() || inline.length == length;
        long pieceBytes = 0;
        for (Extent e : pieces) {
            boolean isOfBlocks = (e.offsetBytes() | e.lengthBytes()) % Allocator.BLOCK_BYTES == 0;
            if (!isOfBlocks || e.offsetBytes() > blobBytes - e.lengthBytes()) return false;
            pieceBytes += e.lengthBytes();
        }
        boolean isChunked = length > CHUNK_BYTES;
        long chunks = isChunked ? (length + CHUNK_BYTES - 1) / CHUNK_BYTES : 0;
        return length <= VosWriter.VALUE_BYTES_MAX && length <= pieceBytes && chunks == chunkCrcs.length;
    }

    /** Bytes that a copy of it carries. */
    public long storedBytes() {
        return isPunch() || isLost() ? 0 : length;
    }

    /** What it takes of SCM. */
    public long scmBytes() {
        long bytes = key.length + 14L + inline.length + 16L * pieces.size() + 4L * chunkCrcs.length;
        return origins.isEmpty() ? bytes : bytes + Integer.BYTES + origins.byteCount();
    }

    public byte[] encode() {
        boolean isMerged = !origins.isEmpty();
        ByteBuffer b = ByteBuffer.allocate(1
                + 1
                + 4
                + 8
                + (isMerged ? Integer.BYTES + origins.byteCount() : 0)
                + inline.length
                + (isOnDevice() ? 6 + 16 * pieces.size() + 4 * chunkCrcs.length : 0));
        b.put(isMerged ? LAYOUT_OF_MERGED : LAYOUT);
        b.put((byte) (isOnDevice() ? 1 : 0)).putInt(crc32c).putLong(length);
        if (isMerged) origins.encode(b.putInt(origins.parts().size()));
        if (isOnDevice()) {
            b.putShort((short) pieces.size());
            for (Extent e : pieces) b.putLong(e.offsetBytes()).putLong(e.lengthBytes());
            b.putInt(chunkCrcs.length);
            for (int crc : chunkCrcs) b.putInt(crc);
        } else {
            b.put(inline);
        }
        return b.array();
    }

    public static VosRecord decode(byte[] key, byte[] value) {
        ByteBuffer b = ByteBuffer.wrap(value);
        try {
            byte layout = b.get();
            if (layout != LAYOUT && layout != LAYOUT_OF_MERGED) {
                throw Fault.of(FaultCode.DF_INCOMPT, "record of layout version %d", layout)
                        .asException();
            }
            boolean isOnDevice = b.get() == 1;
            int crc = b.getInt();
            long length = b.getLong();
            Origins origins = layout == LAYOUT ? Origins.NONE : Origins.decode(b, b.getInt());
            int kind = Keys.kind(key);
            long offset = Keys.offset(key);
            if (!isOnDevice) {
                byte[] bytes = new byte[b.remaining()];
                b.get(bytes);
                return new VosRecord(key, kind, offset, length, crc, bytes, List.of(), NO_CRCS, origins);
            }
            int count = b.getShort() & 0xffff;
            List<Extent> pieces = new ArrayList<>(count);
            for (int i = 0; i < count; i++) pieces.add(new Extent(b.getLong(), b.getLong()));
            int crcCount = b.getInt();
            if (crcCount > b.remaining() / Integer.BYTES) throw new BufferUnderflowException();
            int[] crcs = new int[crcCount];
            for (int i = 0; i < crcs.length; i++) crcs[i] = b.getInt();
            return new VosRecord(key, kind, offset, length, crc, NO_BYTES, pieces, crcs, origins);
        } catch (BufferUnderflowException | IllegalArgumentException | NegativeArraySizeException e) {
            throw Fault.of(FaultCode.DF_INVAL, "a record of the index is damaged")
                    .asException();
        }
    }
}
