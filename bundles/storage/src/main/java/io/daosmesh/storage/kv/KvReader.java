package io.daosmesh.storage.kv;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What a store and a snapshot of it have in common. Any thread. */
public interface KvReader {
    /** Null if absent. The array is the caller's. */
    byte @Nullable [] get(byte[] key);

    /** Stands before the first entry of the range; the caller closes it. Sees the store as it is now. */
    KvCursor cursor(KvRange range);

    /** First entry in the range's own direction. */
    default Optional<KvEntry> first(KvRange range) {
        try (KvCursor cursor = cursor(range)) {
            return cursor.next() ? Optional.of(new KvEntry(cursor.key(), cursor.value())) : Optional.empty();
        }
    }

    /** Key and value; the arrays are the receiver's. */
    record KvEntry(byte[] key, byte[] value) {}
}
