package io.daosmesh.engine.rank;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.daosmesh.engine.shard.ShardAddress;
import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.model.id.DtxId;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.placement.Placement;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.wire.DtxRefMessage;
import io.daosmesh.model.wire.FetchRequest;
import io.daosmesh.model.wire.ValueMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Reads that a settled replica answers without its leader: never older than what was acknowledged when they came. */
class ReplicaReadsTest extends TargetFixture {
    private final ObjectId elsewhere = ledBySecond(ObjectClass.RP_2);

    private FetchRequest request(ObjectId oid, String dkey, int version) {
        return FetchRequest.newBuilder()
                .setAddress(new ShardAddress(pool, new UUID(2, 2), oid, 0, version).toWire(0))
                .setDkey(ByteString.copyFromUtf8(dkey))
                .addValues(ValueMessage.newBuilder().setAkey(ByteString.copyFromUtf8("v")))
                .setAnyReplica(true)
                .build();
    }

    private List<String> read(ObjectId oid, String dkey, int version) {
        List<String> out = new ArrayList<>();
        target.fetch(request(oid, dkey, version), (v, f) -> {
            if (f != null) out.add(f.code().name());
            else out.add(v.values().get(0).getAbsent() ? "absent" : v.data().remaining() + " bytes");
            if (v != null) v.onDone().run();
        });
        loop.drain();
        return out;
    }

    private void confirm(int version, long askedNs) {
        target.onConfirmed(pool, version, askedNs);
        loop.drain();
    }

    private DtxRefMessage prepare(String dkey, int size, int version, DtxId id) {
        WriteOp op = write(elsewhere, dkey, size, version, id).withEpoch(hlc.now(), version);
        target.shardWrite(op, f -> assertNull(f));
        loop.drain();
        return WriteOp.dtxRef(id, op.dtx().epoch());
    }

    private void commit(DtxRefMessage dtx) {
        target.commit(pool, List.of(dtx));
        loop.drain();
    }

    @Test
    void shouldAnswerOnceThePoolServiceKnowsNoNewerMap() {
        start(map(1, TargetState.UPIN));
        commit(prepare("a", 10, 1, id(1)));

        List<String> read = read(elsewhere, "a", 1);

        assertEquals(List.of(), read);
        assertEquals(List.of(nowNs), leases.confirms);
        confirm(1, nowNs);
        assertEquals(List.of("10 bytes"), read);
        assertEquals("STALE", fetch(elsewhere, "a", 1), "without the wish it is the leader's");
    }

    /** A lease is the word of members for a leader; here it would be one of nobody. */
    @Test
    void shouldNotTakeALeaseForTheWordOfThePoolService() {
        start(map(1, TargetState.UPIN));
        leases.holds = true;

        List<String> read = read(elsewhere, "a", 1);
        target.onLease();
        nowNs += 50_000_000L;
        target.onTick();
        loop.drain();

        assertEquals(List.of(), read);
    }

    @Test
    void shouldNotTakeAWordForWhatCameAfterTheQuestion() {
        start(map(1, TargetState.UPIN));
        long asked = nowNs;
        List<String> first = read(elsewhere, "a", 1);
        nowNs += 1_000_000L;
        List<String> second = read(elsewhere, "a", 1);

        confirm(1, asked);

        assertEquals(List.of("absent"), first);
        assertEquals(List.of(), second);
        assertEquals(List.of(asked, nowNs), leases.confirms, "one question at a time, the next for all that wait");
        confirm(1, nowNs);
        assertEquals(List.of("absent"), second);
    }

    /** Its leader may have acknowledged it. */
    @Test
    void shouldWaitForTheOutcomeOfWhatIsPrepared() {
        start(map(1, TargetState.UPIN));
        commit(prepare("a", 10, 1, id(1)));
        DtxRefMessage open = prepare("a", 20, 1, id(2));

        List<String> read = read(elsewhere, "a", 1);
        confirm(1, nowNs);

        assertEquals(List.of(), read);
        List<String> other = read(elsewhere, "b", 1);
        confirm(1, nowNs);
        assertEquals(List.of("absent"), other, "another key does not wait");
        commit(open);
        assertEquals(List.of("20 bytes"), read);
    }

    @Test
    void shouldRefuseWhenTheOutcomeDoesNotCome() {
        start(map(1, TargetState.UPIN));
        prepare("a", 20, 1, id(2));
        List<String> read = read(elsewhere, "a", 1);
        confirm(1, nowNs);

        nowNs += 2_100_000_000L;
        target.onTick();
        loop.drain();

        assertEquals(List.of("INPROGRESS"), read);
    }

    @Test
    void shouldRefuseWhenThereIsANewerMap() {
        start(map(1, TargetState.UPIN));
        List<String> read = read(elsewhere, "a", 1);

        confirm(2, nowNs);
        assertEquals(List.of(), read);
        assertTrue(sent.contains("map 2"));
        target.onMap(map(2, TargetState.DOWN));
        loop.drain();

        assertEquals(List.of("STALE"), read);
    }

    @Test
    void shouldRefuseWhenNobodyCanSay() {
        start(map(1, TargetState.UPIN));
        List<String> read = read(elsewhere, "a", 1);

        confirm(0, nowNs);
        assertEquals(List.of(), read);
        nowNs += 2_100_000_000L;
        target.onTick();
        loop.drain();

        assertEquals(List.of("AGAIN"), read);
    }

    /** What it has is not all that was acknowledged while it was away. */
    @Test
    void shouldRefuseWhereItIsBeingFilled() {
        rank = 1;
        target = open();
        start(map(1, TargetState.UP));
        ObjectId own = twice;
        assertEquals(List.of(0), Placement.group(map(1, TargetState.UP), own, 0).settled());

        assertEquals(List.of("STALE"), read(own, "a", 1));
        assertEquals(List.of(), leases.confirms);
    }

    @Test
    void shouldReadAsTheLeaderWhereItLeads() {
        start(map(1, TargetState.UPIN));

        assertEquals(List.of("absent"), read(twice, "a", 1));

        assertEquals(List.of(), leases.confirms);
    }

    /** The value cache is asked by who leads only: what was kept on another replica would be answered without a word. */
    @Test
    void shouldKeepNothingForHotReads() {
        start(map(1, TargetState.UPIN));
        commit(prepare("a", 10, 1, id(1)));
        for (int i = 0; i < 2; i++) {
            List<String> read = read(elsewhere, "a", 1);
            confirm(1, nowNs);
            assertEquals(List.of("10 bytes"), read);
        }

        FetchRequest asked = request(elsewhere, "a", 1);

        assertNull(target.hotFetch(asked));
        assertNull(target.hotFetch(asked.toBuilder().setAnyReplica(false).build()));
    }
}
