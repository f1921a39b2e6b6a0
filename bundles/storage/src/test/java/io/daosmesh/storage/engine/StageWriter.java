package io.daosmesh.storage.engine;

import io.daosmesh.nvmespdk.NvmeSpdkDriver;
import io.daosmesh.storage.Blob;
import io.daosmesh.storage.BufferPool;
import io.daosmesh.storage.EngineStorage;
import io.daosmesh.storage.halt.Halter;
import io.daosmesh.storage.halt.HaltingBlocks;
import io.daosmesh.storage.halt.HaltingScm;
import io.daosmesh.storage.halt.TableWatch;
import io.daosmesh.storage.kv.KvBatch;
import io.daosmesh.storage.kv.KvStore;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Map;
import java.util.UUID;

/**
 * Opens what an earlier one has left, checks it, and writes until it comes to the point where it ends. Each number on standard
 * output is acknowledged. Targets: 0 with values, 1 now and then, 2 once and never again. As aggregation does, the last three of six values are
 * written anew as one, and what they lay on is given to the next.
 */
final class StageWriter {
    static final int TARGETS = 3;
    /** Exit status: the point was not reached. */
    private static final int NOT_REACHED = 4;

    private static final UUID POOL = new UUID(7, 7);
    private static final int VALUE_BYTES = 24 << 10;
    /** Values live in a ring of places: what a crash tears is not acknowledged. */
    private static final int PLACES = 300;
    /** Numbers of which the last {@link #MERGED} become one value. */
    private static final int BLOCK = 6;

    private static final int MERGED = 3;
    /** Merged values live in a ring of their own. */
    private static final int SLOTS = 100;

    private static final int CHECKED = 400;
    private static final long MOST_NS = 15_000_000_000L;

    private final EngineStorage storage;
    private final Blob blob;

    private StageWriter(EngineStorage storage) {
        this.storage = storage;
        storage.reservePool(POOL, 1 << 20, 16 << 20);
        this.blob = storage.target(0).pool(POOL).blob();
    }

    private KvStore kv(int target) {
        return storage.target(target).kv();
    }

    private static byte[] key(long n) {
        return ByteBuffer.allocate(8).putLong(n).array();
    }

    private static byte[] newestKey() {
        return new byte[] {1};
    }

    private static byte[] mergedKey(long block) {
        return ByteBuffer.allocate(9).put((byte) 2).putLong(block).array();
    }

    /** Half of the values lie where merged ones of the block before lay. */
    private static long place(long n) {
        long block = n / BLOCK;
        long place = switch ((int) (n % BLOCK)) {
            case 0 -> 3 * block;
            case 1 -> 3 * (block - 2) + 2;
            case 2 -> 3 * (block - 1) + 1;
            case 3 -> 3 * (block - 1) + 2;
            case 4 -> 3 * block + 1;
            default -> 3 * block + 2;
        };
        return Math.floorMod(place, PLACES) * (long) VALUE_BYTES;
    }

    private static long slot(long block) {
        return (PLACES + block % SLOTS * MERGED) * VALUE_BYTES;
    }

    /** Number of the last write that is there: the last acknowledged one, or the one that was under way behind it. */
    static long check(EngineStorage storage, long acknowledged) {
        return new StageWriter(storage).check(acknowledged);
    }

    private long check(long acknowledged) {
        for (int t = 0; t < TARGETS; t++)
            require(kv(t).damage() == null, "target " + t + ": a kill is no damage: " + kv(t).damage());
        byte[] found = kv(0).get(newestKey());
        long newest = found == null ? 0 : ByteBuffer.wrap(found).getLong();
        require(
                newest == acknowledged || newest == acknowledged + 1,
                newest + " is there, acknowledged " + acknowledged);
        require(kv(0).get(key(newest + 1)) == null, "what was never there");
        require(acknowledged == 0 || kv(2).get(newestKey()) != null, "the one batch of target 2 is missing");
        try (BufferPool.Buffer buffer = storage.buffers().take(VALUE_BYTES)) {
            for (long n = Math.max(1, newest - CHECKED); n <= newest; n++) check(n, buffer.bytes());
        }
        return newest;
    }

    private void check(long n, ByteBuffer bytes) {
        byte[] at = kv(0).get(key(n));
        long block = n / BLOCK;
        boolean isMerged = n % BLOCK >= MERGED && kv(0).get(mergedKey(block)) != null;
        require((at == null) == isMerged, "number " + n + (isMerged ? " is there twice" : " is missing"));
        require(at == null || ByteBuffer.wrap(at).getLong() == place(n), "number " + n + " is elsewhere");
        long offset = isMerged ? slot(block) + (n % BLOCK - MERGED) * VALUE_BYTES : place(n);
        require(n % 5 > 0 || kv(1).get(key(n)) != null, "number " + n + " of target 1 is missing");
        bytes.clear().limit(VALUE_BYTES);
        require(NodeFixture.read(blob, offset, bytes).isEmpty(), "number " + n + " cannot be read");
        bytes.clear().limit(VALUE_BYTES);
        int wrong = bytes.mismatch(value(n));
        require(wrong < 0, "number " + n + " has other bytes from " + wrong + " on");
    }

    private static ByteBuffer value(long n) {
        ByteBuffer bytes = ByteBuffer.allocate(VALUE_BYTES);
        while (bytes.hasRemaining()) bytes.putLong(n);
        return bytes.flip();
    }

    private static void require(boolean isRight, String what) {
        if (!isRight) throw new IllegalStateException(what);
    }

    private void write(long n) {
        if (kv(2).get(newestKey()) == null) kv(2).write(new KvBatch().put(newestKey(), key(n)), true);
        if (n % 5 == 0) kv(1).write(new KvBatch().put(key(n), key(n)), true);
        UUID other = new UUID(8, n % 3);
        if (n % 8 == 0) storage.reservePool(other, 1 << 20, 0);
        if (n % 8 == 4) storage.releasePool(other);
        KvBatch batch = new KvBatch().put(newestKey(), key(n)).put(key(n), key(place(n)));
        try (BufferPool.Buffer buffer = storage.buffers().take(VALUE_BYTES)) {
            buffer.bytes().put(0, value(n), 0, VALUE_BYTES);
            if (n % 3 > 0) batch.value(blob, place(n), buffer.bytes());
            else {
                batch.written(blob, place(n), VALUE_BYTES);
                require(NodeFixture.write(blob, place(n), buffer.bytes()).isEmpty(), "long value " + n);
                require(NodeFixture.flush(blob).isEmpty(), "flush of " + n);
            }
            kv(0).write(batch, true);
        }
    }

    /** Before the places of the merged values are written to again. Once more changes nothing. */
    private void merge(long block, Halter halter) {
        long first = block * BLOCK + MERGED;
        if (block < 0 || first < 1 || kv(0).get(mergedKey(block)) != null) return;
        KvBatch batch = new KvBatch();
        try (BufferPool.Buffer piece = storage.buffers().take(VALUE_BYTES);
                BufferPool.Buffer all = storage.buffers().take(MERGED * VALUE_BYTES)) {
            ByteBuffer bytes = all.bytes().limit(MERGED * VALUE_BYTES);
            for (int i = 0; i < MERGED; i++) {
                check(first + i, piece.bytes());
                bytes.put(i * VALUE_BYTES, piece.bytes(), 0, VALUE_BYTES);
                batch.delete(key(first + i));
            }
            batch.written(blob, slot(block), MERGED * VALUE_BYTES);
            require(NodeFixture.write(blob, slot(block), bytes).isEmpty(), "merged value " + block);
            require(NodeFixture.flush(blob).isEmpty(), "flush of merged value " + block);
        }
        batch.put(mergedKey(block), key(slot(block)));
        halter.run("merge", () -> {}, () -> {
            kv(0).write(batch, true);
            return true;
        });
    }

    private static boolean acknowledge(long n) {
        System.out.println(n);
        System.out.flush();
        return true;
    }

    /** Arguments: folder, last acknowledged number, point. */
    public static void main(String[] args) {
        TestChild.endWithParent();
        run(Path.of(args[0]), Long.parseLong(args[1]), Halter.Point.of(args[2]));
        System.exit(NOT_REACHED);
    }

    private static void run(Path folder, long acknowledged, Halter.Point point) {
        Halter halter = new Halter(point);
        NodeFixture f = new NodeFixture(folder, "daos_server", TARGETS, 30_000);
        f.drivers.scm().remove(f.pmem);
        f.drivers.scm().add(new HaltingScm(f.pmem, halter), Map.of());
        f.drivers.block().add(new HaltingBlocks(new NvmeSpdkDriver("1"), halter), Map.of());
        for (int t = 0; t < TARGETS; t++)
            if (point.stage().contains("target-" + t))
                TableWatch.start(folder.resolve("scm/target-" + t).toFile(), halter);
        EngineStorage storage = f.start().ready();
        halter.onStarted();
        StageWriter writer = new StageWriter(storage);
        long newest = writer.check(acknowledged);
        acknowledge(newest);
        if (f.node.rank().isEmpty()) f.node.assignRank(7).block(NodeFixture.DEADLINE);
        long startNs = System.nanoTime();
        for (long n = newest + 1; System.nanoTime() - startNs < MOST_NS; n++) {
            long number = n;
            if (n % BLOCK == 1) writer.merge(n / BLOCK - 1, halter);
            writer.write(n);
            halter.run("answer", () -> {}, () -> acknowledge(number));
        }
    }
}
