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
    /** What it holds cannot be read any more. */
    volatile Fault damage;

    FailingKv(KvStore store) {
        this.store = store;
    }

    @Override
    public Fault damage() {
        return damage;
    }

    private KvStore readable() {
        Fault d = damage;
        if (d != null) throw d.asException();
        return store;
    }

    @Override
    public void write(KvBatch batch, boolean isDurable) {
        readable();
        Fault f = failure;
        if (f != null) throw f.asException();
        store.write(batch, isDurable);
    }

    @Override
    public byte[] get(byte[] key) {
        return readable().get(key);
    }

    @Override
    public KvCursor cursor(KvRange range) {
        return readable().cursor(range);
    }

    @Override
    public KvSnapshot snapshot() {
        return readable().snapshot();
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
