package io.daosmesh.engine.rank;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.protobuf.ByteString;
import io.daosmesh.engine.shard.ShardAddress;
import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.RecordSearch;
import io.daosmesh.engine.vos.VosRecord;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.wire.DtxResolveRequest;
import io.daosmesh.storage.kv.KvBatch;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** A member is asked about an update whose entry is forgotten: "no" would undo what a client was told is done. */
class RecordSearchTest extends TargetFixture {
    private final ObjectId oid = ledBySecond(ObjectClass.RP_2);
    private final ShardAddress address = new ShardAddress(pool, new UUID(2, 2), oid, 0, 1);
    private final byte[] scope = Keys.under(address.groupPrefix(), "k".getBytes());

    private void put(String akey, long epoch) {
        byte[] key = Keys.record(Keys.under(scope, akey.getBytes()), epoch, VosRecord.SINGLE);
        byte[] value =
                VosRecord.inline(key, VosRecord.SINGLE, 0, 0, new byte[0]).encode();
        kv.write(new KvBatch().put(key, value), false);
    }

    private List<String> resolve(long epoch) {
        DtxResolveRequest r = DtxResolveRequest.newBuilder()
                .setAddress(address.toWire(0))
                .setDkey(ByteString.copyFromUtf8("k"))
                .setDtx(WriteOp.dtxMessage(id(1)))
                .setEpoch(epoch)
                .build();
        List<String> out = new ArrayList<>();
        target.resolve(
                r, (v, f) -> out.add(f == null ? String.valueOf(v) : f.code().name()));
        return out;
    }

    private List<String> resolved(long epoch) {
        List<String> out = resolve(epoch);
        loop.drain();
        return out;
    }

    @Test
    void shouldFindTheTraceBehindMoreRecordsThanOneTurnMayLookAt() {
        start(map(1, TargetState.UPIN));
        long epoch = hlc.now();
        for (int i = 0; i < 30_000; i++) put("a" + i, hlc.now());
        put("z", epoch);
        long neverThere = hlc.now();
        nowNs += 700_000_000_000L;

        List<String> out = resolve(epoch);
        assertEquals(List.of(), out, "not in one turn");
        loop.drain();

        assertEquals(List.of("2"), out);
        assertEquals(List.of("0"), resolved(neverThere));
    }

    @Test
    void shouldFindTheTraceBehindManyVersionsOfAValueAtOnce() {
        start(map(1, TargetState.UPIN));
        long epoch = hlc.now();
        put("a", epoch);
        for (int i = 0; i < 30_000; i++) put("a", hlc.now());
        nowNs += 700_000_000_000L;

        assertEquals(List.of("2"), resolve(epoch));
        assertEquals(List.of("0"), resolved(epoch - 1));
    }

    @Test
    void shouldFindAPunchOfTheDkey() {
        start(map(1, TargetState.UPIN));
        long epoch = hlc.now();
        byte[] key = Keys.record(Keys.punches(scope), epoch, VosRecord.PUNCH_DKEY);
        kv.write(
                new KvBatch()
                        .put(
                                key,
                                VosRecord.punch(key, VosRecord.PUNCH_DKEY, 0, 0).encode()),
                false);
        nowNs += 700_000_000_000L;

        assertEquals(List.of("2"), resolved(epoch));
        assertEquals(List.of("0"), resolved(epoch + 1));
    }

    @Test
    void shouldSayNothingWhenTheMapChangesDuringTheSearch() {
        start(map(1, TargetState.UPIN));
        long epoch = hlc.now();
        for (int i = 0; i < 2 * RecordSearch.STEP_ENTRIES; i++) put("a" + i, hlc.now());
        nowNs += 700_000_000_000L;

        List<String> out = resolve(epoch);
        target.onMap(map(2, TargetState.UPIN));
        loop.drain();

        assertEquals(List.of("STALE"), out);
    }

    @Test
    void shouldBoundSearchesAndTheirAskers() {
        start(map(1, TargetState.UPIN));
        long first = hlc.now();
        for (int i = 0; i < 2 * RecordSearch.STEP_ENTRIES; i++) put("a" + i, hlc.now());
        nowNs += 700_000_000_000L;

        List<List<String>> same = new ArrayList<>();
        for (int i = 0; i <= RecordSearch.ASKERS_MAX; i++) same.add(resolve(first));
        List<List<String>> others = new ArrayList<>();
        for (int i = 1; i <= RecordSearch.SEARCHES_MAX; i++) others.add(resolve(first - i));
        assertEquals(List.of("BUSY"), same.get(RecordSearch.ASKERS_MAX));
        assertEquals(List.of("BUSY"), others.get(RecordSearch.SEARCHES_MAX - 1));
        loop.drain();

        assertEquals(List.of("0"), same.get(0));
        assertEquals(List.of("0"), others.get(0));
        assertEquals(List.of("0"), resolve(first), "kept for who comes late");
        nowNs += 11_000_000_000L;
        assertEquals(List.of("0"), resolved(first - RecordSearch.SEARCHES_MAX));
    }
}
