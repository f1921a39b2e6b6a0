package io.daosmesh.engine.shard;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.daosmesh.engine.dtx.DtxEntry;
import io.daosmesh.engine.vos.GroupReader;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.Prepared;
import io.daosmesh.engine.vos.VosRecord;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.DtxId;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.storage.kv.ForwardingKvStore;
import io.daosmesh.storage.kv.KvBatch;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import io.daosmesh.storage.kv.MemoryKvStore;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** An index as the release before has written it. */
class LayoutChangeTest {
    private static final byte[] DKEY = {'d', 0};

    private final UUID pool = new UUID(1, 2);
    private final ObjectId oid = new ObjectId(0x0009000100000000L, 7);
    private final byte[] group = Keys.group(pool, new UUID(3, 4), oid, 0);
    private final byte[] dkey = Keys.under(group, DKEY);
    private final byte[] array = Keys.under(dkey, new byte[] {'a'});
    private final byte[] single = Keys.under(dkey, new byte[] {'s'});
    private final DtxId dtx = new DtxId(new UUID(5, 5), 6);
    private final MemoryKvStore kv = new MemoryKvStore();
    private int writesLeft = Integer.MAX_VALUE;

    private static byte[] old(byte[] scope, long epoch, int kind, long offset) {
        return ByteBuffer.allocate(scope.length + 17)
                .put(scope)
                .putLong(~epoch)
                .put((byte) kind)
                .putLong(offset)
                .array();
    }

    private byte[] put(byte[] scope, long epoch, int kind, long offset, int length) {
        byte[] key = old(scope, epoch, kind, offset);
        VosRecord r = kind == VosRecord.EXTENT || kind == VosRecord.SINGLE
                ? VosRecord.inline(key, kind, offset, 0, new byte[length])
                : VosRecord.punch(key, kind, offset, length);
        kv.write(new KvBatch().put(key, r.encode()), false);
        return key;
    }

    @BeforeEach
    void writeAnIndex() {
        kv.write(new KvBatch().put(Keys.format(), new byte[] {1}), true);
        put(Keys.punches(group), 10, VosRecord.PUNCH_OBJECT, 0, 0);
        put(Keys.punches(dkey), 20, VosRecord.PUNCH_DKEY, 0, 0);
        put(single, 15, VosRecord.SINGLE, 0, 1);
        put(single, 25, VosRecord.SINGLE, 0, 2);
        put(array, 30, VosRecord.PUNCH_AKEY, 0, 0);
        for (int i = 0; i < 1_000; i++) put(array, 100 + i, VosRecord.EXTENT, 10L * i, 10);
        put(array, 2_000, VosRecord.PUNCH_EXTENT, 9_000, 500);
        byte[] open = put(array, 3_000, VosRecord.EXTENT, 20_000, 10);
        DtxEntry.Place place = new DtxEntry.Place(1, new UUID(3, 4), oid, 0);
        DtxEntry e = new DtxEntry(dtx, 3_000, place, DKEY, List.of(dkey), List.of(open));
        kv.write(new KvBatch().put(Keys.dtx(pool, dtx), e.encode()), true);
    }

    private Fault loss() {
        return Opening.loss(
                new ForwardingKvStore(kv) {
                    @Override
                    public void write(KvBatch batch, boolean isDurable) {
                        if (writesLeft-- == 0)
                            throw Fault.of(FaultCode.IO, "killed").asException();
                        super.write(batch, isDurable);
                    }
                },
                true);
    }

    private int records() {
        int n = 0;
        try (KvCursor c = kv.cursor(KvRange.prefix(Keys.records(pool)))) {
            while (c.next()) n++;
        }
        return n;
    }

    private void assertChanged() {
        assertArrayEquals(new byte[] {Keys.LAYOUT_VERSION}, kv.get(Keys.format()));
        assertEquals(1_007, records());
        DtxEntry e = DtxEntry.decode(dtx, kv.get(Keys.dtx(pool, dtx)));
        assertNotNull(kv.get(e.recordKeys().get(0)), "an abort finds its record");
        assertEquals(3_000, e.epoch());
        try (GroupReader r = new GroupReader(kv, group, Long.MAX_VALUE, Prepared.NONE)) {
            assertEquals(2, r.at(DKEY).single(new byte[] {'s'}).length());
            GroupReader.ArrayRange found = r.array(new byte[] {'a'}, 0, 30_000);
            assertEquals(20_010, found.length());
            assertEquals(951, found.fragments().size());
            assertEquals(9_500, found.fragments().get(900).from());
        }
        try (GroupReader r = new GroupReader(kv, group, 15, Prepared.NONE)) {
            assertEquals(1, r.at(DKEY).single(new byte[] {'s'}).length());
        }
    }

    @Test
    void shouldBringAnIndexUpToDate() {
        assertNull(loss());

        assertChanged();
        assertNull(loss(), "a second time changes nothing");
        assertChanged();
    }

    @Test
    void shouldGoOnAfterACrashAtAnyMoment() {
        for (int writes = 0; ; writes++) {
            writesLeft = writes;
            Fault f = loss();
            if (f == null) break;
            assertEquals(FaultCode.IO, f.code());
        }

        assertChanged();
    }

    @Test
    void shouldLeaveADamagedRecordToWhoeverReadsIt() {
        byte[] damaged = old(array, 4_000, VosRecord.EXTENT, 0);
        kv.write(new KvBatch().put(damaged, new byte[] {1}), true);

        assertNull(loss());

        byte[] key = Keys.extent(array, 4_000, VosRecord.EXTENT, 0, 0);
        byte[] value = kv.get(key);
        FaultCode code = org.junit.jupiter.api.Assertions.assertThrows(
                        FaultException.class, () -> VosRecord.decode(key, value))
                .code();
        assertEquals(FaultCode.DF_INVAL, code);
    }
}
