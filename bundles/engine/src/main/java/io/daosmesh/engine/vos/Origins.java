package io.daosmesh.engine.vos;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * At which epochs the bytes of an extent were written that aggregation has put together from several, part by part: whoever
 * asks what has become of an update finds its trace as long as any byte of it can be seen. Empty for an extent that one
 * update has written, at the epoch of its key. Immutable.
 *
 * @param parts by rising end; the last one ends where the extent does
 */
public record Origins(List<Part> parts) {
    /** Of one extent; 12 bytes each in the index. */
    public static final int PARTS_MAX = 1_024;

    public static final Origins NONE = new Origins(List.of());

    private static final int PART_BYTES = Integer.BYTES + Long.BYTES;

    /**
     * Bytes from the end of the part before.
     *
     * @param end exclusive, counted from the first byte of the extent
     */
    public record Part(int end, long epoch) {}

    public Origins {
        parts = List.copyOf(parts);
    }

    boolean isEmpty() {
        return parts.isEmpty();
    }

    /** False when they contradict the extent's length. */
    boolean isOf(long length) {
        return parts.isEmpty() || parts.get(parts.size() - 1).end == length;
    }

    /** True if a byte was written by an update of this epoch. */
    boolean has(long epoch) {
        for (Part p : parts) if (p.epoch == epoch) return true;
        return false;
    }

    /** Puts the origins of a new extent together from those of its pieces, in their order. */
    public static final class Builder {
        private final List<Part> parts = new ArrayList<>();
        private int end;

        /** Behind what was added before: bytes {@code from} to {@code to} (exclusive, positions in the record) of a record. */
        public void add(VosRecord record, int from, int to) {
            List<Part> of = record.origins().parts;
            if (of.isEmpty()) add(to - from, record.epoch());
            int begin = 0;
            for (Part p : of) {
                int bytes = Math.min(to, p.end) - Math.max(from, begin);
                if (bytes > 0) add(bytes, p.epoch);
                begin = p.end;
            }
        }

        private void add(int bytes, long epoch) {
            end += bytes;
            int last = parts.size() - 1;
            if (last >= 0 && parts.get(last).epoch == epoch) parts.remove(last);
            parts.add(new Part(end, epoch));
        }

        public int count() {
            return parts.size();
        }

        /** @param epoch that of the new extent's key: if it is the only one, nothing has to be kept */
        public Origins build(long epoch) {
            return parts.size() == 1 && parts.get(0).epoch == epoch ? NONE : new Origins(parts);
        }
    }

    /** In the index. */
    int byteCount() {
        return parts.size() * PART_BYTES;
    }

    void encode(ByteBuffer to) {
        for (Part p : parts) to.putInt(p.end).putLong(p.epoch);
    }

    /** Throws BufferUnderflowException. */
    static Origins decode(ByteBuffer from, int count) {
        List<Part> parts = new ArrayList<>(Math.min(count, PARTS_MAX));
        for (int i = 0; i < count; i++) parts.add(new Part(from.getInt(), from.getLong()));
        return new Origins(parts);
    }
}
