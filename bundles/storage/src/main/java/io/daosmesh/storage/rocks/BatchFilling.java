package io.daosmesh.storage.rocks;

import io.daosmesh.storage.kv.KvBatch;
import java.util.ArrayList;
import java.util.Arrays;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteBatch;

/** A batch in RocksDB's own form. Stateless. */
final class BatchFilling {
    private BatchFilling() {}

    static void fill(WriteBatch out, KvBatch batch) throws RocksDBException {
        var failure = new ArrayList<RocksDBException>(1);
        batch.forEach(new KvBatch.Visitor() {
            @Override
            public void put(byte[] key, byte[] value) {
                checkUsers(key);
                run(() -> out.put(key, value));
            }

            @Override
            public void delete(byte[] key) {
                checkUsers(key);
                run(() -> out.delete(key));
            }

            @Override
            public void deleteRange(byte[] from, byte[] to) {
                byte[] end = OwnKeys.isOwn(to) ? OwnKeys.FIRST : to;
                if (Arrays.compareUnsigned(from, end) < 0) run(() -> out.deleteRange(from, end));
            }

            private void checkUsers(byte[] key) {
                if (OwnKeys.isOwn(key)) throw new IllegalArgumentException("the key is the store's own");
            }

            private void run(NativeCall call) {
                try {
                    call.run();
                } catch (RocksDBException e) {
                    failure.add(e);
                }
            }
        });
        if (!failure.isEmpty()) throw failure.get(0);
    }

    private interface NativeCall {
        void run() throws RocksDBException;
    }
}
