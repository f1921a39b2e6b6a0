package io.daosmesh.engine.rank;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.daosmesh.engine.migrate.Migration;
import io.daosmesh.engine.shard.KeyChange;
import io.daosmesh.engine.shard.ShardAddress;
import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.VosWriter;
import io.daosmesh.engine.write.LeaderWrites;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.DtxId;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.wire.DtxRefMessage;
import io.daosmesh.model.wire.EnumerateRequest;
import io.daosmesh.model.wire.FetchRequest;
import io.daosmesh.model.wire.KeyChangeMessage;
import io.daosmesh.model.wire.ValueMessage;
import io.daosmesh.storage.PoolSpace;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Atomic changes of several dkeys, at their leader and at a member. */
class ChangesTest extends TargetFixture {
    private static final UUID CONTAINER = new UUID(2, 2);
    private static final KeyChangeMessage.Condition NONE = KeyChangeMessage.Condition.NONE;
    private static final KeyChangeMessage.Condition ABSENT = KeyChangeMessage.Condition.ABSENT;
    private static final KeyChangeMessage.Condition EXISTS = KeyChangeMessage.Condition.EXISTS;
    private static final KeyChangeMessage.Condition VERSION = KeyChangeMessage.Condition.VERSION;

    private static ValueMessage value(String akey, int size) {
        return ValueMessage.newBuilder()
                .setAkey(ByteString.copyFromUtf8(akey))
                .setLength(size)
                .setCrc32C(VosWriter.crc(ByteBuffer.allocate(size)))
                .build();
    }

    private static KeyChange put(String dkey, int size, KeyChangeMessage.Condition condition, long version) {
        return new KeyChange(dkey.getBytes(), List.of(value("v", size)), false, condition, "v".getBytes(), version);
    }

    private static KeyChange punch(String dkey, KeyChangeMessage.Condition condition, long version) {
        return new KeyChange(dkey.getBytes(), List.of(), true, condition, "v".getBytes(), version);
    }

    private WriteOp op(ObjectId oid, int mapVersion, DtxId id, KeyChange... changes) {
        int bytes = Arrays.stream(changes)
                .flatMap(c -> c.values().stream())
                .mapToInt(v -> (int) v.getLength())
                .sum();
        return WriteOp.changes(
                new ShardAddress(pool, CONTAINER, oid, 0, mapVersion),
                List.of(changes),
                ByteBuffer.allocate(bytes),
                new WriteOp.Dtx(id, 0, 0, false));
    }

    private List<String> change(ObjectId oid, long id, KeyChange... changes) {
        return outcome(a -> target.write(op(oid, 1, id(id), changes), a));
    }

    private long version(ObjectId oid, String dkey) {
        FetchRequest r = FetchRequest.newBuilder()
                .setAddress(new ShardAddress(pool, CONTAINER, oid, 0, 1).toWire(0))
                .setDkey(ByteString.copyFromUtf8(dkey))
                .addValues(ValueMessage.newBuilder().setAkey(ByteString.copyFromUtf8("v")))
                .build();
        long[] out = new long[1];
        target.fetch(r, (v, f) -> {
            assertNull(f);
            out[0] = v.values().get(0).getVersion();
            v.onDone().run();
        });
        loop.drain();
        return out[0];
    }

    @Test
    void shouldTellTheVersionOfASingleValue() {
        start(map(1, TargetState.UPIN));
        assertEquals(0, version(single, "a"));
        List<Long> epochs = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            target.write(write(single, "a", 10 + i * 5000, 1, id(i)), (epoch, f) -> epochs.add(epoch));
            loop.drain();
            assertEquals(epochs.get(i), version(single, "a"));
        }

        assertEquals(List.of("ok"), change(single, 9, punch("a", NONE, 0)));
        assertEquals(0, version(single, "a"));
    }

    @Test
    void shouldDoNothingWhenOneConditionOfSeveralIsNotMet() {
        start(map(1, TargetState.UPIN));
        assertEquals(List.of("ok"), change(single, 1, put("a", 10, ABSENT, 0), put("b", 5000, VERSION, 0)));
        long a = version(single, "a");
        long scmBefore = scm.usedBytes();

        assertEquals(List.of("EXIST"), change(single, 2, put("c", 5000, NONE, 0), put("a", 20, ABSENT, 0)));
        assertEquals(List.of("NONEXIST"), change(single, 3, punch("a", EXISTS, 0), punch("c", EXISTS, 0)));
        assertEquals(List.of("TX_RESTART"), change(single, 4, punch("a", VERSION, a), put("b", 9, VERSION, a + 1)));
        assertEquals(List.of("TX_RESTART"), change(single, 5, put("a", 20, VERSION, 0)));
        List<Fault> faults = new ArrayList<>();
        target.write(op(single, 1, id(6), put("a", 20, VERSION, a - 1)), (v, f) -> faults.add(f));

        assertEquals(Long.toString(a), faults.get(0).argument("version").orElseThrow());
        assertEquals(FaultCode.Retry.NEVER, faults.get(0).code().retry());
        assertEquals("10 bytes", fetch(single, "a", 1));
        assertEquals("5000 bytes", fetch(single, "b", 1));
        assertEquals("absent", fetch(single, "c", 1));
        assertEquals(scmBefore, scm.usedBytes());
        assertEquals(8192, blob.allocator().usedBytes());
        assertEquals(List.of("ok"), change(single, 7, punch("a", VERSION, a), put("c", 9, VERSION, 0)));
        assertEquals("absent", fetch(single, "a", 1));
        assertEquals("9 bytes", fetch(single, "c", 1));
    }

    @Test
    void shouldShowAllKeysAtOnceAndOnlyWhenEveryMemberHasThem() {
        start(map(1, TargetState.UPIN));
        List<String> first = change(twice, 1, put("a", 10, NONE, 0), put("b", 5000, NONE, 0));
        replies.get(0).done(null);
        loop.drain();
        long version = version(twice, "a");
        assertEquals(version, version(twice, "b"));

        List<String> out = change(twice, 2, punch("a", VERSION, version), put("c", 20, VERSION, 0));
        assertEquals("10 bytes", fetch(twice, "a", 1));
        assertEquals("absent", fetch(twice, "c", 1));
        replies.get(1).done(null);
        loop.drain();

        assertEquals(List.of("ok"), first);
        assertEquals(List.of("ok"), out);
        assertEquals("absent", fetch(twice, "a", 1));
        assertEquals("20 bytes", fetch(twice, "c", 1));
        List<String> again = outcome(a -> {
            WriteOp op = op(twice, 1, id(2), punch("a", VERSION, version), put("c", 20, VERSION, 0));
            WriteOp.Dtx resent = new WriteOp.Dtx(id(2), 0, 0, true);
            target.write(WriteOp.changes(op.address(), op.changes(), op.data(), resent), a);
        });
        assertEquals(List.of("ok"), again, "a resend is recognised");
    }

    @Test
    void shouldGiveEverythingBackWhenAMemberRefuses() {
        start(map(1, TargetState.UPIN));
        long before = scm.usedBytes();

        List<String> out = change(twice, 1, put("a", 5000, ABSENT, 0), put("b", 9000, ABSENT, 0));
        replies.get(0).done(Fault.of(FaultCode.UNREG));
        loop.drain();

        assertEquals(List.of("AGAIN"), out, "an old release at a member is waited for");
        assertEquals("absent", fetch(twice, "a", 1));
        assertEquals(before, scm.usedBytes());
        assertEquals(0, blob.allocator().usedBytes());
        tick(0);
        questions.get(0).answer(0, null);
        change(twice, 2, put("b", 10, ABSENT, 0));
        replies.get(1).done(null);
        loop.drain();
        assertEquals("10 bytes", fetch(twice, "b", 1));
    }

    private void tick(long laterNs) {
        nowNs += laterNs;
        target.onTick();
        loop.drain();
    }

    /**
     * The member may have prepared what this leader gave up, and not have heard of that. If the leader died, it would be
     * committed at its old epoch: behind the back of every condition that was judged since.
     */
    @Test
    void shouldJudgeNoConditionWhileAMemberMayStillHaveAnAbortedChange() {
        start(map(1, TargetState.UPIN));
        change(twice, 1, put("a", 10, VERSION, 0), put("b", 10, VERSION, 0));
        replies.get(0).done(Fault.of(FaultCode.TIMEDOUT));
        loop.drain();
        List<String> other = change(twice, 2, put("c", 10, VERSION, 0));
        assertEquals(2, replies.size(), "other keys do not wait");
        List<String> same = change(twice, 3, put("b", 20, VERSION, 0));
        assertEquals(2, replies.size());
        tick(500_000_000L);
        assertTrue(questions.isEmpty(), "the member may get it still");

        tick(2_600_000_000L);
        assertEquals(1, questions.size());
        sent.clear();
        questions.get(0).answer(1, null);
        assertEquals(List.of("abort 1"), sent, "once more");
        same.addAll(change(twice, 3, put("b", 20, VERSION, 0)));
        assertEquals(2, replies.size());
        List<String> again = outcome(a -> {
            WriteOp first = op(twice, 1, id(1), put("a", 10, VERSION, 0), put("b", 10, VERSION, 0));
            WriteOp.Dtx resent = new WriteOp.Dtx(id(1), 0, 0, true);
            target.write(WriteOp.changes(first.address(), first.changes(), first.data(), resent), a);
        });
        questions.get(1).answer(0, null); // whether it is committed there, as after every recent change of the map
        loop.drain();
        replies.get(2).done(null);
        loop.drain();
        assertEquals(List.of("ok"), again, "its own next try does not wait");
        assertTrue(other.isEmpty());
        tick(400_000_000L);
        questions.get(2).answer(0, null);
        loop.drain();
        assertEquals(0, target.roles(pool).leader.openAbortCount());
    }

    @Test
    void shouldHoldBackConditionsForAWhileWhenTooManyAbortsAreOpen() {
        start(map(1, TargetState.UPIN));
        for (int i = 0; i <= LeaderWrites.OPEN_ABORTS_MAX; i++) {
            change(twice, 10 + i, put("k" + i, 1, NONE, 0));
            replies.get(i).done(Fault.of(FaultCode.UNREACH));
            loop.drain();
        }
        assertEquals(LeaderWrites.OPEN_ABORTS_MAX, target.roles(pool).leader.openAbortCount());

        assertEquals(List.of("BUSY"), change(twice, 1, put("a", 1, ABSENT, 0)));
        nowNs += 11_000_000_000L;
        change(twice, 1, put("a", 1, ABSENT, 0));
        replies.get(replies.size() - 1).done(null);
        loop.drain();

        assertEquals("1 bytes", fetch(twice, "a", 1));
    }

    @Test
    void shouldJudgeConditionsOnlyWhenNothingIsOpenInAnyOfTheKeys() {
        start(map(1, TargetState.UPIN));
        List<String> first = change(twice, 1, put("a", 10, VERSION, 0), put("b", 10, VERSION, 0));
        List<String> second = change(twice, 2, put("b", 20, VERSION, 0), put("c", 20, VERSION, 0));
        List<String> third = change(twice, 3, put("d", 30, VERSION, 0), put("c", 30, VERSION, 0));
        assertEquals(List.of(), second, "it waits for the first");
        assertEquals(2, replies.size(), "the third has no key in common with what is under way");

        replies.get(0).done(null);
        loop.drain();

        assertEquals(List.of("ok"), first);
        assertEquals(List.of(), second, "and for the third");
        replies.get(1).done(null);
        loop.drain();
        assertEquals(List.of("ok"), third);
        assertEquals(List.of("TX_RESTART"), second);
        assertEquals("30 bytes", fetch(twice, "c", 1));
    }

    @Test
    void shouldSettleWhatARestartLeftOpenAsOne() {
        for (int state : new int[] {0, 1}) {
            ChangesTest t = new ChangesTest();
            t.start(map(1, TargetState.UPIN));
            t.change(t.twice, 1, t.bothPrepared());
            t.sent.clear();

            t.target = t.open();
            t.target.open(List.of(new PoolSpace(t.pool, 0, t.scm, t.blob)));
            t.target.onMap(map(1, TargetState.UPIN));
            t.loop.drain();

            assertEquals(List.of("resolve 1"), t.sent);
            assertEquals("INPROGRESS", t.fetch(t.twice, "a", 1));
            assertEquals("INPROGRESS", t.fetch(t.twice, "b", 1));
            assertEquals("INPROGRESS", t.list(t.twice));
            t.questions.get(0).answer(state, null);
            t.loop.drain();
            boolean isCommitted = state == 1;
            assertEquals(isCommitted ? "10 bytes" : "absent", t.fetch(t.twice, "a", 1));
            assertEquals(isCommitted ? "5000 bytes" : "absent", t.fetch(t.twice, "b", 1));
            assertEquals(isCommitted ? "a b" : "", t.list(t.twice));
            assertEquals(isCommitted ? 8192 : 0, t.blob.allocator().usedBytes());
            if (!isCommitted) assertEquals(0, t.scm.usedBytes());
        }
    }

    private KeyChange[] bothPrepared() {
        return new KeyChange[] {put("a", 10, ABSENT, 0), put("b", 5000, ABSENT, 0)};
    }

    private String list(ObjectId oid) {
        EnumerateRequest r = EnumerateRequest.newBuilder()
                .setAddress(new ShardAddress(pool, CONTAINER, oid, 0, 1).toWire(0))
                .setCountMax(100)
                .build();
        List<String> out = new ArrayList<>();
        target.enumerate(r, (v, f) -> {
            if (f != null) out.add(f.code().name());
            else
                out.addAll(
                        v.getKeysList().stream().map(ByteString::toStringUtf8).toList());
        });
        loop.drain();
        return String.join(" ", out);
    }

    /** Prepared here by the leader of map 1, which is target 1; like RecoveryTest, but two keys. */
    private DtxRefMessage prepareAsMember(ObjectId oid) {
        long epoch = hlc.now();
        target.shardWrite(op(oid, 1, id(1), bothPrepared()).withEpoch(epoch, 1), f -> assertNull(f));
        loop.drain();
        return DtxRefMessage.newBuilder()
                .setDtx(WriteOp.dtxMessage(id(1)))
                .setEpoch(epoch)
                .build();
    }

    private static PoolMap withoutSecond() {
        return new PoolMap(
                new UUID(1, 1),
                2,
                List.of(
                        new PoolTarget(0, 0, 0, "/a", TargetState.UPIN, false, 1),
                        new PoolTarget(1, 1, 0, "/b", TargetState.DOWN, false, 2)));
    }

    @Test
    void shouldCommitBothKeysWhenTheLeaderHasDied() {
        ObjectId oid = ledBySecond(ObjectClass.RP_2);
        start(map(1, TargetState.UPIN));
        prepareAsMember(oid);

        target.onMap(withoutSecond());
        loop.drain();

        assertEquals("10 bytes", fetch(oid, "a", 2));
        assertEquals("5000 bytes", fetch(oid, "b", 2));
    }

    @Test
    void shouldCommitOrAbortBothKeysAsTheLeaderSays() {
        for (boolean isCommit : new boolean[] {true, false}) {
            ChangesTest t = new ChangesTest();
            ObjectId oid = ledBySecond(ObjectClass.RP_2);
            t.start(map(1, TargetState.UPIN));
            DtxRefMessage ref = t.prepareAsMember(oid);

            if (isCommit) t.target.commit(t.pool, List.of(ref));
            else t.target.abort(t.pool, 1, List.of(ref));
            t.loop.drain();

            t.target.onMap(withoutSecond());
            t.loop.drain();
            assertEquals(isCommit ? "10 bytes" : "absent", t.fetch(oid, "a", 2));
            assertEquals(isCommit ? "5000 bytes" : "absent", t.fetch(oid, "b", 2));
            assertEquals(0, t.target.shard(t.pool).dtx().preparedCount());
        }
    }

    @Test
    void shouldExportNothingOfTheGroupWhileAnyOfItsKeysIsOpen() {
        ObjectId oid = ledBySecond(ObjectClass.RP_2);
        start(map(1, TargetState.UPIN));
        DtxRefMessage ref = prepareAsMember(oid);
        ShardAddress a = new ShardAddress(pool, CONTAINER, oid, 0, 1);
        for (String key : List.of("a", "b")) {
            byte[] from = Keys.under(Keys.group(pool, CONTAINER, oid, 0), key.getBytes());
            List<String> out = new ArrayList<>();
            target.export(
                    new Migration.Wanted(a, List.of(), hlc.now(), false, true),
                    from,
                    Migration.BATCH_BYTES_MAX,
                    (v, f) -> out.add(f == null ? "exported" : f.code().name()));
            loop.drain();
            assertEquals(List.of("INPROGRESS"), out, key);
        }

        target.commit(pool, List.of(ref));
        loop.drain();

        List<Integer> counts = new ArrayList<>();
        target.export(
                new Migration.Wanted(a, List.of(), hlc.now(), false, true),
                new byte[0],
                Migration.BATCH_BYTES_MAX,
                (v, f) -> {
                    counts.add(v.records().size());
                    v.onDone().run();
                });
        loop.drain();
        assertEquals(List.of(2), counts);
    }

    @Test
    void shouldDropOpenChangesWithTheirContainer() {
        ObjectId oid = ledBySecond(ObjectClass.RP_2);
        start(map(1, TargetState.UPIN));
        prepareAsMember(oid);

        target.destroyContainer(pool, CONTAINER, f -> assertNull(f));
        loop.drain();

        assertEquals(0, target.shard(pool).dtx().preparedCount());
        assertEquals(0, scm.usedBytes());
        assertEquals(0, blob.allocator().usedBytes());
    }

    @Test
    void shouldRefuseWhatIsNoChange() {
        start(map(1, TargetState.UPIN));
        KeyChange[] nine = new KeyChange[9];
        for (int i = 0; i < 9; i++) nine[i] = put("k" + i, 1, NONE, 0);
        KeyChange empty = new KeyChange("a".getBytes(), List.of(), false, NONE, new byte[0], 0);
        KeyChange both = new KeyChange("a".getBytes(), List.of(value("v", 1)), true, NONE, new byte[0], 0);
        KeyChange repeated =
                new KeyChange("a".getBytes(), List.of(value("v", 1), value("v", 1)), false, NONE, new byte[0], 0);
        ValueMessage hole = value("v", 0).toBuilder().setKind(1).build();
        KeyChange nothing = new KeyChange("a".getBytes(), List.of(hole), false, NONE, new byte[0], 0);
        KeyChange ofWhat = new KeyChange("a".getBytes(), List.of(value("v", 1)), false, VERSION, new byte[0], 0);
        KeyChange large = put("x".repeat(5000), 1, NONE, 0);

        assertEquals(List.of("INVAL"), change(single, 1));
        assertEquals(List.of("INVAL"), change(single, 1, nine));
        assertEquals(List.of("INVAL"), change(single, 1, put("a", 1, NONE, 0), punch("a", NONE, 0)));
        for (KeyChange wrong : List.of(empty, both, repeated, nothing, ofWhat))
            assertEquals(List.of("INVAL"), change(single, 1, wrong), wrong.toString());
        assertEquals(List.of("KEY2BIG"), change(single, 1, large));
        assertEquals(List.of("ok"), change(single, 1, Arrays.copyOf(nine, 8)));
        assertTrue(sent.isEmpty());
    }

    @Test
    void shouldRefuseKeysOfAnotherGroup() {
        start(map(1, TargetState.UPIN));
        ObjectId wide = ObjectId.of(ObjectId.Type.KEY_VALUE, ObjectClass.SINGLE, 2, 0, 1);
        String inside = null;
        String outside = null;
        for (int i = 0; inside == null || outside == null; i++) {
            if (io.daosmesh.model.placement.Placement.groupOf(wide, ("k" + i).getBytes()) == 0) inside = "k" + i;
            else outside = "k" + i;
        }

        assertEquals(List.of("INVAL"), change(wide, 1, put(inside, 1, NONE, 0), put(outside, 1, NONE, 0)));
    }
}
