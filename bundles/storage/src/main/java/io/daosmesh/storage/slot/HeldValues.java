package io.daosmesh.storage.slot;

import static io.daosmesh.storage.slot.HeldMemory.BLOCK_BYTES;

import io.daosmesh.storage.bio.Extent;
import io.daosmesh.storage.kv.KvBatch;
import io.daosmesh.storage.kv.ValueSpace;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The blocks of a blob that are in the log and not yet on the device: a read finds them here, and a run of them is written
 * back now and then. What is written to the device directly waits for whatever is under way on the same blocks, and a run
 * waits for a direct write that was overtaken by its values on the way through the log: the older bytes never land last. Any
 * thread; at most one run is under way.
 */
final class HeldValues {
    /** A block as it was put: another one with the same bytes is another object. */
    private record Block(ByteBuffer bytes, long lsn) {}

    /** Blocks without a gap on their way to the device. */
    final class Run {
        final long offsetBytes;
        private final List<Block> blocks = new ArrayList<>();

        private Run(long offsetBytes) {
            this.offsetBytes = offsetBytes;
        }

        long endBytes() {
            return offsetBytes + (long) blocks.size() * BLOCK_BYTES;
        }

        private boolean touches(long fromBytes, long toBytes) {
            return fromBytes < endBytes() && toBytes > offsetBytes;
        }

        /** It is durable: nothing of it is held any more, but for what was put since. */
        void remove() {
            synchronized (HeldValues.this) {
                long at = offsetBytes;
                for (Block b : blocks) {
                    if (held.get(at) == b) HeldValues.this.remove(at);
                    at += BLOCK_BYTES;
                }
            }
        }

        /** Once, when the device has answered. */
        void end() {
            ended(() -> underWay = null);
        }
    }

    /** What goes to the device as soon as nothing else is under way on its blocks. */
    private final class Direct {
        private final long fromBytes;
        private final long toBytes;
        private final Consumer<Runnable> start;
        /** It has bytes, which must not land on newer ones. */
        private final boolean isWrite;

        Direct(long fromBytes, long toBytes, Consumer<Runnable> start, boolean isWrite) {
            this.fromBytes = fromBytes;
            this.toBytes = toBytes;
            this.start = start;
            this.isWrite = isWrite;
        }

        boolean mayStart() {
            Run run = underWay;
            if (run != null && run.touches(fromBytes, toBytes)) return false;
            return direct.stream().noneMatch(d -> fromBytes < d.toBytes && toBytes > d.fromBytes);
        }

        void start() {
            start.accept(() -> ended(() -> direct.remove(this)));
        }
    }

    /** The space of a value is used again seconds after it was freed: hardly any write ever waits for another. */
    static final int BEHIND_MAX = 256;

    private final HeldMemory memory;
    private final NavigableMap<Long, Block> held = new TreeMap<>();
    /** Writes under way. */
    private final List<Direct> direct = new ArrayList<>();
    /** What waits for them, or for the run. */
    private final List<Direct> behind = new ArrayList<>();

    private @Nullable Run underWay;
    private boolean isHeldUp;
    private boolean isClosed;
    private volatile int count;

    HeldValues(HeldMemory memory) {
        this.memory = memory;
    }

    boolean isEmpty() {
        return count == 0;
    }

    long bytes() {
        return (long) count * BLOCK_BYTES;
    }

    synchronized void put(long lsn, long offsetBytes, ByteBuffer bytes) {
        if (isClosed) return;
        int from = bytes.position();
        for (int at = 0; at < bytes.remaining(); at += BLOCK_BYTES) {
            remove(offsetBytes + at);
            ByteBuffer block = memory.take();
            block.put(0, bytes, from + at, BLOCK_BYTES);
            held.put(offsetBytes + at, new Block(block, lsn));
        }
        count = held.size();
    }

    private void remove(long offsetBytes) {
        Block old = held.remove(offsetBytes);
        if (old == null) return;
        memory.give(old.bytes);
        count = held.size();
    }

    /** Copies what is held of a range to its place from the buffer's position on; the parts of the range that are not. */
    synchronized List<Extent> copy(long offsetBytes, ByteBuffer dst) {
        List<Extent> missing = new ArrayList<>(1);
        long end = offsetBytes + dst.remaining();
        long at = offsetBytes;
        for (Map.Entry<Long, Block> e : held.subMap(offsetBytes, end).entrySet()) {
            if (e.getKey() > at) missing.add(new Extent(at, e.getKey() - at));
            dst.put(dst.position() + (int) (e.getKey() - offsetBytes), e.getValue().bytes, 0, BLOCK_BYTES);
            at = e.getKey() + BLOCK_BYTES;
        }
        if (at < end) missing.add(new Extent(at, end - at));
        return missing;
    }

    /** What is held of a range is void. */
    synchronized void drop(long offsetBytes, long lengthBytes) {
        new ArrayList<>(held.subMap(offsetBytes, offsetBytes + lengthBytes).keySet()).forEach(this::remove);
    }

    /**
     * Likewise.
     *
     * @param then runs when nothing of it is on its way to the device any more: now, or where that ends
     */
    void drop(long offsetBytes, long lengthBytes, Runnable then) {
        begin(new Direct(offsetBytes, offsetBytes + lengthBytes, ended -> then.run(), false));
    }

    /**
     * Likewise for a write of the device; false when too many wait, then nothing is done.
     *
     * @param start is given what to run when the device has answered
     */
    boolean overwrite(long offsetBytes, long lengthBytes, Consumer<Runnable> start) {
        return begin(new Direct(offsetBytes, offsetBytes + lengthBytes, start, true));
    }

    private boolean begin(Direct d) {
        synchronized (this) {
            if (d.isWrite && behind.size() >= BEHIND_MAX) return false;
            drop(d.fromBytes, d.toBytes - d.fromBytes);
            if (!d.mayStart()) {
                behind.add(d);
                return true;
            }
            if (d.isWrite) direct.add(d);
        }
        d.start();
        return true;
    }

    private void ended(Runnable end) {
        List<Direct> started = new ArrayList<>();
        synchronized (this) {
            end.run();
            for (Direct d : List.copyOf(behind)) {
                if (!d.mayStart()) continue;
                behind.remove(d);
                started.add(d);
                if (d.isWrite) direct.add(d);
            }
            notifyAll();
        }
        started.forEach(Direct::start);
    }

    /** Something is held of the blocks of a write that has not ended: it came through the log meanwhile. */
    private boolean isOvertaken() {
        return Stream.concat(direct.stream(), behind.stream())
                .anyMatch(d -> d.isWrite && !held.subMap(d.fromBytes, d.toBytes).isEmpty());
    }

    /**
     * Copies the next blocks without a gap into the buffer, which is cleared; null when there is none, or when what is under
     * way has to end first.
     */
    synchronized @Nullable Run gather(long fromBytes, ByteBuffer into) {
        isHeldUp = !held.isEmpty() && (underWay != null || isOvertaken());
        if (isHeldUp) return null;
        Long first = held.ceilingKey(fromBytes);
        if (first == null) return null;
        into.clear();
        Run run = new Run(first);
        for (Block b = held.get(first); b != null && into.hasRemaining(); b = held.get(run.endBytes())) {
            into.put(b.bytes.duplicate());
            run.blocks.add(b);
        }
        into.flip();
        underWay = run;
        return run;
    }

    /** The last gathering has found something that it had to leave. */
    synchronized boolean isHeldUp() {
        return isHeldUp;
    }

    /** Some blocks whose batch has this number or a lower one: written again, they move up in the log. Null when there are none. */
    synchronized @Nullable KvBatch upTo(long lsn, long blobId, int blocksMax) {
        KvBatch batch = new KvBatch();
        for (Map.Entry<Long, Block> e : held.entrySet()) {
            Block block = e.getValue();
            if (block.lsn > lsn) continue;
            batch.value(new Moved(blobId, block), e.getKey(), block.bytes.duplicate());
            if (batch.count() == blocksMax) break;
        }
        return batch.isEmpty() ? null : batch;
    }

    private final class Moved implements ValueSpace {
        private final long blobId;
        private final Block from;

        Moved(long blobId, Block from) {
            this.blobId = blobId;
            this.from = from;
        }

        @Override
        public long blobId() {
            return blobId;
        }

        /** Unless it was replaced or dropped since. */
        @Override
        public void hold(long lsn, long offsetBytes, ByteBuffer bytes) {
            synchronized (HeldValues.this) {
                if (held.get(offsetBytes) == from) held.put(offsetBytes, new Block(from.bytes, lsn));
            }
        }
    }

    /** Everything is void. */
    synchronized void clear() {
        new ArrayList<>(held.keySet()).forEach(this::remove);
    }

    /** Nothing is held or written back from here on; false when the device is still at it after the time. */
    synchronized boolean close(long maxMs) throws InterruptedException {
        isClosed = true;
        clear();
        long deadlineNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(maxMs);
        while (underWay != null || !direct.isEmpty() || !behind.isEmpty()) {
            long leftMs = TimeUnit.NANOSECONDS.toMillis(deadlineNs - System.nanoTime());
            if (leftMs <= 0) return false;
            wait(leftMs);
        }
        return true;
    }
}
