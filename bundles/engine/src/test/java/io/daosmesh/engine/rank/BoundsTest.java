package io.daosmesh.engine.rank;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.engine.dtx.DtxRoom;
import io.daosmesh.engine.dtx.DtxTable;
import io.daosmesh.engine.fake.MemoryBlob;
import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.model.id.DtxId;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.storage.PoolSpace;
import io.daosmesh.storage.SpaceAccount;
import io.daosmesh.storage.bio.Extent;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What only grows has a bound, also over restarts and swaps. */
class BoundsTest extends TargetFixture {
    private int countInIndex(byte[] prefix) {
        int count = 0;
        try (KvCursor c = kv.cursor(KvRange.prefix(prefix))) {
            while (c.next()) count++;
        }
        return count;
    }

    private void tick(int times) {
        for (int i = 0; i < times; i++) {
            target.onTick();
            loop.drain();
        }
    }

    /** Also of objects without replicas, of which no commit is ever spread. */
    @Test
    void shouldPushBackRatherThanForgetWhatMayBeResent() {
        updatesMax = 800;
        target = open();
        start(map(1, TargetState.UPIN));
        List<String> last = List.of("ok");
        int count = 0;
        for (; last.equals(List.of("ok")); count++) {
            DtxId id = id(count);
            last = outcome(a -> target.write(write(single, "a", 10, 1, id), a));
        }
        assertEquals(List.of("BUSY"), last);
        assertEquals(701, count);

        nowNs += DtxTable.COMMITTED_AGE_MIN_NS;
        tick(10);
        int records = countInIndex(Keys.records(pool));
        for (int i = 0; i < count - 1; i++) {
            DtxId id = id(i);
            assertEquals(List.of("ok"), outcome(a -> target.write(write(single, "a", 10, 1, id), a)), "known");
        }
        assertEquals(records, countInIndex(Keys.records(pool)), "nothing is done twice");
        assertEquals(List.of("BUSY"), outcome(a -> target.write(write(single, "a", 10, 1, id(7_000)), a)));
        nowNs += 6_000_000_000L;
        tick(10);

        assertEquals(List.of("ok"), outcome(a -> target.write(write(single, "a", 10, 1, id(7_000)), a)));
        nowNs += DtxTable.COMMITTED_AGE_NS + 1;
        tick(10);
        assertEquals(0, countInIndex(Keys.dtxs(pool)));
        assertEquals(0, target.shard(pool).dtx().room().used());
    }

    @Test
    void shouldRefuseToPrepareWhatItCouldNotRemember() {
        updatesMax = 10 * DtxRoom.PREPARED_WEIGHT;
        target = open();
        start(map(1, TargetState.UPIN));
        ObjectId led = ledBySecond(ObjectClass.RP_2);
        List<String> out = new ArrayList<>();
        for (int i = 0; i < 11; i++)
            target.shardWrite(
                    write(led, "a" + i, 10, 1, id(i)).withEpoch(hlc.now(), 1),
                    f -> out.add(f == null ? "ok" : f.code().name()));
        loop.drain();

        assertEquals(10, out.stream().filter("ok"::equals).count());
        assertTrue(out.contains("BUSY"));
        assertEquals(updatesMax, target.shard(pool).dtx().room().used());
        target.destroy(pool, f -> assertNull(f));
        loop.drain();
        assertNull(target.shard(pool));
    }

    /** The storage outlives the engine: what an update of it cuts off must not be lost to its accounts. */
    @Test
    void shouldGetBackWhatASwapCutsOff() {
        start(map(1, TargetState.UPIN));
        assertEquals(List.of("ok"), outcome(a -> target.write(write(single, "kept", 5000, 1, id(1)), a)));
        outcome(a -> target.write(write(twice, "open", 5000, 1, id(2)), a));
        long scmBytes = scm.usedBytes();
        loop.holdsCommits = true;
        for (int i = 0; i < 20; i++) {
            WriteOp cut = write(i % 2 == 0 ? single : twice, "cut" + i, 100_000, 1, id(10 + i));
            assertEquals(List.of(), outcome(a -> target.write(cut, a)));
        }
        blob.allocator().beginRead();
        target.abandon();

        target = open();
        target.open(List.of(new PoolSpace(pool, 0, scm, blob)));

        assertEquals(2 * 8192, blob.allocator().usedBytes());
        assertEquals(scmBytes, scm.usedBytes());
        MemoryBlob fresh = new MemoryBlob(4 << 20);
        open().open(List.of(new PoolSpace(pool, 0, new SpaceAccount(1 << 20), fresh)));
        assertEquals(fresh.allocator().freeBytes(), blob.allocator().freeBytes());
        // nothing waits for a read whose engine is gone
        for (Extent e : blob.allocator().allocate(blob.allocator().freeBytes(), nowNs))
            blob.allocator().retire(e);
        assertEquals(
                4 << 20,
                2 * 8192
                        + blob.allocator().allocate(blob.allocator().freeBytes(), nowNs).stream()
                                .mapToLong(Extent::lengthBytes)
                                .sum());
    }
}
