package io.daosmesh.engine.space;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.daosmesh.engine.dtx.DtxRoom;
import io.daosmesh.engine.fake.DirectBuffers;
import io.daosmesh.engine.fake.ManualLoop;
import io.daosmesh.engine.fake.MemoryBlob;
import io.daosmesh.engine.shard.Opening;
import io.daosmesh.engine.shard.PoolShard;
import io.daosmesh.engine.shard.TargetContext;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.VosRecord;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.storage.PoolSpace;
import io.daosmesh.storage.SpaceAccount;
import io.daosmesh.storage.kv.ForwardingKvStore;
import io.daosmesh.storage.kv.KvBatch;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import io.daosmesh.storage.kv.KvStore;
import io.daosmesh.storage.kv.MemoryKvStore;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** The step of a deletion must not grow with what the steps before have deleted: in the index that lies there for long. */
class DeletionTest {
    private static final int RECORDS = 5_000;

    private final UUID pool = new UUID(1, 1);
    private final MemoryKvStore memory = new MemoryKvStore();
    private final Graves kv = new Graves(memory);
    private final ManualLoop loop = new ManualLoop(kv);
    private final SpaceAccount scm = new SpaceAccount(1 << 24);
    private final TargetContext context = new TargetContext(
            0, 0, kv, new DirectBuffers(), loop.pipeline(), loop, null, null, new DtxRoom(DtxRoom.TARGET_MAX));
    private final PoolShard shard = Opening.shard(context, new PoolSpace(pool, 0, scm, new MemoryBlob(1 << 20)), 4_096);

    /** Counts the deleted entries that cursors pass when they begin. */
    private static final class Graves extends ForwardingKvStore {
        private final TreeSet<byte[]> graves = new TreeSet<>(Arrays::compareUnsigned);
        private int passed;

        Graves(KvStore store) {
            super(store);
        }

        @Override
        public void write(KvBatch batch, boolean isDurable) {
            super.write(batch, isDurable);
            batch.forEach(new KvBatch.Visitor() {
                @Override
                public void put(byte[] key, byte[] value) {
                    graves.remove(key);
                }

                @Override
                public void delete(byte[] key) {
                    graves.add(key);
                }

                @Override
                public void deleteRange(byte[] from, byte[] to) {
                    throw new UnsupportedOperationException();
                }
            });
        }

        @Override
        public KvCursor cursor(KvRange range) {
            KvCursor c = super.cursor(range);
            return new KvCursor() {
                private byte[] from = range.from();

                @Override
                public boolean next() {
                    boolean isThere = c.next();
                    byte[] to = isThere ? c.key() : range.to();
                    if (from != null) passed += graves.subSet(from, to).size();
                    from = null;
                    return isThere;
                }

                @Override
                public void seek(byte[] key) {
                    from = key;
                    c.seek(key);
                }

                @Override
                public byte[] key() {
                    return c.key();
                }

                @Override
                public byte[] value() {
                    return c.value();
                }

                @Override
                public void close() {
                    c.close();
                }
            };
        }
    }

    private byte[] fill(int group, int count) {
        byte[] prefix = Keys.group(pool, new UUID(2, 2), new ObjectId(3, 4), group);
        byte[] akey = Keys.under(Keys.under(prefix, new byte[] {'d'}), new byte[] {'a'});
        KvBatch batch = new KvBatch();
        for (int i = 0; i < count; i++) {
            byte[] key = Keys.extent(akey, 10 + i, VosRecord.PUNCH_EXTENT, 10L * i, 5);
            VosRecord r = VosRecord.punch(key, VosRecord.PUNCH_EXTENT, 10L * i, 5);
            scm.chargeAlways(r.scmBytes());
            batch.put(key, r.encode());
        }
        kv.write(batch, false);
        return prefix;
    }

    @Test
    void shouldNotPassAgainWhatItHasDeleted() {
        List<byte[]> doomed = List.of(fill(0, RECORDS), fill(1, 10), fill(2, RECORDS));
        long before = memory.sizeBytes();
        byte[] kept = fill(3, 10);
        long keptBytes = memory.sizeBytes() - before;
        List<Fault> ends = new ArrayList<>();

        Deletion.start(context, shard, doomed, ends::add);
        loop.drain();

        assertEquals(Arrays.asList((Fault) null), ends);
        assertEquals(keptBytes, memory.sizeBytes());
        assertEquals(0, kv.passed);
        Deletion.start(context, shard, List.of(kept), ends::add);
        loop.drain();
        assertEquals(0, scm.usedBytes());
    }

    @Test
    void shouldLeaveAPrefixThatIsWantedAgain() {
        byte[] wanted = fill(0, RECORDS);
        byte[] doomed = fill(1, RECORDS);
        int[] asked = new int[1];

        // the first one is wanted again in the middle of it
        Deletion.start(context, shard, List.of(wanted, doomed), p -> p != wanted || asked[0]++ < 3, f -> {});
        loop.drain();

        try (KvCursor c = kv.cursor(KvRange.prefix(doomed))) {
            assertEquals(false, c.next());
        }
        try (KvCursor c = kv.cursor(KvRange.prefix(wanted))) {
            assertEquals(true, c.next());
        }
    }
}
