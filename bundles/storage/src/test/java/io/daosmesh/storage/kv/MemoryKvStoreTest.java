package io.daosmesh.storage.kv;

class MemoryKvStoreTest extends KvStoreContract {
    @Override
    protected KvStore open() {
        return new MemoryKvStore();
    }
}
