package io.daosmesh.storage.rocks;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.storage.kv.KvBatch;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import io.daosmesh.storage.kv.KvReader;
import io.daosmesh.storage.kv.KvSnapshot;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.rocksdb.FlushOptions;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.Slice;
import org.rocksdb.Snapshot;
import org.rocksdb.Status;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/**
 * A target's index in RocksDB, whose own log is off: what is not in tables yet is in the engine's log. Writer: the engine's
 * log; readers: any thread. Native objects are touched only under the read lock, {@link #close()} takes the write lock: no
 * call reaches freed memory.
 *
 * <p>Each batch carries its number under a key of the store's own, so that what was recovered says itself how far it is.
 */
public final class RocksKvStore implements KvReader, AutoCloseable {
    /** Longer than RocksDB needs to notice, by itself, that a full disk has room again: it looks every five seconds. */
    private static final long ROOM_WAIT_MS = 20_000;

    private static final long ROOM_PAUSE_MS = 50;

    private final Path folder;
    private final Runnable onFull;
    private final RocksTuning.Opened opened;
    private final RocksDB db;
    private final WriteOptions unlogged = new WriteOptions().setDisableWAL(true);
    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
    private final Set<AutoCloseable> handles = ConcurrentHashMap.newKeySet();
    private volatile @Nullable Fault broken;
    private volatile @Nullable Fault damage;
    private volatile long position;
    private volatile boolean isFull;
    private boolean isClosed;

    private RocksKvStore(Path folder, RocksTuning.Opened opened, Runnable onFull) throws RocksDBException {
        this.folder = folder;
        this.onFull = onFull;
        this.opened = opened;
        this.db = opened.db();
        byte[] found = db.get(OwnKeys.POSITION);
        position = found == null || found.length < Long.BYTES
                ? 0
                : ByteBuffer.wrap(found).getLong();
    }

    /**
     * DF_INVAL when it is missing or damaged, BUSY when another process has it, NOSPACE on a full disk, IO otherwise.
     *
     * @param onFull told, on any thread, that there is no room for a table; may make some
     */
    public static RocksKvStore open(Path folder, RocksMemory memory, Runnable onFull) {
        return open(folder, memory, onFull, false);
    }

    /** A new, empty one; durable on return. */
    public static RocksKvStore create(Path folder, RocksMemory memory, UUID identity) {
        RocksKvStore made = open(folder, memory, () -> {}, true);
        byte[] id = ByteBuffer.allocate(16)
                .putLong(identity.getMostSignificantBits())
                .putLong(identity.getLeastSignificantBits())
                .array();
        made.write(0, out -> out.put(OwnKeys.IDENTITY, id));
        Fault fault = made.flush();
        if (fault == null) return made;
        made.close();
        throw fault.asException();
    }

    private static RocksKvStore open(Path folder, RocksMemory memory, Runnable onFull, boolean isNew) {
        RocksTuning.Opened opened = null;
        try {
            opened = RocksTuning.open(folder, memory, isNew);
            return new RocksKvStore(folder, opened, onFull);
        } catch (RocksDBException e) {
            if (opened != null) opened.close();
            Fault why = Fault.of(openCode(e), "it cannot be opened: %s", String.valueOf(e.getMessage()))
                    .with("index", folder);
            if (why.code() == FaultCode.NOSPACE)
                why = why.remedy("free some space on the file system of " + folder + ", then start the engine again");
            throw why.asException();
        }
    }

    /** All that is neither a full disk, another process nor a failing medium is an index that is not what it was. */
    private static FaultCode openCode(RocksDBException e) {
        String text = String.valueOf(e.getMessage());
        if (FaultCode.ofMedium(text) == FaultCode.NOSPACE) return FaultCode.NOSPACE;
        if (text.contains("No such file")) return FaultCode.DF_INVAL;
        if (text.contains("lock file") || text.contains("lock hold")) return FaultCode.BUSY;
        Status status = e.getStatus();
        boolean isMedium = status == null || status.getCode() == Status.Code.IOError;
        return isMedium ? FaultCode.IO : FaultCode.DF_INVAL;
    }

    /** What its format has given it; nothing of it when that is missing. */
    public Optional<UUID> identity() {
        return reading(() -> {
            try {
                byte[] found = db.get(OwnKeys.IDENTITY);
                if (found == null || found.length != 16) return Optional.empty();
                ByteBuffer b = ByteBuffer.wrap(found);
                return Optional.of(new UUID(b.getLong(), b.getLong()));
            } catch (RocksDBException e) {
                throw onReadError(e).asException();
            }
        });
    }

    /** Number of the last batch in it. Any thread. */
    public long position() {
        return position;
    }

    /** Why what it answers cannot be trusted any more; null while it can. */
    public @Nullable Fault damage() {
        return damage;
    }

    /** There was no room for a table, and there is none yet: nothing should be begun that has to be applied. Any thread. */
    public boolean isFull() {
        return isFull;
    }

    /**
     * Moves everything into tables that are durable; not null when that failed, or something has failed before. After NOSPACE it
     * is asked again: nothing is lost.
     */
    public @Nullable Fault flush() {
        return reading(() -> {
            Fault why = broken;
            if (why != null) return why;
            try (FlushOptions options = new FlushOptions().setWaitForFlush(true)) {
                db.flush(options);
                isFull = false;
                return null;
            } catch (RocksDBException e) {
                Fault fault = onError(e);
                if (fault.code() == FaultCode.NOSPACE) onNoRoom();
                else broken = fault;
                return fault;
            }
        });
    }

    private void onNoRoom() {
        isFull = true;
        onFull.run();
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

    /** What cannot be read must not be denied either, so read errors are as final as write errors. */
    private Fault onReadError(RocksDBException e) {
        Status status = e.getStatus();
        boolean isDamage = status != null && status.getCode() == Status.Code.Corruption;
        Fault fault = isDamage
                ? Fault.of(FaultCode.DF_INVAL, "%s", String.valueOf(e.getMessage()))
                        .with("index", folder)
                : onError(e);
        damage = fault;
        broken = fault;
        return fault;
    }

    private Fault onError(RocksDBException e) {
        String text = String.valueOf(e.getMessage());
        Fault fault = Fault.of(FaultCode.ofMedium(text), "index %s failed: %s", folder, text);
        boolean isFull = fault.code() == FaultCode.NOSPACE;
        return fault.remedy(isFull ? "free space in " + folder : "repair the disk, then restart the engine");
    }

    @Override
    public byte @Nullable [] get(byte[] key) {
        return this.<byte @Nullable []>reading(() -> get(key, null));
    }

    private byte @Nullable [] get(byte[] key, @Nullable ReadOptions options) {
        if (OwnKeys.isOwn(key)) return null;
        try {
            return options == null ? db.get(key) : db.get(options, key);
        } catch (RocksDBException e) {
            throw onReadError(e).asException();
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

    /**
     * Applies a batch as a whole; the engine's log holds it. The log's thread, in order. Waits, bounded, where a full disk keeps
     * what is in memory from becoming a table.
     *
     * @param position number of the batch
     */
    public void apply(long position, KvBatch batch) {
        write(position, out -> BatchFilling.fill(out, batch));
    }

    private interface Filling {
        void fill(WriteBatch out) throws RocksDBException;
    }

    private void write(long number, Filling filling) {
        long deadlineNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(ROOM_WAIT_MS);
        Fault fault = tryWrite(number, filling);
        while (fault != null && fault.code() == FaultCode.NOSPACE && System.nanoTime() < deadlineNs && pause())
            fault = tryWrite(number, filling);
        if (fault == null) return;
        // Fail-stop: a later batch must not take effect without this one.
        Fault end = fault.code() == FaultCode.NOSPACE
                ? fault.remedy("free space in " + folder + ", then restart the engine")
                : fault;
        broken = end;
        throw end.asException();
    }

    /** False when the thread is wanted elsewhere. */
    private static boolean pause() {
        try {
            TimeUnit.MILLISECONDS.sleep(ROOM_PAUSE_MS);
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private @Nullable Fault tryWrite(long number, Filling filling) {
        return this.<@Nullable Fault>reading(() -> {
            Fault why = broken;
            if (why != null) throw why.asException();
            try (WriteBatch out = new WriteBatch()) {
                out.put(OwnKeys.POSITION, ByteBuffer.allocate(8).putLong(number).array());
                filling.fill(out);
                db.write(unlogged, out);
                position = number;
                isFull = false;
                return null;
            } catch (RocksDBException e) {
                Fault fault = onError(e);
                if (fault.code() == FaultCode.NOSPACE) onNoRoom();
                return fault;
            }
        });
    }

    /** A view that later batches do not change; the caller closes it. */
    public KvSnapshot snapshot() {
        return reading(() -> track(new View()));
    }

    /** Bytes it takes now, an estimate. */
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
            unlogged.close();
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
        private final Slice upper;
        private final RocksIterator iterator;
        private boolean isPlaced;
        private boolean isAtEntry;
        private boolean isFreed;

        Cursor(KvRange range, @Nullable Snapshot snapshot) {
            this.range = range;
            byte[] to = range.to();
            lower = new Slice(range.from());
            upper = new Slice(to == null || OwnKeys.isOwn(to) ? OwnKeys.FIRST : to);
            options.setIterateLowerBound(lower).setIterateUpperBound(upper);
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
                throw onReadError(e).asException();
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
            upper.close();
        }
    }
}
