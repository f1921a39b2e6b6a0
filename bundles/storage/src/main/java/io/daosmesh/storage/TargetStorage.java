package io.daosmesh.storage;

import io.daosmesh.storage.kv.KvStore;
import java.util.UUID;

/** What one target owns. Owner: target loop. */
public interface TargetStorage {
    int index();

    /** The SSD with the target's blobs. */
    UUID device();

    /** Buffers for its I/O: of those of the engine so many that other devices have some left when this one is slow. */
    BufferPool buffers();

    /** The target's index; closed by storage, not by the engine. */
    KvStore kv();

    /**
     * The same for an engine that begins: from now on it alone writes to the index, and what an engine before it has under
     * way is either there by now or never comes. Waits for it, bounded; a store that says it is damaged where that hangs.
     */
    default KvStore takeKv() {
        return kv();
    }

    /**
     * The target's share of a pool that is reserved; the same object each time. NONEXIST if it is not. After a restart its
     * blob is all free and its SCM account empty: the owner marks what its index holds before the first allocation.
     */
    PoolSpace pool(UUID pool);
}
