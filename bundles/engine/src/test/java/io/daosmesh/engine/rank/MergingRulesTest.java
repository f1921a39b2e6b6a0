package io.daosmesh.engine.rank;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.daosmesh.engine.migrate.Migration;
import io.daosmesh.engine.shard.PoolShard;
import io.daosmesh.engine.shard.ShardAddress;
import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.VosRecord;
import io.daosmesh.engine.vos.VosWriter;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.DtxId;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.wire.DtxResolveRequest;
import io.daosmesh.model.wire.FetchRequest;
import io.daosmesh.model.wire.MigratedRecordMessage;
import io.daosmesh.model.wire.RecordPullRequest;
import io.daosmesh.model.wire.ValueMessage;
import io.daosmesh.storage.kv.KvBatch;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** What others may count on while aggregation puts extents together, and when it does not. */
class MergingRulesTest extends TargetFixture {
    private static final int PIECES = 10;
    private static final int PIECE_BYTES = 5_000;
    private static final byte[] DKEY = {'k'};
    private static final byte[] AKEY = {'x'};

    private final ObjectId ledThere = ledBySecond(ObjectClass.RP_2);
    private final List<Long> epochs = new ArrayList<>();
    private long updates;

    private static byte[] bytes(int seed, int length) {
        byte[] b = new byte[length];
        for (int i = 0; i < length; i++) b[i] = (byte) (seed + i);
        return b;
    }

    private static ValueMessage value(long offset, byte[] data) {
        return ValueMessage.newBuilder()
                .setAkey(ByteString.copyFrom(AKEY))
                .setKind(1)
                .setOffset(offset)
                .setLength(data.length)
                .setCrc32C(VosWriter.crc(ByteBuffer.wrap(data)))
                .build();
    }

    private WriteOp op(int level, ObjectId oid, int version, ValueMessage value, byte[] data) {
        ShardAddress a = new ShardAddress(pool, new UUID(2, 2), oid, 0, version);
        DtxId dtx = id(++updates);
        return new WriteOp(a, level, DKEY, List.of(value), ByteBuffer.wrap(data), new WriteOp.Dtx(dtx, 0, 0, false));
    }

    private void update(long offset, byte[] data) {
        write(op(WriteOp.UPDATE, single, shard().mapVersion(), value(offset, data), data));
    }

    private void write(WriteOp op) {
        List<String> out = new ArrayList<>();
        target.write(op, (e, f) -> {
            out.add(f == null ? "ok" : f.toString());
            if (e != null) epochs.add(e);
        });
        loop.drain();
        assertEquals(List.of("ok"), out);
    }

    /** Side by side, each an update of its own. */
    private void pieces() {
        for (int i = 0; i < PIECES; i++) update((long) i * PIECE_BYTES, bytes(i, PIECE_BYTES));
    }

    private PoolShard shard() {
        PoolShard s = target.shard(pool);
        if (s == null) throw new IllegalStateException("no shard");
        return s;
    }

    private void seconds(int count) {
        for (int i = 0; i < 20 * count; i++) {
            nowNs += 50_000_000L;
            target.onTick();
            loop.drain();
        }
    }

    private List<VosRecord> records() {
        List<VosRecord> all = new ArrayList<>();
        try (KvCursor c = kv.cursor(KvRange.prefix(Keys.records(pool)))) {
            while (c.next()) all.add(VosRecord.decode(c.key(), c.value()));
        }
        return all;
    }

    private byte[] fetched(ObjectId oid, long offset, int length) {
        FetchRequest r = FetchRequest.newBuilder()
                .setAddress(new ShardAddress(pool, new UUID(2, 2), oid, 0, shard().mapVersion()).toWire(0))
                .setDkey(ByteString.copyFrom(DKEY))
                .addValues(value(offset, new byte[length]))
                .setEpoch(hlc.now())
                .build();
        List<byte[]> out = new ArrayList<>();
        target.fetch(r, (v, f) -> {
            if (v == null) return;
            byte[] found = new byte[v.data().remaining()];
            v.data().duplicate().get(found);
            out.add(found);
            v.onDone().run();
        });
        loop.drain();
        assertEquals(1, out.size());
        return out.get(0);
    }

    private static PoolMap states(int version, TargetState first, TargetState second) {
        return new PoolMap(
                new UUID(1, 1),
                version,
                List.of(
                        new PoolTarget(0, 0, 0, "/a", first, false, version),
                        new PoolTarget(1, 1, 0, "/b", second, false, version)));
    }

    private String resolved(long epoch) {
        DtxResolveRequest r = DtxResolveRequest.newBuilder()
                .setAddress(new ShardAddress(pool, new UUID(2, 2), single, 0, shard().mapVersion()).toWire(0))
                .setDkey(ByteString.copyFrom(DKEY))
                .setDtx(WriteOp.dtxMessage(id(999)))
                .setEpoch(epoch)
                .build();
        List<String> out = new ArrayList<>();
        target.resolve(
                r, (v, f) -> out.add(f == null ? String.valueOf(v) : f.code().name()));
        loop.drain();
        return out.get(0);
    }

    /** Whoever has it prepared still would else drop what was acknowledged. */
    @Test
    void shouldFindTheTraceOfEachUpdateWhoseExtentWasPutTogether() {
        start(map(1, TargetState.UPIN));
        pieces();
        // hidden in part: what is left of its neighbour bears the same trace
        update(4_000, bytes(77, 500));
        long never = hlc.now();

        seconds(100);

        assertEquals(1, records().size());
        for (long epoch : epochs) assertEquals("2", resolved(epoch));
        assertEquals("0", resolved(never));
        update(0, bytes(5, PIECE_BYTES));
        update(PIECE_BYTES, bytes(6, PIECES * PIECE_BYTES / 2));
        seconds(100);
        assertEquals(1, records().size());
        assertEquals("0", resolved(epochs.get(0)), "nothing of it is visible any more");
        assertEquals("2", resolved(epochs.get(PIECES - 1)));
    }

    @Test
    void shouldCarryTheTracesToANewHome() {
        start(map(1, TargetState.UPIN));
        pieces();
        seconds(100);
        ShardAddress a = new ShardAddress(pool, new UUID(2, 2), single, 0, 1);
        List<Migration.Exported> out = new ArrayList<>();
        target.export(
                new Migration.Wanted(a, List.of(), hlc.now(), false, false),
                new byte[0],
                Migration.BATCH_BYTES_MAX,
                (v, f) -> out.add(v));
        loop.drain();
        MergingRulesTest there = new MergingRulesTest();
        there.start(map(1, TargetState.UPIN));
        there.nowNs = nowNs;

        Migration.Exported batch = out.get(0);
        there.target.importBatch(a, batch.records(), batch.data(), f -> assertEquals(null, f));
        there.loop.drain();
        batch.onDone().run();

        assertEquals(1, there.records().size());
        for (long epoch : epochs) assertEquals("2", there.resolved(epoch));
        assertArrayEquals(fetched(single, 0, 50_000), there.fetched(single, 0, 50_000));
        MigratedRecordMessage bent =
                batch.records().get(0).toBuilder().setOriginEpoch(3, 1).build();
        List<String> refused = new ArrayList<>();
        there.target.importBatch(
                a,
                List.of(bent),
                batch.data(),
                f -> refused.add(f == null ? "taken" : f.code().name()));
        assertEquals(List.of("CSUM"), refused);
    }

    /** A member's update at a given epoch; what it answers. */
    private String prepare(long offset, byte[] data, long epoch) {
        WriteOp op = op(WriteOp.UPDATE, ledThere, 1, value(offset, data), data);
        List<String> out = new ArrayList<>();
        target.shardWrite(
                op.withEpoch(epoch, 1), f -> out.add(f == null ? "ok" : f.code().name()));
        loop.drain();
        return out.get(0);
    }

    private void commit(long update, long epoch) {
        target.commit(pool, List.of(WriteOp.dtxRef(id(update), epoch)));
        loop.drain();
    }

    @Test
    void shouldLeaveADkeyAloneWhileAnUpdateOfItIsOpen() {
        start(map(1, TargetState.UPIN));
        long open = 0;
        long openUpdate = 0;
        for (int i = 0; i < PIECES; i++) {
            long epoch = hlc.now();
            assertEquals("ok", prepare((long) i * PIECE_BYTES, bytes(i, PIECE_BYTES), epoch));
            if (i != 5) {
                commit(updates, epoch);
                continue;
            }
            // put together the others would bear a newer epoch than this one, and hide it
            open = hlc.now();
            commit(updates, epoch);
            assertEquals("ok", prepare(2_000, bytes(99, 20_000), open));
            openUpdate = updates;
        }

        seconds(100);
        assertEquals(PIECES + 1, records().size());
        commit(openUpdate, open);
        seconds(100);

        assertEquals(1, records().size());
        assertArrayEquals(bytes(99, 20_000), fetched(ledThere, 2_000, 20_000));
    }

    @Test
    void shouldTakeNoUpdateThatIsOlderThanWhatIsPutTogether() {
        start(map(1, TargetState.UPIN));
        long early = hlc.now();
        assertEquals("ok", prepare(0, bytes(1, 100), hlc.now()));
        seconds(100);
        long late = hlc.now();

        assertEquals("AGAIN", prepare(0, bytes(2, 100), early));
        assertEquals("ok", prepare(0, bytes(3, 100), late));
    }

    @Test
    void shouldOnlyDropWhatIsHiddenWhileDataIsBeingMoved() {
        start(map(1, TargetState.UPIN));
        pieces();
        update(0, bytes(5, PIECE_BYTES));
        target.onMap(map(2, TargetState.DOWN));
        loop.drain();

        seconds(100);
        assertEquals(PIECES, records().size(), "the first of the pieces is hidden by the last");
        assertEquals(0, shard().counters().mergedRecords.get());
        target.onMap(map(3, TargetState.UPIN));
        loop.drain();
        seconds(100);

        assertEquals(1, records().size());
    }

    /** What a punch hides may come after it. */
    @Test
    void shouldDropNothingInAGroupThatIsBeingFilled() {
        start(map(1, TargetState.UPIN));
        byte[] dkey = Keys.under(Keys.group(pool, new UUID(2, 2), twice, 0), DKEY);
        byte[] punch = Keys.record(Keys.punches(dkey), hlc.now(), VosRecord.PUNCH_DKEY);
        KvBatch batch = new KvBatch();
        batch.put(punch, VosRecord.punch(punch, VosRecord.PUNCH_DKEY, 0, 0).encode());
        kv.write(batch, false);
        pieces();
        target.onMap(states(2, TargetState.UP, TargetState.UPIN));
        loop.drain();

        seconds(100);
        assertNotNull(kv.get(punch));
        target.onMap(states(3, TargetState.UPIN, TargetState.UPIN));
        loop.drain();
        seconds(100);

        assertEquals(null, kv.get(punch), "nothing is under it");
    }

    private void put(KvBatch batch, int kind, long epoch, long offset, byte[] data) {
        byte[] akey = Keys.under(Keys.under(Keys.group(pool, new UUID(2, 2), single, 0), DKEY), AKEY);
        byte[] key = Keys.extent(akey, epoch, kind, offset, data.length);
        VosRecord r = kind == VosRecord.EXTENT
                ? VosRecord.inline(key, kind, offset, VosWriter.crc(ByteBuffer.wrap(data)), data)
                : VosRecord.punch(key, kind, offset, data.length);
        batch.put(key, r.encode());
    }

    private List<byte[]> beginFetch(int length) {
        FetchRequest r = FetchRequest.newBuilder()
                .setAddress(new ShardAddress(pool, new UUID(2, 2), single, 0, 1).toWire(0))
                .setDkey(ByteString.copyFrom(DKEY))
                .addValues(value(0, new byte[length]))
                .build();
        List<byte[]> out = new ArrayList<>();
        target.fetch(r, (v, f) -> {
            assertEquals(null, f);
            if (v == null) return;
            byte[] found = new byte[v.data().remaining()];
            v.data().duplicate().get(found);
            out.add(found);
            v.onDone().run();
        });
        return out;
    }

    /** Most of each extent is punched; what is left of it is written anew, and lies before the place where the search stands. */
    @Test
    void shouldShowAFetchOfSeveralTurnsWhatChangesItsPlaceMeanwhile() {
        start(map(1, TargetState.UPIN));
        int count = 5_000;
        KvBatch before = new KvBatch();
        for (int i = 0; i < count; i++) put(before, VosRecord.EXTENT, i + 1, 300L * i, bytes(i, 300));
        for (int i = 0; i < count; i++) put(before, VosRecord.PUNCH_EXTENT, i + 1L + count, 300L * i, new byte[250]);
        kv.write(before, false);
        byte[] good = fetched(single, 0, 300 * count);
        KvBatch change = new KvBatch();
        for (VosRecord r : records()) if (r.kind() == VosRecord.EXTENT) change.delete(r.key());
        for (int i = 0; i < count; i++) put(change, VosRecord.EXTENT, i + 1, 300L * i + 250, bytes(i + 250, 50));

        shard().writer().beginReplacing();
        List<byte[]> out = beginFetch(300 * count);
        assertEquals(List.of(), out, "not in one turn");
        kv.write(change, false);
        shard().writer().endReplacing();
        loop.drain();

        assertArrayEquals(good, out.get(0));
        assertArrayEquals(good, fetched(single, 0, 300 * count));
    }

    @Test
    void shouldChangeNothingWhileAFetchGoesOn() {
        start(map(1, TargetState.UPIN));
        int count = 10_000;
        KvBatch batch = new KvBatch();
        for (int i = 0; i < count; i++) put(batch, VosRecord.EXTENT, hlc.now(), 20L * i, bytes(i, 20));
        kv.write(batch, false);
        assertEquals(List.of("ok"), outcome(a -> target.write(write(single, "other", 10, 1, id(1)), a)));
        byte[] good = fetched(single, 0, 20 * count);
        for (int i = 0; i < 60; i++) {
            nowNs += 1_000_000_000L;
            List<byte[]> out = beginFetch(20 * count);
            target.onTick();
            assertFalse(shard().writer().isReplacing());
            loop.drain();
            assertArrayEquals(good, out.get(0));
        }

        seconds(100);

        assertTrue(shard().counters().mergedRecords.get() >= count, "they go on when nobody searches");
        assertArrayEquals(good, fetched(single, 0, 20 * count));
    }

    private RecordPullRequest pull(ObjectId oid, long epoch, long offset, int length) {
        return RecordPullRequest.newBuilder()
                .setAddress(new ShardAddress(pool, new UUID(2, 2), oid, 0, 1).toWire(0))
                .setRecord(MigratedRecordMessage.newBuilder()
                        .setDkey(ByteString.copyFrom(DKEY))
                        .setAkey(ByteString.copyFrom(AKEY))
                        .setKind(VosRecord.EXTENT)
                        .setEpoch(epoch)
                        .setOffset(offset)
                        .setLength(length))
                .build();
    }

    @Test
    void shouldGiveOutTheBytesOfAnExtentThatItHasPutTogetherOtherwise() {
        start(map(1, TargetState.UPIN));
        pieces();
        seconds(100);
        List<byte[]> out = new ArrayList<>();

        target.record(pull(single, epochs.get(3), 3L * PIECE_BYTES, PIECE_BYTES), (v, f) -> {
            assertEquals(null, f);
            byte[] found = new byte[v.data().remaining()];
            v.data().duplicate().get(found);
            out.add(found);
            v.onDone().run();
        });
        List<String> refused = new ArrayList<>();
        target.record(
                pull(single, epochs.get(3), (long) PIECES * PIECE_BYTES, PIECE_BYTES),
                (v, f) -> refused.add(f == null ? "given" : f.code().name()));
        loop.drain();

        assertArrayEquals(bytes(3, PIECE_BYTES), out.get(0));
        assertEquals(List.of("NONEXIST"), refused);
        assertEquals(0, buffers.usedBytes());
    }

    /** Another replica has put it together with what is over it here. */
    @Test
    void shouldFetchWhatIsVisibleOfADamagedExtentPieceByPiece() {
        start(map(1, TargetState.UPIN));
        long first = hlc.now();
        byte[] good = bytes(1, 100_000);
        assertEquals("ok", prepare(0, good, first));
        commit(updates, first);
        long second = hlc.now();
        assertEquals("ok", prepare(40_000, bytes(2, 5_000), second));
        commit(updates, second);
        VosRecord damaged = records().stream()
                .filter(r -> r.length() == 100_000)
                .findFirst()
                .orElseThrow();
        blob.damage((int) damaged.pieces().get(0).offsetBytes() + 70_000);
        shard().damaged().found(damaged.key(), nowNs);

        for (int i = 0; i < 100 && !shard().damaged().isEmpty(); i++) {
            seconds(1);
            // of the whole extent, then of each part
            if (records.isEmpty()) continue;
            var answer = records.remove(0);
            answer.refuse(Fault.of(FaultCode.NONEXIST, "no such record"));
            loop.drain();
            if (records.isEmpty()) continue;
            boolean isHead = records().stream().noneMatch(r -> r.length() == 40_000);
            byte[] part = new byte[isHead ? 40_000 : 55_000];
            System.arraycopy(good, isHead ? 0 : 45_000, part, 0, part.length);
            records.remove(0).answer(ByteBuffer.wrap(part), null);
            loop.drain();
        }

        assertTrue(shard().damaged().isEmpty());
        System.arraycopy(bytes(2, 5_000), 0, good, 40_000, 5_000);
        assertArrayEquals(good, fetched(ledThere, 0, 100_000));
        seconds(100);
        assertFalse(records().stream().anyMatch(r -> r.length() == 100_000 && r.epoch() == first));
        assertArrayEquals(good, fetched(ledThere, 0, 100_000));
    }
}
