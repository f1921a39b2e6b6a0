package io.daosmesh.storage.smd;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.UUID;

/** Writes the field types of our durable structures; the static readers mirror it. Owner: one thread. Pure. */
final class Encoder {
    private static final int STRING_BYTES_MAX = 4096;

    private ByteBuffer out = ByteBuffer.allocate(256).order(ByteOrder.LITTLE_ENDIAN);

    private ByteBuffer room(int bytes) {
        if (out.remaining() < bytes) {
            byte[] more = Arrays.copyOf(out.array(), Math.max(out.capacity() * 2, out.position() + bytes));
            out = ByteBuffer.wrap(more).order(ByteOrder.LITTLE_ENDIAN).position(out.position());
        }
        return out;
    }

    Encoder putInt(int value) {
        room(4).putInt(value);
        return this;
    }

    Encoder putLong(long value) {
        room(8).putLong(value);
        return this;
    }

    Encoder putUuid(UUID id) {
        return putLong(id.getMostSignificantBits()).putLong(id.getLeastSignificantBits());
    }

    Encoder putString(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        putInt(bytes.length);
        room(bytes.length).put(bytes);
        return this;
    }

    byte[] bytes() {
        return Arrays.copyOf(out.array(), out.position());
    }

    static UUID uuid(ByteBuffer in) {
        long high = in.getLong();
        return new UUID(high, in.getLong());
    }

    static String string(ByteBuffer in) {
        int length = in.getInt();
        if (length < 0 || length > STRING_BYTES_MAX) throw new java.nio.BufferUnderflowException();
        byte[] bytes = new byte[length];
        in.get(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
