package io.daosmesh.storage.rocks;

import java.util.Arrays;

/** Keys of the store's own, behind every key of a user; see {@link io.daosmesh.storage.kv.KvStore}. */
final class OwnKeys {
    static final byte[] FIRST = new byte[16];
    static final byte[] POSITION;
    static final byte[] IDENTITY;

    static {
        Arrays.fill(FIRST, (byte) 0xff);
        POSITION = Arrays.copyOf(FIRST, FIRST.length + 1);
        POSITION[FIRST.length] = 'p';
        IDENTITY = Arrays.copyOf(FIRST, FIRST.length + 1);
        IDENTITY[FIRST.length] = 'i';
    }

    private OwnKeys() {}

    static boolean isOwn(byte[] key) {
        return Arrays.compareUnsigned(key, FIRST) >= 0;
    }
}
