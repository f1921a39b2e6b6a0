package io.daosmesh.itests.mesh.torture;

import java.nio.ByteBuffer;

/**
 * The bytes of values: seed, place and number of the write in front, the rest follows from them. So each value says whose it
 * is, and one that is torn, shifted or another's is found out. Immutable.
 */
record Content(long seed, int place) {
    /** Seed, place, number. */
    static final int BYTES_MIN = 8 + 4 + 4;

    /** What found bytes are. */
    record Found(int number, String problem) {
        boolean isRight() {
            return problem.isEmpty();
        }
    }

    /** @param length {@link #BYTES_MIN} or more */
    byte[] value(int number, int length) {
        ByteBuffer b = ByteBuffer.allocate(length);
        b.putLong(seed).putInt(place).putInt(number);
        long x = seed * 31 + place * 1_000_003L + number;
        while (b.remaining() >= Long.BYTES) {
            x = x * 6364136223846793005L + 1442695040888963407L;
            b.putLong(x);
        }
        while (b.hasRemaining()) b.put((byte) number);
        return b.array();
    }

    /** @param bytes more than none */
    Found read(byte[] bytes) {
        if (bytes.length < BYTES_MIN) return new Found(0, bytes.length + " bytes");
        ByteBuffer b = ByteBuffer.wrap(bytes);
        long foundSeed = b.getLong();
        int foundPlace = b.getInt();
        int number = b.getInt();
        if (foundSeed != seed || foundPlace != place) {
            return new Found(
                    number, "not a value of this place: seed " + foundSeed + ", place " + foundPlace + ", #" + number);
        }
        byte[] right = value(number, bytes.length);
        int at = java.util.Arrays.mismatch(right, bytes);
        return new Found(
                number, at < 0 ? "" : "#" + number + " of " + bytes.length + " bytes is wrong from byte " + at + " on");
    }

    static boolean isZero(byte[] bytes) {
        for (byte b : bytes) if (b != 0) return false;
        return true;
    }
}
