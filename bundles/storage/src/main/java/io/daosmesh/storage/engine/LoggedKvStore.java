package io.daosmesh.storage.engine;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.storage.kv.KvBatch;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import io.daosmesh.storage.kv.KvSnapshot;
import io.daosmesh.storage.kv.KvStore;
import io.daosmesh.storage.log.runtime.EngineLog;
import io.daosmesh.storage.log.runtime.LogStream;
import io.daosmesh.storage.rocks.RocksKvStore;
import org.jspecify.annotations.Nullable;

/** A target's index whose batches go through the engine's log. Any thread. */
final class LoggedKvStore implements KvStore {
    private final RocksKvStore index;
    private final EngineLog log;
    private final LogStream stream;

    LoggedKvStore(int target, RocksKvStore index, EngineLog log) {
        this.index = index;
        this.log = log;
        this.stream = log.stream(target, index.position(), index::apply);
    }

    /** Number of the last batch that is durable with all before it. */
    long durablePosition() {
        return stream.durablePosition();
    }

    @Override
    public void write(KvBatch batch, boolean isDurable) {
        log.write(stream, batch, isDurable);
    }

    @Override
    public byte @Nullable [] get(byte[] key) {
        return index.get(key);
    }

    @Override
    public KvCursor cursor(KvRange range) {
        return index.cursor(range);
    }

    @Override
    public KvSnapshot snapshot() {
        return index.snapshot();
    }

    @Override
    public long sizeBytes() {
        return index.sizeBytes();
    }

    @Override
    public @Nullable Fault damage() {
        return index.damage();
    }

    @Override
    public void close() {
        index.close();
    }
}
