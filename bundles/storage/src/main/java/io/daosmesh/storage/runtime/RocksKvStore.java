package io.daosmesh.storage.runtime;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.storage.kv.KvBatch;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import io.daosmesh.storage.kv.KvSnapshot;
import io.daosmesh.storage.kv.KvStore;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.Slice;
import org.rocksdb.Snapshot;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/**
 * A target's index in RocksDB. Writer: target loop; readers: any thread. Native objects are touched only under the read
 * lock, {@link #close()} takes the write lock: no call reaches freed memory.
 */
final class RocksKvStore implements KvStore {
    private final Path folder;
    private final RocksTuning.Opened opened;
    private final RocksDB db;
    private final WriteOptions durable = new WriteOptions().setSync(true);
    private final WriteOptions relaxed = new WriteOptions();
    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
    private final Set<AutoCloseable> handles = ConcurrentHashMap.newKeySet();
    private volatile @Nullable Fault broken;
    private boolean isClosed;

    private RocksKvStore(Path folder, RocksTuning.Opened opened) {
        this.folder = folder;
        this.opened = opened;
        this.db = opened.db();
    }

    /** DF_INVAL when the files are damaged, BUSY when another process has them, IO otherwise. */
    static RocksKvStore open(Path folder, RocksMemory memory) {
        try {
            return new RocksKvStore(folder, RocksTuning.open(folder, memory));
        } catch (RocksDBException e) {
            throw openFault(folder, e).asException();
        }
    }

    private static Fault openFault(Path folder, RocksDBException e) {
        String text = String.valueOf(e.getMessage());
        FaultCode code = FaultCode.IO;
        if (text.contains("No space left")) code = FaultCode.NOSPACE;
        else if (text.contains("lock")) code = FaultCode.BUSY;
        else if (text.toLowerCase(java.util.Locale.ROOT).contains("corrupt") || text.contains("checksum"))
            code = FaultCode.DF_INVAL;
        return Fault.of(code, "index %s cannot be opened: %s", folder, text);
    }

    private <T extends @Nullable Object> T reading(Supplier<T> work) {
        Lock read = lock.readLock();
        read.lock();
        try {
            if (isClosed)
                throw Fault.of(FaultCode.UNINIT, "index %s is closed", folder).asException();
            return work.get();
        } finally {
            read.unlock();
        }
    }

    private Fault onError(RocksDBException e) {
        String text = String.valueOf(e.getMessage());
        FaultCode code = text.contains("No space left") ? FaultCode.NOSPACE : FaultCode.IO;
        return Fault.of(code, "index %s failed: %s", folder, text)
                .remedy("free space or repair the disk, then restart the engine");
    }

    @Override
    public byte @Nullable [] get(byte[] key) {
        return this.<byte @Nullable []>reading(() -> get(key, null));
    }

    private byte @Nullable [] get(byte[] key, @Nullable ReadOptions options) {
        try {
            return options == null ? db.get(key) : db.get(options, key);
        } catch (RocksDBException e) {
            throw onError(e).asException();
        }
    }

    @Override
    public KvCursor cursor(KvRange range) {
        return reading(() -> track(new Cursor(range, null)));
    }

    private <T extends AutoCloseable> T track(T handle) {
        handles.add(handle);
        return handle;
    }

    @Override
    public void write(KvBatch batch, boolean isDurable) {
        reading(() -> {
            Fault why = broken;
            if (why != null) throw why.asException();
            try (WriteBatch out = new WriteBatch()) {
                fill(out, batch);
                db.write(isDurable ? durable : relaxed, out);
            } catch (RocksDBException e) {
                // Fail-stop: what a failed sync left on the medium is unknown, so nothing may build on it.
                Fault fault = onError(e);
                broken = fault;
                throw fault.asException();
            }
            return true;
        });
    }

    private static void fill(WriteBatch out, KvBatch batch) throws RocksDBException {
        var failure = new ArrayList<RocksDBException>(1);
        batch.forEach(new KvBatch.Visitor() {
            @Override
            public void put(byte[] key, byte[] value) {
                run(() -> out.put(key, value));
            }

            @Override
            public void delete(byte[] key) {
                run(() -> out.delete(key));
            }

            @Override
            public void deleteRange(byte[] from, byte[] to) {
                if (java.util.Arrays.compareUnsigned(from, to) < 0) run(() -> out.deleteRange(from, to));
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

    @Override
    public KvSnapshot snapshot() {
        return reading(() -> track(new View()));
    }

    @Override
    public long sizeBytes() {
        return reading(() -> {
            try {
                return db.getLongProperty("rocksdb.total-sst-files-size")
                        + db.getLongProperty("rocksdb.cur-size-all-mem-tables");
            } catch (RocksDBException e) {
                throw onError(e).asException();
            }
        });
    }

    @Override
    public void close() {
        Lock write = lock.writeLock();
        write.lock();
        try {
            if (isClosed) return;
            for (AutoCloseable handle : new ArrayList<>(handles)) ((NativeHandle) handle).free();
            handles.clear();
            isClosed = true;
            durable.close();
            relaxed.close();
            opened.close();
        } finally {
            write.unlock();
        }
    }

    /** Frees native memory once; the caller holds one of the locks. */
    private interface NativeHandle {
        void free();
    }

    private final class View implements KvSnapshot, NativeHandle {
        private final Snapshot snapshot = db.getSnapshot();
        private final ReadOptions options = new ReadOptions().setSnapshot(snapshot);
        private boolean isFreed;

        @Override
        public byte @Nullable [] get(byte[] key) {
            return RocksKvStore.this.<byte @Nullable []>reading(() -> {
                checkUsable();
                return RocksKvStore.this.get(key, options);
            });
        }

        @Override
        public KvCursor cursor(KvRange range) {
            return reading(() -> {
                checkUsable();
                return track(new Cursor(range, snapshot));
            });
        }

        private synchronized void checkUsable() {
            if (isFreed) throw new IllegalStateException("the snapshot is closed");
        }

        @Override
        public void close() {
            lock.readLock().lock();
            try {
                if (handles.remove(this)) free();
            } finally {
                lock.readLock().unlock();
            }
        }

        @Override
        public synchronized void free() {
            if (isFreed) return;
            isFreed = true;
            options.close();
            db.releaseSnapshot(snapshot);
            snapshot.close();
        }
    }

    private final class Cursor implements KvCursor, NativeHandle {
        private final KvRange range;
        private final ReadOptions options = new ReadOptions();
        private final Slice lower;
        private final @Nullable Slice upper;
        private final RocksIterator iterator;
        private boolean isPlaced;
        private boolean isAtEntry;
        private boolean isFreed;

        Cursor(KvRange range, @Nullable Snapshot snapshot) {
            this.range = range;
            byte[] to = range.to();
            lower = new Slice(range.from());
            upper = to == null ? null : new Slice(to);
            options.setIterateLowerBound(lower);
            if (upper != null) options.setIterateUpperBound(upper);
            if (snapshot != null) options.setSnapshot(snapshot);
            iterator = db.newIterator(options);
        }

        @Override
        public boolean next() {
            return reading(() -> {
                checkUsable();
                if (!isPlaced) {
                    if (range.isBackward()) iterator.seekToLast();
                    else iterator.seekToFirst();
                    isPlaced = true;
                } else if (isAtEntry) {
                    if (range.isBackward()) iterator.prev();
                    else iterator.next();
                }
                isAtEntry = iterator.isValid();
                if (!isAtEntry) checkStatus();
                return isAtEntry;
            });
        }

        private void checkStatus() {
            try {
                iterator.status();
            } catch (RocksDBException e) {
                throw onError(e).asException();
            }
        }

        @Override
        public void seek(byte[] key) {
            reading(() -> {
                checkUsable();
                if (range.isBackward()) iterator.seekForPrev(key);
                else iterator.seek(key);
                isPlaced = true;
                // next() must answer this entry: it steps only from an entry it has already answered
                isAtEntry = false;
                return true;
            });
        }

        @Override
        public byte[] key() {
            return reading(() -> {
                checkAtEntry();
                return iterator.key();
            });
        }

        @Override
        public byte[] value() {
            return reading(() -> {
                checkAtEntry();
                return iterator.value();
            });
        }

        private void checkAtEntry() {
            checkUsable();
            if (!isAtEntry) throw new IllegalStateException("the cursor stands on no entry");
        }

        private void checkUsable() {
            if (isFreed) throw new IllegalStateException("the cursor is closed");
        }

        @Override
        public void close() {
            lock.readLock().lock();
            try {
                if (handles.remove(this)) free();
            } finally {
                lock.readLock().unlock();
            }
        }

        @Override
        public void free() {
            if (isFreed) return;
            isFreed = true;
            iterator.close();
            options.close();
            lower.close();
            if (upper != null) upper.close();
        }
    }
}
