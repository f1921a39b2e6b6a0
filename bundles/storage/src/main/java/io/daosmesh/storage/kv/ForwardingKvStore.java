package io.daosmesh.storage.kv;

import io.daosmesh.model.fault.Fault;
import org.jspecify.annotations.Nullable;

/** A store that is another one in all but what a subclass does in its own way. Threads as the other store. */
public abstract class ForwardingKvStore implements KvStore {
    private final KvStore store;

    /** @param store that answers */
    protected ForwardingKvStore(KvStore store) {
        this.store = store;
    }

    @Override
    public void write(KvBatch batch, boolean isDurable) {
        store.write(batch, isDurable);
    }

    @Override
    public byte @Nullable [] get(byte[] key) {
        return store.get(key);
    }

    @Override
    public KvCursor cursor(KvRange range) {
        return store.cursor(range);
    }

    @Override
    public KvSnapshot snapshot() {
        return store.snapshot();
    }

    @Override
    public long sizeBytes() {
        return store.sizeBytes();
    }

    @Override
    public @Nullable Fault damage() {
        return store.damage();
    }

    @Override
    public void close() {
        store.close();
    }
}
