package io.daosmesh.engine.rank;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.daosmesh.engine.history.Holdings;
import io.daosmesh.engine.shard.Access;
import io.daosmesh.engine.shard.Leases;
import io.daosmesh.engine.shard.PoolShard;
import io.daosmesh.engine.shard.ShardAddress;
import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.engine.space.Leftovers;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.time.Hlc;
import io.daosmesh.model.wire.DtxRefMessage;
import io.daosmesh.model.wire.FetchRequest;
import io.daosmesh.model.wire.ValueMessage;
import io.daosmesh.storage.PoolSpace;
import io.daosmesh.storage.kv.KvBatch;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** What rebuild and readers meet after failures. */
class RecoveryTest extends TargetFixture {
    private static PoolMap states(int version, TargetState first, TargetState second) {
        return new PoolMap(
                new UUID(1, 1),
                version,
                List.of(
                        new PoolTarget(0, 0, 0, "/a", first, false, version),
                        new PoolTarget(1, 1, 0, "/b", second, false, version)));
    }

    /** Prepared here by the leader of map 1, which is target 1. */
    private long prepare(ObjectId oid, DtxRefMessage.Builder ref) {
        long epoch = hlc.now();
        target.shardWrite(write(oid, "a", 100, 1, id(1)).withEpoch(epoch, 1), f -> assertNull(f));
        loop.drain();
        ref.setDtx(WriteOp.dtxMessage(id(1))).setEpoch(epoch);
        return epoch;
    }

    @Test
    void shouldReachTheFenceWhenAnOpenUpdateHasNoHolderLeftToDecideIt() {
        ObjectId oid = ledBySecond(ObjectClass.RP_2);
        start(map(1, TargetState.UPIN));
        prepare(oid, DtxRefMessage.newBuilder());
        target.onMap(states(4, TargetState.UP, TargetState.DOWN));
        loop.drain();
        List<String> fence = new ArrayList<>();

        target.fence(
                pool, 4, (v, f) -> fence.add(f == null ? "fenced" : f.code().name()));
        target.onTick();
        loop.drain();

        assertEquals(List.of("fenced"), fence);
        assertTrue(sent.isEmpty(), sent.toString());
    }

    @Test
    void shouldLetAReaderAtAnEpochWaitForTheOutcomeOfAnUpdate() {
        ObjectId oid = ledBySecond(ObjectClass.RP_2);
        start(map(1, TargetState.UPIN));
        DtxRefMessage.Builder ref = DtxRefMessage.newBuilder();
        prepare(oid, ref);
        nowNs += 1_000_000L;
        List<String> out = fetchAt(oid, hlc.now());
        assertEquals(List.of(), out);

        target.commit(pool, List.of(ref.build()));
        loop.drain();

        assertEquals(List.of("100 bytes"), out);
    }

    /** Versions of that time may have been dropped: the answer could be an older one than what was acknowledged. */
    @Test
    void shouldRefuseAReadAtAnEpochThatIsTooOld() {
        ObjectId oid = ledBySecond(ObjectClass.RP_2);
        start(map(1, TargetState.UPIN));
        DtxRefMessage.Builder ref = DtxRefMessage.newBuilder();
        prepare(oid, ref);
        target.commit(pool, List.of(ref.build()));
        loop.drain();
        nowNs += 1_000_000L;
        long epoch = hlc.now();

        assertEquals(List.of("100 bytes"), fetchAt(oid, epoch));
        nowNs += Access.READ_AGE_NS + 1_000_000L;
        assertEquals(List.of("AGAIN"), fetchAt(oid, epoch));
        assertEquals(List.of("100 bytes"), fetchAt(oid, hlc.now()));
    }

    private List<String> fetchAt(ObjectId oid, long epoch) {
        FetchRequest r = FetchRequest.newBuilder()
                .setAddress(new ShardAddress(pool, new UUID(2, 2), oid, 0, 1).toWire(0))
                .setDkey(ByteString.copyFromUtf8("a"))
                .addValues(ValueMessage.newBuilder().setAkey(ByteString.copyFromUtf8("v")))
                .setEpoch(epoch)
                .build();
        List<String> out = new ArrayList<>();
        target.fetch(r, (v, f) -> {
            out.add(f == null ? v.data().remaining() + " bytes" : f.code().name());
            if (v != null) v.onDone().run();
        });
        loop.drain();
        return out;
    }

    @Test
    void shouldClearPastADamagedRecord() {
        ObjectId oid = ledBySecond(ObjectClass.RP_2);
        start(map(1, TargetState.UPIN));
        DtxRefMessage.Builder ref = DtxRefMessage.newBuilder();
        prepare(oid, ref);
        target.commit(pool, List.of(ref.build()));
        loop.drain();
        byte[] key = firstRecord();
        kv.write(new KvBatch().put(key, new byte[] {1}), true);

        target.onMap(states(3, TargetState.UP, TargetState.UPIN));
        loop.drain();
        assertEquals(PoolShard.State.SERVING, target.shard(pool).state());
        ShardAddress a = new ShardAddress(pool, new UUID(2, 2), oid, 0, 3);
        target.clear(new Leftovers.Wanted(a, List.of(), hlc.now()), fault -> sent.add("cleared"));
        loop.drain();

        assertNull(kv.get(key));
        assertTrue(sent.contains("cleared"));
        assertTrue(sent.contains("damage"));
    }

    private byte[] firstRecord() {
        try (KvCursor c = kv.cursor(KvRange.prefix(Keys.records(pool)))) {
            assertTrue(c.next());
            return c.key();
        }
    }

    /** What is stored is no worse for a clock that was set back, or is slow. */
    @Test
    void shouldServeWhatAClockThatIsBehindHasWritten() {
        start(map(1, TargetState.UPIN));
        outcome(a -> target.write(write(single, "a", 10, 1, id(1)), a));
        long written = hlc.peek();
        wallNs -= 5_000_000_000L;
        hlc = clock();

        target = open();
        target.open(List.of(new PoolSpace(pool, 0, scm, blob)));

        assertEquals(PoolShard.State.SERVING, target.shard(pool).state());
        assertTrue(foundEpoch > written - Hlc.EPSILON && foundEpoch <= written);
        wallNs = 0;
        hlc.merge(foundEpoch);
        target.onMap(map(2, TargetState.UPIN));
        assertEquals("10 bytes", fetch(single, "a", 2));
    }

    /** Nobody may know by then how it has ended. */
    @Test
    void shouldCountWhatWasOpenWhenItLeftAsMissing() {
        ObjectId oid = ledBySecond(ObjectClass.RP_2);
        start(map(1, TargetState.UPIN));
        prepare(oid, DtxRefMessage.newBuilder());

        target.onMap(states(3, TargetState.UP, TargetState.UPIN));
        loop.drain();

        List<Holdings.Held> held = new ArrayList<>();
        target.held(pool, List.of(new ShardAddress(pool, new UUID(2, 2), oid, 0, 3)), (v, f) -> held.addAll(v));
        loop.drain();
        assertEquals(1, held.get(0).asOf());
        assertEquals("a", new String(held.get(0).dkeys().get(0)));
    }

    private List<Holdings.Held> held(ObjectId oid, int version) {
        List<Holdings.Held> held = new ArrayList<>();
        target.held(pool, List.of(new ShardAddress(pool, new UUID(2, 2), oid, 0, version)), (v, f) -> held.addAll(v));
        loop.drain();
        return held;
    }

    @Test
    void shouldHoldNothingWhenItsDeviceWasReplacedWhileItWasOut() {
        ObjectId oid = ledBySecond(ObjectClass.RP_2);
        start(map(1, TargetState.UPIN));
        DtxRefMessage.Builder ref = DtxRefMessage.newBuilder();
        prepare(oid, ref);
        target.commit(pool, List.of(ref.build()));
        target.onMap(states(2, TargetState.DOWN, TargetState.UPIN));
        loop.drain();

        blob.blobId++;
        target.onMap(states(4, TargetState.UP, TargetState.UPIN));
        loop.drain();

        assertEquals(List.of(Holdings.Held.NOTHING), held(oid, 4));
        target = open();
        target.open(List.of(new PoolSpace(pool, 0, scm, blob)));
        target.onMap(states(4, TargetState.UP, TargetState.UPIN));
        assertEquals(List.of(Holdings.Held.NOTHING), held(oid, 4), "also after a restart");
    }

    /** The engine was not there, or did not get to it. */
    @Test
    void shouldNoticeAfterARestartThatItsDeviceWasReplaced() {
        ObjectId oid = ledBySecond(ObjectClass.RP_2);
        start(map(1, TargetState.UPIN));
        target.onMap(states(2, TargetState.DOWN, TargetState.UPIN));
        loop.drain();
        blob.blobId++;

        target = open();
        target.open(List.of(new PoolSpace(pool, 0, scm, blob)));
        target.onMap(states(4, TargetState.UP, TargetState.UPIN));
        loop.drain();

        assertEquals(List.of(Holdings.Held.NOTHING), held(oid, 4));
    }

    /** Of a release that did not note its blob. */
    @Test
    void shouldHoldWhatItHeldWhenAnOlderReleaseHasWrittenItsMarker() {
        ObjectId oid = ledBySecond(ObjectClass.RP_2);
        start(map(1, TargetState.UPIN));
        target.onMap(states(2, TargetState.DOWN, TargetState.UPIN));
        loop.drain();
        byte[] marker = kv.get(Keys.marker(pool));
        kv.write(new KvBatch().put(Keys.marker(pool), java.util.Arrays.copyOf(marker, 18)), true);

        target = open();
        target.open(List.of(new PoolSpace(pool, 0, scm, blob)));
        target.onMap(states(4, TargetState.UP, TargetState.UPIN));
        loop.drain();

        assertEquals(1, held(oid, 4).get(0).asOf());
        assertEquals(26, kv.get(Keys.marker(pool)).length);
    }

    @Test
    void shouldLogWhatChangesWhileAnotherTargetIsAway() {
        ObjectId oid = ledBySecond(ObjectClass.RP_2);
        start(map(1, TargetState.UPIN));
        DtxRefMessage.Builder ref = DtxRefMessage.newBuilder();
        prepare(oid, ref);
        target.commit(pool, List.of(ref.build()));
        loop.drain();
        target.onMap(states(2, TargetState.UPIN, TargetState.DOWN));
        assertEquals(List.of("ok"), outcome(a -> target.write(write(oid, "b", 10, 2, id(7)), a)));

        target.onMap(states(3, TargetState.UPIN, TargetState.UP));

        assertEquals(List.of("b"), changes(oid, 1));
        assertEquals(List.of(), changes(oid, 2));
        assertEquals(List.of("all"), changes(oid, 0));
    }

    private List<String> changes(ObjectId oid, int since) {
        List<String> out = new ArrayList<>();
        ShardAddress a = new ShardAddress(pool, new UUID(2, 2), oid, 0, 3);
        target.changes(pool, List.of(a), List.of(since), (v, f) -> {
            if (v.get(0).isAll()) out.add("all");
            for (byte[] dkey : v.get(0).dkeys()) out.add(new String(dkey));
        });
        loop.drain();
        return out;
    }

    @Test
    void shouldKeepUpdatesBackWhileAFormerLeaderMayRead() {
        ObjectId oid = ledBySecond(ObjectClass.RP_2);
        start(map(1, TargetState.UPIN));
        prepare(oid, DtxRefMessage.newBuilder());
        leases.leftNs.put(1, 500_000_000L);
        target.onMap(states(2, TargetState.UPIN, TargetState.DOWN));

        List<String> out = outcome(a -> target.write(write(oid, "b", 10, 2, id(7)), a));
        target.onTick();
        loop.drain();
        assertEquals(List.of(), out, "it waits");
        assertEquals("INPROGRESS", fetch(oid, "a", 2), "what the former leader may not show yet is not settled");
        leases.leftNs.clear();
        target.onTick();
        loop.drain();

        assertEquals(List.of("ok"), out);
        assertEquals("100 bytes", fetch(oid, "a", 2));
    }

    /** Who led by map 2 did not come here, and may hold a lease that was granted by map 1. */
    @Test
    void shouldKeepUpdatesBackForAnyLeaderWhenAMapIsMissing() {
        start(map(1, TargetState.UPIN));
        leases.leftNs.put(Leases.ANY_RANK, 500_000_000L);
        target.onMap(states(3, TargetState.UPIN, TargetState.DOWN));

        List<String> out = outcome(a -> target.write(write(twice, "b", 10, 3, id(7)), a));
        target.onTick();
        loop.drain();
        assertEquals(List.of(), out, "it waits");
        leases.leftNs.clear();
        target.onTick();
        loop.drain();

        assertEquals(List.of("ok"), out);
    }

    /** Who is filled from here may lead without knowing of the leases given here. */
    @Test
    void shouldNotPassTheFenceWhileALeaseFromHereCounts() {
        start(map(1, TargetState.UPIN));
        leases.leftNs.put(Leases.ANY_RANK, 500_000_000L);
        target.onMap(states(2, TargetState.UPIN, TargetState.DOWN));
        List<String> fence = new ArrayList<>();

        target.fence(
                pool, 2, (v, f) -> fence.add(f == null ? "fenced" : f.code().name()));
        target.onTick();
        assertEquals(List.of(), fence, "it waits");
        leases.leftNs.clear();
        target.onTick();

        assertEquals(List.of("fenced"), fence);
    }

    @Test
    void shouldNotServeAnOlderMapThanBeforeARestart() {
        start(map(1, TargetState.UPIN));
        target.onMap(map(5, TargetState.UPIN));
        loop.drain();
        sent.clear();
        leases.adopted.clear();

        target = open();
        target.open(List.of(new PoolSpace(pool, 0, scm, blob)));
        target.onMap(map(4, TargetState.UPIN));

        assertEquals(0, target.shard(pool).mapVersion());
        assertEquals(List.of(5), leases.adopted, "and nobody with an older one is granted a lease");
        assertTrue(sent.contains("map 5"));
    }
}
