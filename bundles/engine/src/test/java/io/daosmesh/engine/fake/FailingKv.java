package io.daosmesh.engine.fake;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.storage.kv.KvBatch;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import io.daosmesh.storage.kv.KvSnapshot;
import io.daosmesh.storage.kv.KvStore;

/** A store whose disk fails when a test says so. */
final class FailingKv implements KvStore {
    private final KvStore store;
    volatile Fault failure;

    FailingKv(KvStore store) {
        this.store = store;
    }

    @Override
    public void write(KvBatch batch, boolean isDurable) {
        Fault f = failure;
        if (f != null) throw f.asException();
        store.write(batch, isDurable);
    }

    @Override
    public byte[] get(byte[] key) {
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
    public void close() {
        store.close();
    }
}
