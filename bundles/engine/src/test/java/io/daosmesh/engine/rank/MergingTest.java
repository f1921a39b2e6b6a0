package io.daosmesh.engine.rank;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.daosmesh.engine.shard.PoolShard;
import io.daosmesh.engine.shard.ShardAddress;
import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.VosRecord;
import io.daosmesh.engine.vos.VosWriter;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.wire.FetchRequest;
import io.daosmesh.model.wire.ValueMessage;
import io.daosmesh.storage.PoolSpace;
import io.daosmesh.storage.bio.Extent;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Arrays that are overwritten in pieces, against a model that keeps each byte, while aggregation goes on and is interrupted. */
class MergingTest extends TargetFixture {
    private static final int ARRAY_BYTES = 600_000;
    private static final long TICK_NS = 50_000_000L;
    private static final byte[] DKEY = {'d'};
    private static final byte[] AKEY = {'a'};

    /** Bytes, and how far the array reaches. */
    private record Version(long epoch, long atNs, byte[] bytes, int end) {}

    private final PoolSpace space = new PoolSpace(pool, 0, scm, blob);
    private final ArrayDeque<Version> versions = new ArrayDeque<>();
    private final ArrayDeque<Runnable> device = new ArrayDeque<>();
    private byte[] bytes = new byte[ARRAY_BYTES];
    private boolean[] isData = new boolean[ARRAY_BYTES];
    private long updates;

    private PoolShard begin() {
        target.open(List.of());
        target.create(space, map(1, TargetState.UPIN), 4096, f -> assertEquals(null, f));
        loop.drain();
        return shard();
    }

    private PoolShard shard() {
        PoolShard s = target.shard(pool);
        if (s == null) throw new IllegalStateException("no shard");
        return s;
    }

    private void write(int level, List<ValueMessage> values, byte[] data) {
        ShardAddress a = new ShardAddress(pool, new UUID(2, 2), single, 0, 1);
        WriteOp op =
                new WriteOp(a, level, DKEY, values, ByteBuffer.wrap(data), new WriteOp.Dtx(id(++updates), 0, 0, false));
        List<String> out = new ArrayList<>();
        long[] epoch = new long[1];
        target.write(op, (e, f) -> {
            out.add(f == null ? "ok" : f.toString());
            if (e != null) epoch[0] = e;
        });
        settle();
        assertEquals(List.of("ok"), out);
        remember(epoch[0]);
    }

    /** Everything that was held back goes on. */
    private void settle() {
        loop.drain();
        while (loop.hasCommits() || !device.isEmpty()) {
            while (!device.isEmpty()) device.remove().run();
            loop.drain();
            if (loop.hasCommits()) loop.releaseCommit();
        }
    }

    private void remember(long epoch) {
        versions.addLast(new Version(epoch, nowNs, bytes.clone(), end()));
        while (nowNs - versions.getFirst().atNs > 7_000_000_000L) versions.removeFirst();
    }

    private int end() {
        int end = ARRAY_BYTES;
        while (end > 0 && !isData[end - 1]) end--;
        return end;
    }

    private static ValueMessage.Builder value(int offset, int length) {
        return ValueMessage.newBuilder()
                .setAkey(ByteString.copyFrom(AKEY))
                .setKind(1)
                .setOffset(offset)
                .setLength(length);
    }

    private void update(Random random, int offset, int length) {
        byte[] data = new byte[length];
        random.nextBytes(data);
        System.arraycopy(data, 0, bytes, offset, length);
        Arrays.fill(isData, offset, offset + length, true);
        int crc = VosWriter.crc(ByteBuffer.wrap(data));
        write(WriteOp.UPDATE, List.of(value(offset, length).setCrc32C(crc).build()), data);
    }

    private void punch(int offset, int length) {
        Arrays.fill(bytes, offset, offset + length, (byte) 0);
        Arrays.fill(isData, offset, offset + length, false);
        write(WriteOp.EXTENTS, List.of(value(offset, length).build()), new byte[0]);
    }

    private void punchAkey() {
        bytes = new byte[ARRAY_BYTES];
        isData = new boolean[ARRAY_BYTES];
        ValueMessage v =
                ValueMessage.newBuilder().setAkey(ByteString.copyFrom(AKEY)).build();
        write(WriteOp.AKEYS, List.of(v), new byte[0]);
    }

    private void change(Random random) {
        int roll = random.nextInt(1_000);
        int longest = roll % 3 == 0 ? 60_000 : roll % 3 == 1 ? 9_000 : 300;
        int length = 1 + random.nextInt(longest);
        int offset = random.nextInt(ARRAY_BYTES - length);
        if (roll == 999) punchAkey();
        else if (roll > 930) punch(offset, length);
        else update(random, offset, length);
    }

    /** Of all of the array, at an epoch; 0 = now. */
    private void compare(long epoch, byte[] expected, int end) {
        FetchRequest r = FetchRequest.newBuilder()
                .setAddress(new ShardAddress(pool, new UUID(2, 2), single, 0, 1).toWire(0))
                .setDkey(ByteString.copyFrom(DKEY))
                .addValues(value(0, ARRAY_BYTES))
                .setEpoch(epoch)
                .build();
        List<String> out = new ArrayList<>();
        target.fetch(r, (v, f) -> {
            out.add(f == null ? "ok" : f.toString());
            if (v == null) return;
            byte[] found = new byte[v.data().remaining()];
            v.data().duplicate().get(found);
            assertArrayEquals(Arrays.copyOf(expected, end), found);
            v.onDone().run();
        });
        settle();
        assertEquals(List.of("ok"), out);
    }

    private void compare() {
        compare(0, bytes, end());
        for (Version v : versions) if (nowNs - v.atNs < 7_000_000_000L) compare(v.epoch, v.bytes, v.end);
    }

    private void tick() {
        nowNs += TICK_NS;
        target.onTick();
        loop.drain();
    }

    private List<VosRecord> records() {
        List<VosRecord> all = new ArrayList<>();
        try (KvCursor c = kv.cursor(KvRange.prefix(Keys.records(pool)))) {
            while (c.next()) all.add(VosRecord.decode(c.key(), c.value()));
        }
        return all;
    }

    /** The target's accounts are those of its records. */
    private void assertAccounts() {
        long scmBytes = 0;
        long deviceBytes = 0;
        for (VosRecord r : records()) {
            scmBytes += r.scmBytes();
            for (Extent e : r.pieces()) deviceBytes += e.lengthBytes();
        }
        assertEquals(scmBytes, scm.usedBytes());
        assertEquals(deviceBytes, blob.allocator().usedBytes());
    }

    private void assertCompact() {
        int holes = 0;
        int runs = 0;
        long visible = 0;
        for (VosRecord r : records()) if (r.isPunch()) holes++;
        for (int i = 0; i < ARRAY_BYTES; i++) {
            if (isData[i]) visible++;
            if (isData[i] && (i == 0 || !isData[i - 1])) runs++;
        }
        // a record less is worth 64 KiB of copying, and half of what an extent takes may be garbage
        long most = holes + 2L * runs + visible / (32 << 10) + 4;
        assertTrue(records().size() <= most, records().size() + " records, " + runs + " runs, " + holes + " holes");
        long room = visible * 3 / 2 + 4096L * records().size();
        assertTrue(blob.allocator().usedBytes() <= room, blob.allocator().usedBytes() + " bytes for " + visible);
    }

    private void crash() {
        loop.crash();
        device.clear();
        blob.forget();
        target = open();
        target.open(List.of(space));
        target.onMap(map(1, TargetState.UPIN));
        loop.drain();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void shouldShowWhatTheModelHoldsWhateverComesBetween(long seed) {
        Random random = new Random(seed);
        PoolShard first = begin();
        boolean hasCrashes = seed % 2 == 0;
        long merged = 0;

        for (int round = 0; round < 25; round++) {
            for (int i = 0; i < 12; i++) change(random);
            compare();
            // each may end the round with a merge under way
            boolean holdsReads = random.nextInt(3) == 0;
            blob.device = holdsReads ? device::add : Runnable::run;
            loop.holdsCommits = random.nextInt(3) == 0;
            int ticks = random.nextInt(600);
            for (int i = 0; i < ticks; i++) {
                tick();
                if (random.nextInt(20) == 0) settle();
            }
            merged += first == shard() ? 0 : shard().counters().mergedRecords.get();
            if (hasCrashes && random.nextInt(4) == 0) crash();
            if (random.nextInt(3) == 0) change(random);
            settle();
            loop.holdsCommits = false;
            blob.device = Runnable::run;
            compare();
        }
        for (int i = 0; i < 5_000; i++) tick();

        versions.clear();
        compare();
        assertAccounts();
        assertCompact();
        assertTrue(merged + shard().counters().mergedRecords.get() > 0, "something was merged");
        if (!hasCrashes) assertEquals(0, buffers.usedBytes());
    }

    @Test
    void shouldGiveBackWhatIsCoveredOfAnExtent() {
        Random random = new Random(7);
        begin();
        update(random, 0, 400_000);
        update(random, 1_000, 396_000);

        for (int i = 0; i < 2_000; i++) tick();

        compare(0, bytes, end());
        assertAccounts();
        assertEquals(1, records().size(), "one extent of all that is visible");
        assertTrue(blob.allocator().usedBytes() <= 401_408, blob.allocator().usedBytes() + " bytes");
    }

    @Test
    void shouldLeaveADamagedExtentAloneAndTellOfIt() {
        Random random = new Random(7);
        begin();
        for (int i = 0; i < 10; i++) update(random, 8_000 * i, 8_000);
        VosRecord damaged = records().get(3);
        blob.damage((int) damaged.pieces().get(0).offsetBytes() + 100);

        for (int i = 0; i < 2_000; i++) tick();

        byte[] there = kv.get(damaged.key());
        assertArrayEquals(damaged.encode(), there);
        assertTrue(sent.contains("damage"), sent.toString());
        assertEquals(1, shard().counters().aggregationDamaged.get());
        assertTrue(shard().damaged().isKnown(damaged.key()));
        assertAccounts();
    }

    @Test
    void shouldKeepTheOldWhenTheIndexDoesNotTakeTheNew() {
        Random random = new Random(7);
        begin();
        for (int i = 0; i < 10; i++) update(random, 8_000 * i, 8_000);
        loop.failure = Fault.of(FaultCode.NOSPACE, "told to fail");

        for (int i = 0; i < 1_000; i++) tick();

        loop.failure = null;
        assertEquals(10, records().size());
        compare(0, bytes, end());
        assertAccounts();
        assertEquals(0, buffers.usedBytes());
    }
}
