package io.daosmesh.storage.kv;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Keys from {@code from} (inclusive) to {@code to} (exclusive), unsigned lexicographic. Immutable; the arrays must not be
 * changed.
 *
 * @param to null = to the end
 * @param isBackward walk from the largest key to the smallest
 */
public record KvRange(byte[] from, byte @Nullable [] to, boolean isBackward) {
    public static KvRange all() {
        return new KvRange(new byte[0], null, false);
    }

    public static KvRange of(byte[] from, byte[] to) {
        return new KvRange(from, to, false);
    }

    /** Every key that starts with {@code prefix}. */
    public static KvRange prefix(byte[] prefix) {
        return new KvRange(prefix, after(prefix), false);
    }

    public KvRange backward() {
        return new KvRange(from, to, true);
    }

    /** Smallest key behind all keys with the prefix; null if there is none. */
    private static byte @Nullable [] after(byte[] prefix) {
        for (int i = prefix.length - 1; i >= 0; i--) {
            if (prefix[i] == (byte) 0xff) continue;
            byte[] end = Arrays.copyOf(prefix, i + 1);
            end[i]++;
            return end;
        }
        return null;
    }

    public boolean contains(byte[] key) {
        byte[] end = to;
        return Arrays.compareUnsigned(key, from) >= 0 && (end == null || Arrays.compareUnsigned(key, end) < 0);
    }
}
