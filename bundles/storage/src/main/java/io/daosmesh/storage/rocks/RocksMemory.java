package io.daosmesh.storage.rocks;

import org.rocksdb.LRUCache;
import org.rocksdb.RocksDB;

/** The block cache all targets of an engine share. Owner: the engine's storage; closed after its stores. */
public final class RocksMemory implements AutoCloseable {
    /** Index, filter and data blocks of all targets of one engine. */
    private static final long CACHE_BYTES = 16L << 20;

    static {
        RocksDB.loadLibrary();
    }

    private final LRUCache cache = new LRUCache(CACHE_BYTES);

    LRUCache cache() {
        return cache;
    }

    @Override
    public void close() {
        cache.close();
    }
}
