package io.daosmesh.storage.log;

import io.daosmesh.storage.kv.KvBatch;
import io.daosmesh.storage.kv.ValueSpace;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * One turn of one target as it stands in the log, little endian: magic u32, body length u32, generation u64, lsn u64,
 * durable lsn u64, target u32, checksum u32 of all but itself, position u64, then the changes of the index and the values outside
 * of it, in order. Immutable.
 *
 * @param lsn number of the frame in the engine's log, without gaps
 * @param durableLsn all up to it were durable when this was written: whichever of them is missing was acknowledged
 * @param position number of the batch in its target's index, from 1 on without gaps, or {@link #NO_POSITION}
 */
public record LogFrame(long lsn, long durableLsn, int target, long position, KvBatch batch) {
    public static final int HEADER_BYTES = 48;
    /** Of a frame that has only values. */
    public static final long NO_POSITION = 0;

    private static final int MAGIC = 0x464c4d44;
    private static final int CHECKSUM_AT = 36;
    private static final int CHANGE_BYTES = 9;
    private static final byte PUT = 1;
    private static final byte DELETE = 2;
    private static final byte DELETE_RANGE = 3;
    private static final byte VALUE = 4;
    private static final byte WRITTEN = 5;
    /** Of a value's place: blob and offset. */
    private static final int PLACE_BYTES = 2 * Long.BYTES;

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

    /** First place behind this one where a frame may begin; the capacity when there is none. */
    static int next(ByteBuffer in, int atBytes) {
        int at = (atBytes + 8) & -8;
        while (at <= in.capacity() - HEADER_BYTES && in.getInt(at) != MAGIC) at += 8;
        return at <= in.capacity() - HEADER_BYTES ? at : in.capacity();
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
            ByteBuffer key = in.slice(in.position(), keyBytes).order(in.order());
            ByteBuffer value = in.slice(in.position() + keyBytes, valueBytes).order(in.order());
            in.position(in.position() + keyBytes + valueBytes);
            if (!add(batch, kind, key, value)) return null;
        }
        return batch;
    }

    private static boolean add(KvBatch batch, byte kind, ByteBuffer key, ByteBuffer value) {
        boolean isPlace = key.capacity() == PLACE_BYTES;
        switch (kind) {
            case PUT -> batch.put(array(key), array(value));
            case DELETE -> batch.delete(array(key));
            case DELETE_RANGE -> batch.deleteRange(array(key), array(value));
            case VALUE -> {
                if (!isPlace) return false;
                batch.value(new Recovered(key.getLong(0)), key.getLong(Long.BYTES), value);
            }
            case WRITTEN -> {
                if (!isPlace || value.capacity() != Long.BYTES) return false;
                batch.written(new Recovered(key.getLong(0)), key.getLong(Long.BYTES), value.getLong(0));
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    private static byte[] array(ByteBuffer of) {
        byte[] bytes = new byte[of.capacity()];
        of.get(0, bytes);
        return bytes;
    }

    /** The name of a space: what it is now is for whoever recovers to know. */
    private record Recovered(long blobId) implements ValueSpace {
        @Override
        public void hold(long lsn, long offsetBytes, ByteBuffer bytes) {
            throw new UnsupportedOperationException("a value of the log without its blob");
        }
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

        @Override
        public void value(ValueSpace space, long offsetBytes, ByteBuffer bytes) {
            place(VALUE, space, offsetBytes, bytes.remaining());
            out.put(bytes.duplicate());
        }

        @Override
        public void written(ValueSpace space, long offsetBytes, long lengthBytes) {
            place(WRITTEN, space, offsetBytes, Long.BYTES);
            out.putLong(lengthBytes);
        }

        private void place(byte kind, ValueSpace space, long offsetBytes, int bytes) {
            out.put(kind)
                    .putInt(PLACE_BYTES)
                    .putInt(bytes)
                    .putLong(space.blobId())
                    .putLong(offsetBytes);
        }

        private void change(byte kind, byte[] key, byte[] value) {
            out.put(kind).putInt(key.length).putInt(value.length).put(key).put(value);
        }
    }
}
