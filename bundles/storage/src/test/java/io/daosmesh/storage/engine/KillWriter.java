package io.daosmesh.storage.engine;

import io.daosmesh.storage.Blob;
import io.daosmesh.storage.BufferPool;
import io.daosmesh.storage.EngineStorage;
import io.daosmesh.storage.TargetStorage;
import io.daosmesh.storage.bio.Extent;
import io.daosmesh.storage.kv.KvBatch;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.UUID;

/**
 * Writes as an engine does until it is killed: a value, in the batch or directly and flushed, synced batch with its place, then
 * the number on standard output. In between it reserves and releases pools.
 */
final class KillWriter {
    static final UUID POOL = new UUID(7, 7);

    private KillWriter() {}

    static byte[] key(long n) {
        return ByteBuffer.allocate(8).putLong(n).array();
    }

    /** Through the log or directly: the same place goes both ways, in turn. */
    private static boolean write(Blob blob, Extent at, ByteBuffer bytes, boolean isShort, KvBatch batch) {
        if (isShort) {
            batch.value(blob, at.offsetBytes(), bytes);
            return true;
        }
        batch.written(blob, at.offsetBytes(), at.lengthBytes());
        return NodeFixture.write(blob, at.offsetBytes(), bytes).isEmpty()
                && NodeFixture.flush(blob).isEmpty();
    }

    public static void main(String[] args) {
        TestChild.endWithParent();
        NodeFixture f = new NodeFixture(Path.of(args[0]), "daos_server", 2, 30_000);
        f.addDriver("1");
        EngineStorage storage = f.start().ready();
        storage.reservePool(POOL, 1 << 20, 16 << 20);
        TargetStorage target = storage.target(0);
        Blob blob = target.pool(POOL).blob();
        long first = Long.parseLong(args[1]);
        byte[] padding = new byte[Integer.parseInt(args[2])];
        try (BufferPool.Buffer buffer = storage.buffers().take(8192)) {
            for (long n = first; ; n++) {
                // a ring of fixed places: what a crash tears is never acknowledged
                Extent extent = new Extent(n % 1000 * 8192, 8192);
                for (int i = 0; i < 8192; i += 8) buffer.bytes().putLong(i, n);
                byte[] value =
                        ByteBuffer.allocate(8).putLong(extent.offsetBytes()).array();
                KvBatch batch = new KvBatch().put(key(n), value).put(new byte[] {1}, key(n));
                if (!write(blob, extent, buffer.bytes(), n % 3 > 0, batch)) return;
                if (padding.length > 0) batch.put(new byte[] {2, (byte) (n % 50)}, padding);
                target.kv().write(batch, true);
                System.out.println(n);
                System.out.flush();
                UUID other = new UUID(8, n % 3);
                if (n % 20 == 0) storage.reservePool(other, 1 << 20, 1 << 20);
                if (n % 20 == 10) storage.releasePool(other);
            }
        }
    }
}
