package io.daosmesh.engine.dtx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.VosRecord;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.DtxId;
import io.daosmesh.model.id.ObjectId;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class DtxEntryTest {
    private final DtxId id = new DtxId(new UUID(5, 5), 7);
    private final ObjectId oid = new ObjectId(3, 4);
    private final byte[] group = Keys.group(new UUID(1, 1), new UUID(2, 2), oid, 0);
    private final byte[] a = Keys.under(group, new byte[] {'a'});
    private final byte[] ab = Keys.under(group, new byte[] {'a', 'b'});
    private final byte[] ofA = Keys.record(Keys.under(a, new byte[] {'v'}), 99, VosRecord.SINGLE);
    private final byte[] ofAb = Keys.record(Keys.punches(ab), 99, VosRecord.PUNCH_DKEY);

    private DtxEntry entry(List<byte[]> scopes, List<byte[]> keys) {
        return new DtxEntry(id, 99, new DtxEntry.Place(6, new UUID(2, 2), oid, 0), new byte[] {'a'}, scopes, keys);
    }

    @Test
    void shouldKeepTheFirstLayoutForOneScope() {
        int rest = ofA.length - a.length;
        ByteBuffer b = ByteBuffer.allocate(59 + 4 + 1 + 4 + a.length + 4 + 4 + rest - 9);
        b.put((byte) 1).put((byte) 1).putLong(99).putInt(6);
        b.putLong(2).putLong(2).putLong(3).putLong(4).putInt(0);
        b.putInt(1).put((byte) 'a').putInt(a.length).put(a).putInt(1);
        b.putInt(rest).put(ofA, a.length, rest);

        assertArrayEquals(
                Arrays.copyOf(b.array(), b.position()),
                entry(List.of(a), List.of(ofA)).encode());
        DtxEntry read = DtxEntry.decode(id, Arrays.copyOf(b.array(), b.position()));
        assertArrayEquals(a, read.scopes().get(0));
        assertArrayEquals(ofA, read.recordKeys().get(0));
        assertFalse(DtxEntry.isCommitted(b.array()));
    }

    @Test
    void shouldReadBackWhatIsCommittedAlsoWithoutItsGroup() {
        DtxTable.Committed dtx = new DtxTable.Committed(id, 99, 7);
        byte[] bytes = DtxEntry.encodeCommitted(dtx, 123);

        assertTrue(DtxEntry.isCommitted(bytes));
        assertEquals(dtx, DtxEntry.decodeCommitted(id, bytes));
        byte[] older = java.util.Arrays.copyOf(bytes, 18);
        assertEquals(new DtxTable.Committed(id, 99, 0), DtxEntry.decodeCommitted(id, older));
    }

    @Test
    void shouldReadBackSeveralScopes() {
        byte[] bytes = entry(List.of(ab, a), List.of(ofAb, ofA)).encode();

        assertEquals(2, bytes[0]);
        assertFalse(DtxEntry.isCommitted(bytes));
        DtxEntry read = DtxEntry.decode(id, bytes);
        assertTrue(read.isIn(a) && read.isIn(ab) && !read.isIn(group) && read.isUnder(group));
        assertArrayEquals(ofAb, read.recordKeys().get(0));
        assertArrayEquals(ofA, read.recordKeys().get(1));
        assertEquals(6, read.mapVersion());
        for (int cut = 10; cut < bytes.length; cut++) {
            byte[] shorter = Arrays.copyOf(bytes, cut);
            FaultException e = assertThrows(FaultException.class, () -> DtxEntry.decode(id, shorter));
            assertEquals(FaultCode.DF_INVAL, e.code());
        }
    }

    @Test
    void shouldHideAndShowAllScopesTogether() {
        DtxTable table = new DtxTable(new DtxRoom(DtxRoom.TARGET_MAX));
        DtxEntry e = entry(List.of(ab, a), List.of(ofAb, ofA));

        table.add(e);
        assertTrue(table.epochs(a).contains(99L) && table.epochs(ab).contains(99L));
        assertArrayEquals(a, table.firstOpen(List.of(group, a), id));
        assertTrue(table.isOpenAt(List.of(group, ab), 99) && !table.isOpenAt(List.of(a), 98));
        table.remove(e);

        assertEquals(null, table.firstOpen(List.of(a, ab), id));
        assertTrue(table.epochs(a).isEmpty() && table.epochs(ab).isEmpty());
        table.addDoubt(e);
        assertEquals(null, table.firstOpen(List.of(a, ab), id), "its own next try may go on");
        assertArrayEquals(ab, table.firstOpen(List.of(group, ab), new DtxId(new UUID(5, 5), 8)));
        table.removeDoubt(e);
        assertEquals(null, table.firstOpen(List.of(a, ab), new DtxId(new UUID(5, 5), 8)));
    }
}
