package io.daosmesh.itests.sim.machine;

import io.daosmesh.storage.Blob;
import io.daosmesh.storage.BlobCompletion;
import io.daosmesh.storage.bio.Allocator;
import io.daosmesh.storage.kv.ForwardingKvStore;
import io.daosmesh.storage.kv.KvBatch;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import io.daosmesh.storage.kv.KvStore;
import io.daosmesh.storage.kv.MemoryKvStore;
import io.daosmesh.storage.kv.ValueSpace;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What a rank keeps over its lives: an index whose unsynced batches, and a device whose unflushed blocks, may be lost when
 * the power fails. A request under way at a crash is done for any of its blocks, or not. Owner: the timeline.
 */
public final class Disk {
    private static final int BLOCK = 4096;
    private static final int BLOB_BYTES = 16 << 20;

    private final Timeline time;
    private MemoryKvStore index = new MemoryKvStore();
    private MemoryKvStore synced = new MemoryKvStore();
    private final List<KvBatch> unsynced = new ArrayList<>();
    private final byte[] bytes = new byte[BLOB_BYTES];
    /** What a block that is not flushed held before. */
    private final Map<Integer, byte[]> unflushed = new HashMap<>();

    private final List<Writing> underWay = new ArrayList<>();
    private int life;

    private record Writing(int offset, ByteBuffer src) {}

    public Disk(Timeline time) {
        this.time = time;
    }

    /** Of the present life; what is written durably through it outlives a power loss as well. */
    public KvStore index() {
        return new Index(index);
    }

    public Blob blob() {
        return new BlobOfLife(life);
    }

    /** As KvStore.write promises. */
    public void write(KvBatch batch, boolean isDurable) {
        index.write(batch, isDurable);
        unsynced.add(ofDisk(batch));
        if (isDurable) sync(unsynced.size());
    }

    /** Values stay where they are read when the life that wrote them has ended; their buffers do not. */
    private KvBatch ofDisk(KvBatch batch) {
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

            @Override
            public void value(ValueSpace space, long offsetBytes, ByteBuffer bytes) {
                ByteBuffer kept = ByteBuffer.allocate(bytes.remaining()).put(bytes.duplicate());
                copy.value(new Synced(), offsetBytes, kept.flip());
            }
        });
        return copy;
    }

    /** The first batches are in the log, durably, with their values. */
    private void sync(int count) {
        List<KvBatch> first = unsynced.subList(0, count);
        for (KvBatch b : first) synced.write(b, true);
        first.clear();
    }

    /** What a start finds of the log's values. */
    private final class Synced implements ValueSpace {
        @Override
        public long blobId() {
            return 1;
        }

        @Override
        public void hold(long lsn, long offsetBytes, ByteBuffer block) {
            for (int at = 0; at < block.remaining(); at += BLOCK) {
                unflushed.remove((int) (offsetBytes + at) / BLOCK);
                block.get(at, bytes, (int) offsetBytes + at, BLOCK);
            }
        }
    }

    /** Ends a life; the next one opens what is left. */
    public void crash(boolean isPowerLoss) {
        life++;
        for (Writing w : underWay) {
            for (int at = 0; at < w.src.remaining(); at += BLOCK)
                if (time.happens(0.5)) put(w.offset + at, w.src.slice(at, BLOCK));
        }
        underWay.clear();
        if (!isPowerLoss) return;
        sync(unsynced.isEmpty() ? 0 : time.below(unsynced.size() + 1));
        unsynced.clear();
        index = copy(synced);
        for (int block : unflushed.keySet().stream().sorted().toList()) {
            byte[] old = unflushed.get(block);
            if (old != null && time.happens(0.5)) System.arraycopy(old, 0, bytes, block * BLOCK, BLOCK);
        }
        unflushed.clear();
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

    /** The device as one life of the engine sees it; completions of an ended life never come. */
    private final class BlobOfLife implements Blob {
        private final int mine;
        private final Allocator allocator = new Allocator(BLOB_BYTES, Timeline.ms(1_000));

        BlobOfLife(int mine) {
            this.mine = mine;
        }

        private void later(Runnable action, BlobCompletion completion) {
            time.after(time.between(20_000, 400_000), () -> {
                if (mine != life) return;
                action.run();
                completion.done(null);
            });
        }

        @Override
        public long blobId() {
            return 1;
        }

        @Override
        public long sizeBytes() {
            return BLOB_BYTES;
        }

        @Override
        public Allocator allocator() {
            return allocator;
        }

        @Override
        public void hold(long lsn, long offsetBytes, ByteBuffer block) {
            for (int at = 0; at < block.remaining(); at += BLOCK)
                put((int) offsetBytes + at, block.slice(block.position() + at, BLOCK));
        }

        @Override
        public void read(long offsetBytes, ByteBuffer dst, BlobCompletion completion) {
            later(() -> dst.put(dst.position(), bytes, (int) offsetBytes, dst.remaining()), completion);
        }

        @Override
        public void write(long offsetBytes, ByteBuffer src, BlobCompletion completion) {
            Writing w = new Writing((int) offsetBytes, src.duplicate());
            underWay.add(w);
            later(
                    () -> {
                        underWay.remove(w);
                        for (int at = 0; at < w.src.remaining(); at += BLOCK)
                            put(w.offset + at, w.src.slice(w.src.position() + at, BLOCK));
                    },
                    completion);
        }

        @Override
        public void flush(BlobCompletion completion) {
            // what completed until now, not what completes meanwhile
            List<Integer> blocks = List.copyOf(unflushed.keySet());
            later(() -> blocks.forEach(unflushed::remove), completion);
        }

        @Override
        public void unmap(long offsetBytes, long lengthBytes, BlobCompletion completion) {
            later(() -> {}, completion);
        }
    }
}
