package io.daosmesh.storage.index;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.storage.kv.KvBatch;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import io.daosmesh.storage.kv.KvSnapshot;
import io.daosmesh.storage.kv.KvStore;
import org.jspecify.annotations.Nullable;

/** Stands for an index that is lost: it knows nothing and says so, instead of being empty. Any thread. */
public final class DamagedKvStore implements KvStore {
    private final Fault damage;

    DamagedKvStore(Fault damage) {
        this.damage = damage;
    }

    @Override
    public Fault damage() {
        return damage;
    }

    @Override
    public byte @Nullable [] get(byte[] key) {
        throw damage.asException();
    }

    @Override
    public KvCursor cursor(KvRange range) {
        throw damage.asException();
    }

    @Override
    public void write(KvBatch batch, boolean isDurable) {
        throw damage.asException();
    }

    @Override
    public KvSnapshot snapshot() {
        throw damage.asException();
    }

    @Override
    public long sizeBytes() {
        return 0;
    }

    @Override
    public void close() {
        // holds nothing
    }
}
