package io.daosmesh.client.value;

/**
 * One value to read. Immutable.
 *
 * @param offset array: first byte; single value: 0
 * @param length array: bytes; single value: 0 (the whole value)
 */
public record Read(byte[] akey, Write.Kind kind, long offset, int length) {
    public static Read single(byte[] akey) {
        return new Read(akey, Write.Kind.SINGLE, 0, 0);
    }

    public static Read array(byte[] akey, long offset, int length) {
        return new Read(akey, Write.Kind.ARRAY, offset, length);
    }
}
