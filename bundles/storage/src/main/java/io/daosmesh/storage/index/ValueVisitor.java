package io.daosmesh.storage.index;

import io.daosmesh.storage.kv.KvBatch;

/** Of the values of a batch only. */
class ValueVisitor implements KvBatch.Visitor {
    @Override
    public void put(byte[] key, byte[] value) {
        // the index's
    }

    @Override
    public void delete(byte[] key) {
        // the index's
    }

    @Override
    public void deleteRange(byte[] from, byte[] to) {
        // the index's
    }
}
