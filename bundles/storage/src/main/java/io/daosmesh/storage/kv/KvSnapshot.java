package io.daosmesh.storage.kv;

/** A store as it was at one moment. Any thread; close it soon, it keeps old data alive. */
public interface KvSnapshot extends KvReader, AutoCloseable {
    @Override
    void close();
}
