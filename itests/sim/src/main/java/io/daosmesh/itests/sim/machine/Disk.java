package io.daosmesh.itests.sim.machine;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.Invariant;
import io.daosmesh.storage.Blob;
import io.daosmesh.storage.BlobCompletion;
import io.daosmesh.storage.DeviceState;
import io.daosmesh.storage.bio.Allocator;
import io.daosmesh.storage.kv.ForwardingKvStore;
import io.daosmesh.storage.kv.KvBatch;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import io.daosmesh.storage.kv.KvStore;
import io.daosmesh.storage.kv.MemoryKvStore;
import io.daosmesh.storage.kv.ValueSpace;
import io.daosmesh.storage.log.LogFrame;
import io.daosmesh.storage.log.LogLimits;
import io.daosmesh.storage.log.LogRecovery;
import io.daosmesh.storage.log.LogWriter;
import io.daosmesh.storage.slot.DeviceBlob;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What a rank keeps over its lives: the log of its index with the values in it, tables, and a device whose unflushed blocks may be
 * lost when the power fails. What is under way at a crash is done in any part, or not: batches of the log byte by byte, requests of the
 * device block by block. Frames and recovery are the shipped ones. Owner: the timeline.
 */
public final class Disk {
    static final int BLOCK = 4096;
    public static final int BLOB_BYTES = 16 << 20;
    private static final int TARGET = 0;
    /** Small: full and used again within a run. */
    private static final LogLimits LIMITS = new LogLimits(256 << 10, 8);

    private static final double CHECKPOINT = 0.02;

    private final Timeline time;
    private final LogMedium medium;
    private final double badBlocks;
    private final int blobBytes;
    private LogWriter log;
    private MemoryKvStore index = new MemoryKvStore();
    /** Number of the last batch in the index, and in its tables. */
    private long position;

    private MemoryKvStore tables = new MemoryKvStore();
    private long tablesPosition;
    private final byte[] bytes = new byte[BLOB_BYTES];
    /** What a block that is not flushed held before. */
    private final Map<Integer, byte[]> unflushed = new HashMap<>();
    /** Blocks that are in the log and not on the device. */
    private final Map<Integer, byte[]> held = new HashMap<>();

    private final List<Writing> underWay = new ArrayList<>();
    private final List<KvBatch> appending = new ArrayList<>();
    private Runnable onAppend = () -> {};
    private Life life = new Life();
    private boolean isHanging;
    /** What the device has been given and does not do while it hangs. */
    private final List<Runnable> hung = new ArrayList<>();

    /** The tables of the engine say so: it serves nothing until it is repaired. */
    private boolean isFaulty;

    private @Nullable String damage;

    /** One process: what it has asked for ends with it. */
    static final class Life {}

    record Writing(int offset, ByteBuffer src) {}

    /**
     * @param badBlocks share of blocks that do not keep what is written to them
     * @param blobBytes of the pool on the device
     */
    public Disk(Timeline time, double badBlocks, int blobBytes) {
        Invariant.check(blobBytes <= BLOB_BYTES, "%d bytes", blobBytes);
        this.blobBytes = blobBytes;
        this.time = time;
        this.badBlocks = badBlocks;
        this.medium = new LogMedium(time, LIMITS);
        LogRecovery none = medium.recover();
        this.log = medium.begin(none, none.nextLsn() - 1);
    }

    /** Of the present life; what is written durably through it outlives a power loss as well. */
    public KvStore index() {
        return new Index(index);
    }

    public Blob blob(DeviceBay bay) {
        return new BlobOfLife(bay.blob());
    }

    /** The device as the present process opens it. */
    public DeviceBay open(Consumer<DeviceState> onState) {
        Life mine = life;
        TimelineExecutor owner = new TimelineExecutor(time, () -> mine == life);
        return new DeviceBay(new DiskDevice.Driver(this, mine), isFaulty, owner, state -> {
            isFaulty |= state == DeviceState.FAULTY;
            onState.accept(state);
        });
    }

    /** The device answers nothing from here on, until {@link #answer} or the end of its process. */
    public void hang() {
        isHanging = true;
    }

    /** It goes on with what it was given. */
    public void answer() {
        isHanging = false;
        List<Runnable> all = List.copyOf(hung);
        hung.clear();
        all.forEach(Runnable::run);
    }

    public boolean isHanging() {
        return isHanging;
    }

    public boolean isFaulty() {
        return isFaulty;
    }

    /** Of a device that is not in use: the next process may use it again. */
    public void repair() {
        isFaulty = false;
    }

    /** Why the last start has not found what it must; null when it has. */
    public @Nullable String damage() {
        return damage;
    }

    /** The batch is on its way; {@link #write} follows in the same life. */
    public void append(KvBatch batch) {
        appending.add(batch);
        time.after(time.between(0, 10_000), onAppend);
        onAppend = () -> {};
    }

    /** Runs while the next batch is on its way. */
    public void onNextAppend(Runnable action) {
        onAppend = action;
    }

    /** A crash now tears what is appended. */
    public boolean isAppending() {
        return !appending.isEmpty();
    }

    /** The batch is refused before it is written. */
    public void giveUp(KvBatch batch) {
        appending.remove(batch);
    }

    /** As KvStore.write promises. */
    public void write(KvBatch batch, boolean isDurable) {
        appending.remove(batch);
        if (!log.place(TARGET, position + 1, batch)) {
            log.persist();
            if (!log.roll(false)) {
                checkpoint();
                Invariant.check(log.roll(false), "all is trimmed");
            }
            Invariant.check(log.place(TARGET, position + 1, batch), "a batch of %d bytes", batch.byteCount());
        }
        if (isDurable) log.persist();
        else log.publish();
        position++;
        index.write(batch, isDurable);
        if (time.happens(CHECKPOINT)) keep();
    }

    /** Not always all of it is done before a crash. */
    private void keep() {
        switch (time.below(3)) {
            case 0 -> flushIndex();
            case 1 -> settle();
            default -> checkpoint();
        }
    }

    private void checkpoint() {
        log.persist();
        flushIndex();
        settle();
        log.trim(log.lastLsn());
    }

    private void flushIndex() {
        tables = copy(index);
        tablesPosition = position;
    }

    /** Values are on the device, durably. */
    private void settle() {
        held.forEach((block, value) -> {
            unflushed.remove(block);
            System.arraycopy(value, 0, bytes, block * BLOCK, BLOCK);
            if (badBlocks > 0 && time.happens(badBlocks)) bytes[block * BLOCK + time.below(BLOCK)] ^= 1;
        });
        held.clear();
    }

    /** Ends a life; the next one opens what is left. */
    public void crash(boolean isPowerLoss) {
        life = new Life();
        isHanging = false;
        hung.clear();
        for (Writing w : underWay) {
            for (int at = 0; at < w.src.remaining(); at += BLOCK)
                if (time.happens(0.5)) put(w.offset + at, w.src.slice(w.src.position() + at, BLOCK));
        }
        underWay.clear();
        endLog(isPowerLoss);
        if (isPowerLoss) {
            for (int block : unflushed.keySet().stream().sorted().toList()) {
                byte[] old = unflushed.get(block);
                if (old != null && time.happens(0.5)) System.arraycopy(old, 0, bytes, block * BLOCK, BLOCK);
            }
            unflushed.clear();
        }
        recover();
    }

    private void endLog(boolean isPowerLoss) {
        medium.die();
        long at = position;
        for (KvBatch b : appending) {
            if (time.happens(0.2) || !log.place(TARGET, at + 1, b)) break;
            at++;
        }
        log.publish();
        appending.clear();
        medium.onEnded(isPowerLoss);
    }

    private void recover() {
        held.clear();
        index = copy(tables);
        position = tablesPosition;
        LogRecovery found = medium.recover();
        damage = found.replay(TARGET, position, new LogRecovery.Applier() {
            @Override
            public void index(LogFrame frame) {
                index.write(ofIndex(frame.batch()), true);
                position = frame.position();
            }

            @Override
            public void values(LogFrame frame) {
                frame.batch().forEach(new Values());
            }
        });
        flushIndex();
        settle();
        log = medium.begin(found, found.nextLsn() - 1);
    }

    private static KvBatch ofIndex(KvBatch batch) {
        KvBatch copy = new KvBatch();
        batch.forEach(new KvBatch.Visitor() {
            @Override
            public void put(byte[] key, byte[] value) {
                copy.put(key, value);
            }

            @Override
            public void delete(byte[] key) {
                copy.delete(key);
            }

            @Override
            public void deleteRange(byte[] from, byte[] to) {
                copy.deleteRange(from, to);
            }
        });
        return copy;
    }

    /** What a start finds of the log's values. */
    private final class Values implements KvBatch.Visitor {
        @Override
        public void put(byte[] key, byte[] value) {
            // of the index
        }

        @Override
        public void delete(byte[] key) {
            // of the index
        }

        @Override
        public void deleteRange(byte[] from, byte[] to) {
            // of the index
        }

        @Override
        public void value(ValueSpace space, long offsetBytes, ByteBuffer value) {
            hold(offsetBytes, value);
        }

        @Override
        public void written(ValueSpace space, long offsetBytes, long lengthBytes) {
            drop(offsetBytes, lengthBytes);
        }
    }

    private void hold(long offsetBytes, ByteBuffer value) {
        for (int at = 0; at < value.remaining(); at += BLOCK) {
            byte[] block = new byte[BLOCK];
            value.get(value.position() + at, block);
            held.put((int) (offsetBytes + at) / BLOCK, block);
        }
    }

    private void drop(long offsetBytes, long lengthBytes) {
        for (long at = offsetBytes; at < offsetBytes + lengthBytes; at += BLOCK) held.remove((int) (at / BLOCK));
    }

    private static MemoryKvStore copy(MemoryKvStore from) {
        MemoryKvStore to = new MemoryKvStore();
        KvBatch all = new KvBatch();
        try (KvCursor c = from.cursor(KvRange.all())) {
            while (c.next()) all.put(c.key(), c.value());
        }
        to.write(all, true);
        return to;
    }

    private void put(int offset, ByteBuffer block) {
        unflushed.computeIfAbsent(offset / BLOCK, b -> Arrays.copyOfRange(bytes, offset, offset + BLOCK));
        block.get(bytes, offset, BLOCK);
    }

    /** The index as one life of the engine sees it. */
    private final class Index extends ForwardingKvStore {
        Index(MemoryKvStore memory) {
            super(memory);
        }

        @Override
        public void write(KvBatch batch, boolean isDurable) {
            Disk.this.write(batch, isDurable);
        }
    }

    // ---- the device

    /** After a while, if the process lives then and the device does not hang. */
    void later(Life of, Runnable action) {
        time.after(time.between(20_000, 400_000), () -> doIfAlive(of, action));
    }

    private void doIfAlive(Life of, Runnable action) {
        if (of != life) return;
        if (isHanging) hung.add(() -> doIfAlive(of, action));
        else action.run();
    }

    void read(int offset, ByteBuffer dst) {
        for (int at = offset; dst.hasRemaining(); at += BLOCK) {
            int length = Math.min(BLOCK, dst.remaining());
            byte[] value = held.get(at / BLOCK);
            if (value == null) dst.put(bytes, at, length);
            else dst.put(value, 0, length);
        }
    }

    Writing begin(int offset, ByteBuffer src) {
        Writing w = new Writing(offset, src.duplicate());
        underWay.add(w);
        return w;
    }

    void end(Writing w) {
        underWay.remove(w);
        for (int at = 0; at < w.src.remaining(); at += BLOCK)
            put(w.offset + at, w.src.slice(w.src.position() + at, BLOCK));
    }

    List<Integer> unflushed() {
        return List.copyOf(unflushed.keySet());
    }

    void flushed(List<Integer> blocks) {
        blocks.forEach(unflushed::remove);
    }

    /** The device as one life of the engine sees it, through the shipped slot; completions of an ended life never come. */
    private final class BlobOfLife implements Blob {
        private final DeviceBlob device;
        private final Allocator allocator = new Allocator(blobBytes, Timeline.ms(1_000));

        BlobOfLife(DeviceBlob device) {
            this.device = device;
        }

        @Override
        public long blobId() {
            return 1;
        }

        @Override
        public long sizeBytes() {
            return blobBytes;
        }

        @Override
        public Allocator allocator() {
            return allocator;
        }

        @Override
        public void expect(long offsetBytes, long lengthBytes) {
            drop(offsetBytes, lengthBytes);
        }

        @Override
        public void hold(long lsn, long offsetBytes, ByteBuffer block) {
            Disk.this.hold(offsetBytes, block);
        }

        @Override
        public @Nullable Fault refusal() {
            return device.refusal();
        }

        @Override
        public void read(long offsetBytes, ByteBuffer dst, BlobCompletion completion) {
            device.read(offsetBytes, dst, completion);
        }

        @Override
        public void write(long offsetBytes, ByteBuffer src, BlobCompletion completion) {
            drop(offsetBytes, src.remaining());
            device.write(offsetBytes, src, completion);
        }

        @Override
        public void flush(BlobCompletion completion) {
            device.flush(completion);
        }

        @Override
        public void unmap(long offsetBytes, long lengthBytes, BlobCompletion completion) {
            drop(offsetBytes, lengthBytes);
            device.unmap(offsetBytes, lengthBytes, completion);
        }
    }
}
