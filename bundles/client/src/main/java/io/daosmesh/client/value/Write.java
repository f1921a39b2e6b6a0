package io.daosmesh.client.value;

import java.nio.ByteBuffer;

/**
 * One value to write. Immutable; the bytes stay untouched until the write has been answered, because they are not copied.
 *
 * @param kind single value or part of an array
 * @param offset array: first byte; single value: 0
 * @param data from position to limit
 */
public record Write(byte[] akey, Kind kind, long offset, ByteBuffer data) {
    /** What an akey holds. */
    public enum Kind {
        SINGLE(0),
        ARRAY(1);

        private final int code;

        Kind(int code) {
            this.code = code;
        }

        /** On the wire. */
        public int code() {
            return code;
        }
    }

    public static Write single(byte[] akey, ByteBuffer data) {
        return new Write(akey, Kind.SINGLE, 0, data);
    }

    public static Write array(byte[] akey, long offset, ByteBuffer data) {
        return new Write(akey, Kind.ARRAY, offset, data);
    }
}
