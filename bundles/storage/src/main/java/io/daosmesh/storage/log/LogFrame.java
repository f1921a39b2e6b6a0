package io.daosmesh.storage.log;

import io.daosmesh.storage.kv.KvBatch;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * One turn of one target as it stands in the log, little endian: magic u32, body length u32, generation u64, lsn u64,
 * durable lsn u64, target u32, checksum u32 of all but itself, position u64, then the changes of the index in order. Immutable.
 *
 * @param lsn number of the frame in the engine's log, without gaps
 * @param durableLsn all up to it were durable when this was written: whichever of them is missing was acknowledged
 * @param position number of the batch in its target's index, without gaps
 */
public record LogFrame(long lsn, long durableLsn, int target, long position, KvBatch batch) {
    public static final int HEADER_BYTES = 48;

    private static final int MAGIC = 0x464c4d44;
    private static final int CHECKSUM_AT = 36;
    private static final int CHANGE_BYTES = 9;
    private static final byte PUT = 1;
    private static final byte DELETE = 2;
    private static final byte DELETE_RANGE = 3;

    /** A frame and where it ends. */
    public record Found(LogFrame frame, int endBytes) {}

    /** What {@link #encode} writes of such a batch, with the gap up to the next frame. */
    public static int bytes(KvBatch batch) {
        long bytes = HEADER_BYTES + batch.byteCount() + (long) CHANGE_BYTES * batch.count();
        return (int) Math.min(Integer.MAX_VALUE - 8, bytes + 7 & -8L);
    }

    /** Writes it at this place; the rest of its last eight bytes is left as it is. */
    public void encode(SegmentHeader segment, ByteBuffer out, int atBytes) {
        ByteBuffer body = out.duplicate().order(out.order()).position(atBytes + HEADER_BYTES);
        batch.forEach(new Writer(body));
        int length = body.position() - atBytes - HEADER_BYTES;
        out.putInt(atBytes, MAGIC).putInt(atBytes + 4, length).putLong(atBytes + 8, segment.generation());
        out.putLong(atBytes + 16, lsn).putLong(atBytes + 24, durableLsn).putInt(atBytes + 32, target);
        out.putLong(atBytes + 40, position);
        out.putInt(atBytes + CHECKSUM_AT, checksum(segment, out, atBytes, length));
    }

    /** Null where no whole frame of this use of the segment stands. */
    public static @Nullable Found decode(SegmentHeader segment, ByteBuffer in, int atBytes) {
        if (atBytes > in.capacity() - HEADER_BYTES) return null;
        int length = in.getInt(atBytes + 4);
        boolean isFrame = in.getInt(atBytes) == MAGIC
                && in.getLong(atBytes + 8) == segment.generation()
                && length >= 0
                && length <= in.capacity() - HEADER_BYTES - atBytes
                && in.getInt(atBytes + CHECKSUM_AT) == checksum(segment, in, atBytes, length);
        if (!isFrame) return null;
        KvBatch batch = changes(in.duplicate()
                .order(in.order())
                .position(atBytes + HEADER_BYTES)
                .limit(atBytes + HEADER_BYTES + length));
        if (batch == null) return null;
        LogFrame frame = new LogFrame(
                in.getLong(atBytes + 16),
                in.getLong(atBytes + 24),
                in.getInt(atBytes + 32),
                in.getLong(atBytes + 40),
                batch);
        return new Found(frame, atBytes + (HEADER_BYTES + length + 7 & -8));
    }

    private static int checksum(SegmentHeader segment, ByteBuffer in, int atBytes, int length) {
        CRC32C crc = new CRC32C();
        for (int shift = 0; shift < Long.SIZE; shift += Byte.SIZE) crc.update((int) (segment.nonce() >>> shift) & 0xff);
        crc.update(in.slice(atBytes, CHECKSUM_AT));
        crc.update(in.slice(atBytes + CHECKSUM_AT + 4, HEADER_BYTES - CHECKSUM_AT - 4 + length));
        return (int) crc.getValue();
    }

    /** Null if it is no list of changes, for all that its checksum is right. */
    private static @Nullable KvBatch changes(ByteBuffer in) {
        KvBatch batch = new KvBatch();
        while (in.hasRemaining()) {
            if (in.remaining() < CHANGE_BYTES) return null;
            byte kind = in.get();
            int keyBytes = in.getInt();
            int valueBytes = in.getInt();
            if (keyBytes < 0 || valueBytes < 0 || keyBytes > in.remaining() - valueBytes) return null;
            byte[] key = new byte[keyBytes];
            byte[] value = new byte[valueBytes];
            in.get(key).get(value);
            switch (kind) {
                case PUT -> batch.put(key, value);
                case DELETE -> batch.delete(key);
                case DELETE_RANGE -> batch.deleteRange(key, value);
                default -> {
                    return null;
                }
            }
        }
        return batch;
    }

    private record Writer(ByteBuffer out) implements KvBatch.Visitor {
        private static final byte[] NONE = new byte[0];

        @Override
        public void put(byte[] key, byte[] value) {
            change(PUT, key, value);
        }

        @Override
        public void delete(byte[] key) {
            change(DELETE, key, NONE);
        }

        @Override
        public void deleteRange(byte[] from, byte[] to) {
            change(DELETE_RANGE, from, to);
        }

        private void change(byte kind, byte[] key, byte[] value) {
            out.put(kind).putInt(key.length).putInt(value.length).put(key).put(value);
        }
    }
}
