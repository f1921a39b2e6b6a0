package io.daosmesh.engine.rank;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.engine.shard.PoolShard;
import io.daosmesh.engine.shard.ShardAddress;
import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.VosRecord;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.DtxId;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.placement.Placement;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.wire.DtxRefMessage;
import io.daosmesh.model.wire.MigratedRecordMessage;
import io.daosmesh.storage.PoolSpace;
import io.daosmesh.storage.kv.KvBatch;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class TargetTest extends TargetFixture {
    @Test
    void shouldAnswerOnlyWhenEveryMemberIsDurableAndCommitInBatches() {
        start(map(1, TargetState.UPIN));

        List<String> first = outcome(a -> target.write(write(twice, "a", 5000, 1, id(1)), a));
        assertEquals(List.of("write 1"), sent);
        assertEquals(List.of(), first);
        assertEquals("absent", fetch(twice, "a", 1));
        replies.get(0).done(null);
        loop.drain();

        assertEquals(List.of("ok"), first);
        assertEquals("5000 bytes", fetch(twice, "a", 1));
        List<String> second = outcome(a -> target.write(write(twice, "b", 10, 1, id(2)), a));
        replies.get(1).done(null);
        nowNs += 250_000_000L;
        target.onTick();
        loop.drain();
        assertEquals(List.of("ok"), second);
        assertEquals("commit 1 x2", sent.get(2));
    }

    @Test
    void shouldShowUpdatesThatTouchEachOtherInTheOrderOfTheirEpochs() {
        start(map(1, TargetState.UPIN));

        List<String> older = outcome(a -> target.write(write(twice, "a", 10, 1, id(1)), a));
        List<String> newer = outcome(a -> target.write(write(twice, "a", 20, 1, id(2)), a));
        List<String> other = outcome(a -> target.write(write(twice, "b", 30, 1, id(3)), a));
        replies.get(1).done(null);
        replies.get(2).done(null);
        loop.drain();

        assertEquals(List.of(), newer, "what is older may still come");
        assertEquals("absent", fetch(twice, "a", 1));
        assertEquals(List.of("ok"), other, "another key does not wait");
        replies.get(0).done(null);
        loop.drain();
        assertEquals(List.of("ok"), older);
        assertEquals(List.of("ok"), newer);
        assertEquals("20 bytes", fetch(twice, "a", 1));
    }

    @Test
    void shouldNotWaitForAnUpdateThatHasFailed() {
        start(map(1, TargetState.UPIN));

        List<String> older = outcome(a -> target.write(write(twice, "a", 10, 1, id(1)), a));
        List<String> newer = outcome(a -> target.write(write(twice, "a", 20, 1, id(2)), a));
        replies.get(1).done(null);
        replies.get(0).done(Fault.of(FaultCode.UNREACH));
        loop.drain();

        assertEquals(List.of("AGAIN"), older);
        assertEquals(List.of("ok"), newer);
        assertEquals("20 bytes", fetch(twice, "a", 1));
    }

    /** The member may have the older one yet, and lead next: then it would appear beside what readers have seen. */
    @Test
    void shouldWaitUntilNoMemberHasAnAbortedUpdateThatStaysVisible() {
        start(map(1, TargetState.UPIN));

        List<String> older = outcome(a -> target.write(write(twice, "a", 10, 1, id(1)), a));
        List<String> newer = outcome(a -> target.write(write(twice, "a", "another", 20, 1, id(2)), a));
        replies.get(1).done(null);
        replies.get(0).done(Fault.of(FaultCode.BUSY));
        loop.drain();

        assertEquals(List.of("AGAIN"), older);
        assertEquals(List.of(), newer);
        target.onTick();
        questions.get(0).answer(1, null);
        loop.drain();
        assertEquals(List.of(), newer, "it has it still");
        nowNs += 1_000_000_000L;
        target.onTick();
        questions.get(1).answer(0, null);
        loop.drain();
        assertEquals(List.of("ok"), newer);
    }

    @Test
    void shouldWaitForTheLocalDiskEvenIfMembersAreFaster() {
        start(map(1, TargetState.UPIN));
        loop.holdsCommits = true;

        List<String> out = outcome(a -> target.write(write(twice, "a", 100, 1, id(1)), a));
        replies.get(0).done(null);
        loop.drain();
        assertEquals(List.of(), out);
        loop.releaseCommit();

        assertEquals(List.of("ok"), out);
    }

    @Test
    void shouldGiveBackEverythingAfterAnAbort() {
        start(map(1, TargetState.UPIN));
        long before = scm.usedBytes();

        List<String> out = outcome(a -> target.write(write(twice, "a", 5000, 1, id(1)), a));
        replies.get(0).done(Fault.of(FaultCode.UNREACH));
        loop.drain();

        assertEquals(List.of("AGAIN"), out);
        assertEquals(List.of("write 1", "abort 1"), sent);
        assertEquals("absent", fetch(twice, "a", 1));
        assertEquals(before, scm.usedBytes());
        assertEquals(0, blob.allocator().usedBytes());
        assertEquals(0, buffers.usedBytes());
    }

    @Test
    void shouldRefuseWhenIsolatedStaleOrFull() {
        start(map(3, TargetState.UPIN));

        assertEquals(List.of("STALE"), outcome(a -> target.write(write(single, "a", 10, 2, id(1)), a)));
        List<String> newer = outcome(a -> target.write(write(single, "a", 10, 4, id(1)), a));
        assertEquals(List.of(), newer);
        assertTrue(sent.contains("map 4"));
        target.onMap(map(4, TargetState.UPIN));
        loop.drain();
        assertEquals(List.of("ok"), newer);
        hasMajority = false;
        assertEquals("AGAIN", fetch(single, "a", 4));
        hasMajority = true;
        List<String> last = List.of("ok");
        for (int i = 0; last.equals(List.of("ok")); i++) {
            DtxId id = id(100 + i);
            String dkey = "k" + i;
            last = outcome(a -> target.write(write(single, dkey, 100_000, 4, id), a));
        }
        assertEquals(List.of("NOSPACE"), last);
        WriteOp punch = new WriteOp(
                new ShardAddress(pool, new UUID(2, 2), single, 0, 4),
                WriteOp.OBJECT,
                new byte[0],
                List.of(),
                ByteBuffer.allocate(0),
                new WriteOp.Dtx(id(7), 0, 0, false));
        assertEquals(List.of("ok"), outcome(a -> target.write(punch, a)));
        assertEquals("absent", fetch(single, "k0", 4));
    }

    @Test
    void shouldSettleWhatARestartLeftOpenBeforeItServesTheKey() {
        start(map(1, TargetState.UPIN));
        outcome(a -> target.write(write(twice, "a", 100, 1, id(1)), a));
        outcome(a -> target.write(write(twice, "b", 100, 1, id(2)), a));
        sent.clear();

        target = open();
        target.open(List.of(new PoolSpace(pool, 0, scm, blob)));
        target.onMap(map(1, TargetState.UPIN));
        loop.drain();

        assertEquals(List.of("resolve 1", "resolve 1"), sent);
        assertEquals("INPROGRESS", fetch(twice, "a", 1));
        questions.get(0).answer(1, null);
        questions.get(1).refuse(Fault.of(FaultCode.TIMEDOUT));
        loop.drain();
        boolean isFirst = "100 bytes".equals(fetch(twice, "a", 1));
        assertEquals("INPROGRESS", fetch(twice, isFirst ? "b" : "a", 1));
        nowNs += 400_000_000L;
        target.onTick();
        questions.get(2).answer(0, null);
        loop.drain();
        assertEquals("absent", fetch(twice, isFirst ? "b" : "a", 1));
        assertTrue(sent.contains("abort 1"));
    }

    @Test
    void shouldDropOverwrittenValuesAfterTheSafeAge() {
        start(map(1, TargetState.UPIN));
        for (int i = 0; i < 20; i++) {
            DtxId id = id(i);
            assertEquals(List.of("ok"), outcome(a -> target.write(write(single, "a", 8192, 1, id), a)));
        }
        assertEquals(20 * 8192, blob.allocator().usedBytes());

        nowNs += 100_000_000_000L;
        for (int i = 0; i < 3; i++) {
            target.onTick();
            loop.drain();
        }

        assertEquals(8192, blob.allocator().usedBytes());
        assertEquals("8192 bytes", fetch(single, "a", 1));
    }

    @Test
    void shouldRefuseAnIndexOfAnotherLayout() {
        kv.write(new KvBatch().put(new byte[] {'F'}, new byte[] {9}), true);

        io.daosmesh.model.fault.FaultException e = org.junit.jupiter.api.Assertions.assertThrows(
                io.daosmesh.model.fault.FaultException.class, () -> target.open(List.of()));

        assertEquals(FaultCode.DF_INCOMPT, e.code());
        assertNotNull(e.fault().text());
        assertFalse(e.fault().remedy().isEmpty());
    }

    /** Its folder is gone or was emptied: pools have space here, so what they held is lost, not absent. */
    @Test
    void shouldKnowNothingWhenItsIndexIsEmptyUnderAPool() {
        target.open(List.of(new PoolSpace(pool, 0, scm, blob)));
        target.onMap(map(1, TargetState.UPIN));
        loop.drain();

        assertEquals("AGAIN", fetch(single, "a", 1));
        assertEquals(List.of("AGAIN"), outcome(a -> target.write(write(twice, "a", 100, 1, id(1)), a)));
        List<String> votes = new ArrayList<>();
        DtxRefMessage ref = DtxRefMessage.newBuilder()
                .setDtx(WriteOp.dtxMessage(id(1)))
                .setEpoch(5)
                .build();
        target.check(
                pool,
                List.of(ref),
                (v, f) -> votes.add(f == null ? v.toString() : f.code().name()));
        assertEquals(List.of("DF_INVAL"), votes, "what it does not know it does not deny");
        assertEquals(List.of(), leases.adopted, "it may have acted by a newer map");
        assertEquals(PoolShard.State.FAILED, target.shard(pool).state());
        List<String> done = new ArrayList<>();
        PoolSpace other = new PoolSpace(new UUID(8, 8), 0, scm, blob);
        PoolMap otherMap = new PoolMap(other.pool(), 1, map(1, TargetState.UPIN).targets());
        target.create(other, otherMap, 4096, f -> done.add("made " + f));
        assertEquals(PoolShard.State.FAILED, target.shard(other.pool()).state());
        target.destroyContainer(pool, new UUID(2, 2), f -> done.add("container " + f));
        target.destroy(pool, f -> done.add("pool " + f));
        assertEquals(List.of("made null", "container null", "pool null"), done);
        assertEquals(0, kv.durableBatchCount(), "nothing is written into it");
    }

    private static PoolMap threeWith(int version, TargetState third) {
        PoolTarget last = new PoolTarget(2, 2, 0, "/c", third, third == TargetState.UP, version);
        List<PoolTarget> two = map(version, TargetState.UPIN).targets();
        return new PoolMap(new UUID(1, 1), version, List.of(two.get(0), two.get(1), last));
    }

    @Test
    void shouldAskTheNewHomesTooBeforeItCommitsAnUpdateOfThisVeryMap() {
        PoolMap growing = threeWith(1, TargetState.UP);
        long low = 0;
        ObjectId oid;
        do {
            oid = ObjectId.of(ObjectId.Type.KEY_VALUE, ObjectClass.RP_2, 1, 0, low++);
        } while (!Placement.group(growing, oid, 0).settled().equals(List.of(0, 1))
                || !Placement.group(growing, oid, 0).missing().contains(2));
        ObjectId chosen = oid;
        start(growing);
        outcome(a -> target.write(write(chosen, "a", 100, 1, id(1)), a));
        sent.clear();

        target = open();
        target.open(List.of(new PoolSpace(pool, 0, scm, blob)));
        target.onMap(growing);
        loop.drain();
        assertEquals(List.of("resolve 1", "resolve 2"), sent);
        questions.get(0).answer(1, null);
        questions.get(1).answer(0, null);
        loop.drain();

        assertEquals("absent", fetch(chosen, "a", 1));
    }

    @Test
    void shouldNotReclaimAGroupThatANewerMapHasGivenBack() {
        ObjectId lent = ledBySecond(ObjectClass.SINGLE);
        start(map(1, TargetState.DOWNOUT));
        assertEquals(List.of("ok"), outcome(a -> target.write(write(lent, "a", 5000, 1, id(1)), a)));
        target.onMap(map(2, TargetState.UPIN));
        List<String> fence = new ArrayList<>();

        target.reclaim(new ShardAddress(pool, new UUID(2, 2), lent, 0, 2), java.util.Set.of(0), f -> assertNull(f));
        target.onMap(map(3, TargetState.DOWNOUT));
        target.fence(
                pool, 3, (v, f) -> fence.add(f == null ? "fenced" : f.code().name()));
        assertEquals(List.of(), fence);
        loop.drain();
        target.onTick();

        assertEquals("5000 bytes", fetch(lent, "a", 3));
        assertEquals(List.of("fenced"), fence);
        target.onMap(map(4, TargetState.UPIN));
        target.reclaim(new ShardAddress(pool, new UUID(2, 2), lent, 0, 4), java.util.Set.of(0), f -> assertNull(f));
        loop.drain();
        assertEquals(0, blob.allocator().usedBytes());
    }

    @Test
    void shouldKeepADestroyedContainerDestroyedOverRestarts() {
        start(map(1, TargetState.UPIN));
        assertEquals(List.of("ok"), outcome(a -> target.write(write(single, "a", 8192, 1, id(1)), a)));

        target.destroyContainer(pool, new UUID(2, 2), f -> assertNull(f));
        assertEquals(List.of("NONEXIST"), outcome(a -> target.write(write(single, "a", 10, 1, id(2)), a)));
        assertEquals("NONEXIST", fetch(single, "a", 1));
        target = open();
        target.open(List.of(new PoolSpace(pool, 0, scm, blob)));
        target.onMap(map(1, TargetState.UPIN));
        loop.drain();

        assertEquals(List.of("NONEXIST"), outcome(a -> target.write(write(single, "a", 10, 1, id(3)), a)));
        ShardAddress gone = new ShardAddress(pool, new UUID(2, 2), single, 0, 1);
        MigratedRecordMessage punch = MigratedRecordMessage.newBuilder()
                .setKind(VosRecord.PUNCH_OBJECT)
                .setEpoch(hlc.now())
                .build();
        target.importBatch(gone, List.of(punch), ByteBuffer.allocate(0), f -> assertNull(f));
        target.destroyContainer(pool, new UUID(2, 2), f -> assertNull(f));
        loop.drain();
        assertEquals(0, blob.allocator().usedBytes());
        assertEquals(0, scm.usedBytes());
        target.destroy(pool, f -> assertNull(f));
        loop.drain();
        assertNull(kv.get(Keys.destroyed(pool, new UUID(2, 2))));
    }

    @Test
    void shouldGiveSpaceBackOnceWhenTwoDeleteTheSameRecords() {
        start(map(1, TargetState.UPIN));
        for (int i = 0; i < 10; i++) {
            DtxId id = id(i);
            assertEquals(List.of("ok"), outcome(a -> target.write(write(single, "a", 8192, 1, id), a)));
        }
        nowNs += 100_000_000_000L;
        loop.holdsCommits = true;

        target.destroyContainer(pool, new UUID(2, 2), f -> assertNull(f));
        loop.drain();
        loop.releaseCommit();
        target.onTick();
        loop.drain();
        loop.releaseCommit();
        loop.holdsCommits = false;
        loop.drain();

        assertEquals(0, blob.allocator().usedBytes());
        assertEquals(0, scm.usedBytes());
    }

    private WriteOp resent(WriteOp op) {
        WriteOp.Dtx dtx = new WriteOp.Dtx(op.dtx().id(), 0, 0, true);
        return new WriteOp(op.address(), op.level(), op.dkey(), op.values(), op.data(), dtx);
    }

    /** A blocked connection lets the first try go when its resend, and another update, are done. */
    @Test
    void shouldNotRepeatAnUpdateWhoseFirstTryComesBehindItsResend() {
        start(map(1, TargetState.UPIN));
        // long enough ago that no other holder is asked about a resend
        nowNs += 100_000_000_000L;
        WriteOp first = write(single, "a", 100, 1, id(1));
        WriteOp pair = write(twice, "a", 100, 1, id(3));
        assertEquals(List.of("ok"), outcome(a -> target.write(resent(first), a)));
        assertEquals(List.of("ok"), outcome(a -> target.write(write(single, "a", 200, 1, id(2)), a)));
        outcome(a -> target.write(resent(pair), a));
        replies.get(0).done(null);
        outcome(a -> target.write(write(twice, "a", 200, 1, id(4)), a));
        replies.get(1).done(null);
        loop.drain();
        nowNs += 300_000_000L;
        target.onTick();
        loop.drain();

        for (int life = 0; life < 2; life++) {
            assertEquals(List.of("ok"), outcome(a -> target.write(first, a)));
            assertEquals("200 bytes", fetch(single, "a", 1));
            assertEquals(List.of("ok"), outcome(a -> target.write(pair, a)));
            assertEquals("200 bytes", fetch(twice, "a", 1));
            target = open();
            target.open(List.of(new PoolSpace(pool, 0, scm, blob)));
            target.onMap(map(1, TargetState.UPIN));
            loop.drain();
        }
    }

    @Test
    void shouldRefuseATryThatArrivesBehindTheCommittedOne() {
        ObjectId led = ledBySecond(ObjectClass.RP_2);
        start(map(1, TargetState.UPIN));
        WriteOp op = write(led, "a", 100, 1, id(1));
        long late = hlc.now();
        nowNs += 1_000_000L;
        long epoch = hlc.now();
        List<String> out = new ArrayList<>();
        target.shardWrite(
                op.withEpoch(epoch, 1), f -> out.add(f == null ? "ok" : f.code().name()));
        loop.drain();
        target.commit(
                pool,
                List.of(io.daosmesh.model.wire.DtxRefMessage.newBuilder()
                        .setDtx(WriteOp.dtxMessage(id(1)))
                        .setEpoch(epoch)
                        .build()));
        loop.drain();
        nowNs += 200_000_000L;

        target.shardWrite(
                op.withEpoch(late, 1), f -> out.add(f == null ? "ok" : f.code().name()));
        loop.drain();

        assertEquals(List.of("ok", "AGAIN"), out);
    }

    /** Whoever waits for a member in vain says so: only the pool's leader can let it go. */
    @Test
    void shouldReportAMemberThatAnUpdateWaitsFor() {
        start(map(1, TargetState.UPIN));
        target.write(write(twice, "a", 10, 1, id(1)), (e, f) -> {});
        loop.drain();

        nowNs += 300_000_000L;
        target.onTick();
        loop.drain();
        assertFalse(sent.contains("awaits [1]"), "in time");
        nowNs += 200_000_000L;
        target.onTick();
        loop.drain();

        assertTrue(sent.contains("awaits [1]"), sent.toString());
    }
}
