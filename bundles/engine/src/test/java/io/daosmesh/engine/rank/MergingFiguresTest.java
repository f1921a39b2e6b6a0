package io.daosmesh.engine.rank;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.daosmesh.engine.fake.MemoryBlob;
import io.daosmesh.engine.shard.PoolShard;
import io.daosmesh.engine.shard.ShardAddress;
import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.VosWriter;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.wire.FetchRequest;
import io.daosmesh.model.wire.ValueMessage;
import io.daosmesh.storage.PoolSpace;
import io.daosmesh.storage.SpaceAccount;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/**
 * What aggregation makes of an array that is overwritten in pieces of 4 to 64 KiB, as figures: {@code -Dfigures.mib=64
 * -Dfigures.writes=20000} for those of the decision note. Device and index are in memory.
 */
class MergingFiguresTest extends TargetFixture {
    private static final int MIB = 1 << 20;
    private static final int ARRAY_MIB = Integer.getInteger("figures.mib", 4);
    private static final int WRITES = Integer.getInteger("figures.writes", 1_250);
    private static final byte[] KEY = {'k'};

    private final AtomicLong deviceReads = new AtomicLong();

    private final MemoryBlob device = new MemoryBlob(Math.toIntExact(ARRAY_MIB * 2L * MIB + WRITES * 36L * 1024));

    private record Figures(int records, long bytes, double readsPerFetch, double microsPerFetch) {}

    private ValueMessage.Builder value(long offset, int length) {
        return ValueMessage.newBuilder()
                .setAkey(ByteString.copyFrom(KEY))
                .setKind(1)
                .setOffset(offset)
                .setLength(length);
    }

    private void write(long n, long offset, byte[] data) {
        ShardAddress a = new ShardAddress(pool, new UUID(2, 2), single, 0, 1);
        ValueMessage v = value(offset, data.length)
                .setCrc32C(VosWriter.crc(ByteBuffer.wrap(data)))
                .build();
        WriteOp op = new WriteOp(
                a, WriteOp.UPDATE, KEY, List.of(v), ByteBuffer.wrap(data), new WriteOp.Dtx(id(n), 0, 0, false));
        assertEquals(List.of("ok"), outcome(answer -> target.write(op, answer)));
        nowNs += 1_000_000L;
    }

    private void fetch(int version, long offset) {
        FetchRequest r = FetchRequest.newBuilder()
                .setAddress(new ShardAddress(pool, new UUID(2, 2), single, 0, version).toWire(0))
                .setDkey(ByteString.copyFrom(KEY))
                .addValues(value(offset, MIB))
                .build();
        target.fetch(r, (v, f) -> {
            assertEquals(null, f);
            if (v != null) v.onDone().run();
        });
        loop.drain();
    }

    private Figures figures(String when, int version) {
        int records = 0;
        try (KvCursor c = kv.cursor(KvRange.prefix(Keys.records(pool)))) {
            while (c.next()) records++;
        }
        Random random = new Random(3);
        int fetches = 200;
        for (int i = 0; i < fetches; i++) fetch(version, random.nextInt((ARRAY_MIB - 1) * MIB));
        deviceReads.set(0);
        long begun = System.nanoTime();
        for (int i = 0; i < fetches; i++) fetch(version, random.nextInt((ARRAY_MIB - 1) * MIB));
        double micros = (System.nanoTime() - begun) / 1000.0 / fetches;
        Figures f = new Figures(records, device.allocator().usedBytes(), (double) deviceReads.get() / fetches, micros);
        System.out.printf(
                "%-22s %6d records %5.1f MiB on the device, a fetch of 1 MiB: %5.1f reads, %7.0f us%n",
                when, f.records, (double) f.bytes / MIB, f.readsPerFetch, f.microsPerFetch);
        return f;
    }

    private void seconds(int count) {
        for (int i = 0; i < 20 * count; i++) {
            nowNs += 50_000_000L;
            target.onTick();
            loop.drain();
        }
    }

    @Test
    void shouldMakeFewExtentsOfMany() {
        PoolSpace space = new PoolSpace(pool, 0, new SpaceAccount(64 << 20), device);
        target.open(List.of());
        target.create(space, map(1, TargetState.UPIN), 4096, f -> assertEquals(null, f));
        loop.drain();
        device.device = r -> {
            deviceReads.incrementAndGet();
            r.run();
        };
        Random random = new Random(1);
        for (int i = 0; i < ARRAY_MIB; i++) write(i + 1, (long) i * MIB, new byte[MIB]);
        for (int i = 0; i < WRITES; i++) {
            byte[] data = new byte[4096 + random.nextInt(61_441)];
            random.nextBytes(data);
            write(ARRAY_MIB + 1L + i, random.nextInt(ARRAY_MIB * MIB - data.length), data);
        }

        figures("as written", 1);
        target.onMap(map(2, TargetState.DOWN));
        loop.drain();
        seconds(120);
        Figures dropped = figures("hidden ones dropped", 2);
        target.onMap(map(3, TargetState.UPIN));
        loop.drain();
        seconds(600);
        Figures merged = figures("and others merged", 3);

        PoolShard shard = target.shard(pool);
        System.out.printf(
                "%d written anew, %.1f MiB copied%n",
                shard.counters().mergedRecords.get(),
                (double) shard.counters().mergedBytes.get() / MIB);
        assertTrue(merged.records <= 3 * ARRAY_MIB, merged + " of " + dropped);
        assertTrue(merged.bytes <= (ARRAY_MIB + 1L) * MIB * 3 / 2, merged.toString());
        assertTrue(merged.readsPerFetch <= 5, merged.toString());
    }
}
