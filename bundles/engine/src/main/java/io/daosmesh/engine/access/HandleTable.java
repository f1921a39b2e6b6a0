package io.daosmesh.engine.access;

import com.google.protobuf.ByteString;
import java.util.Iterator;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Container handles that the pool services have vouched for. A full table drops some of them: whoever shows one of those
 * has it asked about again. Any thread reads, one lock writes. Its keys come from the pool services and are random, so nobody
 * can choose handles that collide.
 */
public final class HandleTable {
    /** About 16 MiB. Four times as many as a pool has pool handles. */
    public static final int HANDLES_MAX = 1 << 16;

    private static final int DROPPED_AT_ONCE = HANDLES_MAX / 64;

    private final ConcurrentHashMap<ByteString, Grant> grants = new ConcurrentHashMap<>();

    public @Nullable Grant get(ByteString handle) {
        return grants.get(handle);
    }

    public int size() {
        return grants.size();
    }

    void put(ByteString handle, Grant grant) {
        if (grants.size() >= HANDLES_MAX) dropSome();
        grants.put(handle, grant);
    }

    private void dropSome() {
        Iterator<ByteString> any = grants.keySet().iterator();
        for (int i = 0; i < DROPPED_AT_ONCE && any.hasNext(); i++) {
            any.next();
            any.remove();
        }
    }

    /** Those of other pools stay, whoever names them. */
    void remove(ByteString pool, ByteString handle) {
        grants.computeIfPresent(handle, (h, grant) -> grant.pool().equals(pool) ? null : grant);
    }

    void removeAll(ByteString pool) {
        grants.values().removeIf(grant -> grant.pool().equals(pool));
    }
}
