package io.daosmesh.engine.rank;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.daosmesh.engine.shard.ShardAddress;
import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.VosRecord;
import io.daosmesh.engine.vos.VosWriter;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.wire.FetchRequest;
import io.daosmesh.model.wire.ValueMessage;
import io.daosmesh.storage.kv.KvBatch;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** A fetch of very many extents takes several turns of the loop, and shows what was visible in the first one. */
class LongFetchTest extends TargetFixture {
    private static final int EXTENTS = 10_000;

    private void scatter(ObjectId oid) {
        byte[] group = new ShardAddress(pool, new UUID(2, 2), oid, 0, 1).groupPrefix();
        byte[] akey = Keys.under(Keys.under(group, "k".getBytes()), "x".getBytes());
        KvBatch batch = new KvBatch();
        for (int i = 0; i < EXTENTS; i++) {
            byte[] bytes = {(byte) i, (byte) (i >> 8)};
            byte[] key = Keys.extent(akey, hlc.now(), VosRecord.EXTENT, 2L * i, 2);
            int crc = VosWriter.crc(ByteBuffer.wrap(bytes));
            batch.put(
                    key,
                    VosRecord.inline(key, VosRecord.EXTENT, 2L * i, crc, bytes).encode());
        }
        kv.write(batch, false);
    }

    /** The array, then a single value of the same dkey. */
    private List<String> begin(ObjectId oid) {
        FetchRequest r = FetchRequest.newBuilder()
                .setAddress(new ShardAddress(pool, new UUID(2, 2), oid, 0, 1).toWire(0))
                .setDkey(ByteString.copyFromUtf8("k"))
                .addValues(ValueMessage.newBuilder()
                        .setAkey(ByteString.copyFromUtf8("x"))
                        .setKind(1)
                        .setLength(2 * EXTENTS))
                .addValues(ValueMessage.newBuilder().setAkey(ByteString.copyFromUtf8("v")))
                .build();
        List<String> out = new ArrayList<>();
        target.fetch(r, (v, f) -> {
            if (v == null) {
                out.add(f == null ? "nothing" : f.code().name());
                return;
            }
            ByteBuffer data = v.data();
            for (int i = 0; i < EXTENTS; i++)
                assertEquals((short) i, Short.reverseBytes(data.getShort(data.position() + 2 * i)));
            out.add(v.values().get(1).getAbsent() ? "absent" : v.values().get(1).getLength() + " bytes");
            v.onDone().run();
        });
        return out;
    }

    @Test
    void shouldLeaveTheLoopToOthersMeanwhile() {
        start(map(1, TargetState.UPIN));
        scatter(single);

        List<String> out = begin(single);
        assertEquals(List.of(), out, "not in one turn");
        assertEquals(List.of("ok"), outcome(a -> target.write(write(single, "k", 100, 1, id(1)), a)));

        assertEquals(List.of("absent"), out, "the update is newer than the fetch");
        List<String> next = begin(single);
        loop.drain();
        assertEquals(List.of("100 bytes"), next);
        assertEquals(0, buffers.usedBytes());
    }

    @Test
    void shouldNotShowWhatIsCommittedBetweenItsTurns() {
        start(map(1, TargetState.UPIN));
        scatter(twice);
        List<String> written = new ArrayList<>();
        target.write(write(twice, "k", 100, 1, id(1)), (v, f) -> written.add(f == null ? "ok" : "failed"));
        loop.drain();

        List<String> out = begin(twice);
        replies.get(0).done(null);
        loop.drain();

        assertEquals(List.of("ok"), written);
        assertEquals(List.of("absent"), out, "it was open when the fetch began");
    }

    @Test
    void shouldEndWithTheMapThatItBeganUnder() {
        start(map(1, TargetState.UPIN));
        scatter(single);

        List<String> out = begin(single);
        target.onMap(map(2, TargetState.UPIN));
        loop.drain();

        assertEquals(List.of("STALE"), out);
    }

    @Test
    void shouldGiveUpInTime() {
        start(map(1, TargetState.UPIN));
        scatter(single);

        List<String> out = begin(single);
        nowNs += 2_000_000_000L;
        loop.drain();

        assertEquals(List.of("BUSY"), out);
    }

    @Test
    void shouldBoundThoseUnderWay() {
        start(map(1, TargetState.UPIN));
        scatter(single);

        List<List<String>> all = new ArrayList<>();
        for (int i = 0; i < 65; i++) all.add(begin(single));
        assertEquals(List.of("BUSY"), all.get(64));
        loop.drain();

        assertTrue(all.subList(0, 64).stream().allMatch(List.of("absent")::equals));
        List<String> next = begin(single);
        loop.drain();
        assertEquals(List.of("absent"), next);
    }

    /** Nothing of the array is visible any more, but that takes a look at more of it than a turn has time for. */
    private void scatterAndPunch(ObjectId oid) {
        byte[] group = new ShardAddress(pool, new UUID(2, 2), oid, 0, 1).groupPrefix();
        byte[] akey = Keys.under(Keys.under(group, "k".getBytes()), "x".getBytes());
        KvBatch batch = new KvBatch();
        for (int i = 0; i < 3 * EXTENTS; i++) {
            byte[] key = Keys.extent(akey, hlc.now(), VosRecord.PUNCH_EXTENT, 2L * i, 2);
            batch.put(
                    key, VosRecord.punch(key, VosRecord.PUNCH_EXTENT, 2L * i, 2).encode());
        }
        byte[] punch = Keys.record(akey, hlc.now(), VosRecord.PUNCH_AKEY);
        batch.put(punch, VosRecord.punch(punch, VosRecord.PUNCH_AKEY, 0, 0).encode());
        kv.write(batch, false);
    }

    private WriteOp insert(ObjectId oid, long id) {
        WriteOp w = write(oid, "k", "x", 100, 1, id(id));
        WriteOp.Dtx dtx = new WriteOp.Dtx(w.dtx().id(), 0, 1, false);
        return new WriteOp(w.address(), w.level(), w.dkey(), w.values(), w.data(), dtx);
    }

    @Test
    void shouldRefuseAConditionThatTakesTooLong() {
        start(map(1, TargetState.UPIN));
        scatterAndPunch(single);

        assertEquals(List.of("BUSY"), outcome(a -> target.write(insert(single, 1), a)));
    }

    @Test
    void shouldRefuseAConditionThatTakesTooLongAfterAWait() {
        start(map(1, TargetState.UPIN));
        scatterAndPunch(twice);
        List<String> before = new ArrayList<>();
        target.write(write(twice, "k", 100, 1, id(1)), (v, f) -> before.add(f == null ? "ok" : "failed"));
        loop.drain();

        List<String> out = outcome(a -> target.write(insert(twice, 2), a));
        assertEquals(List.of(), out, "another update of the key is open");
        replies.get(0).done(null);
        loop.drain();

        assertEquals(List.of("ok"), before);
        assertEquals(List.of("BUSY"), out);
    }
}
