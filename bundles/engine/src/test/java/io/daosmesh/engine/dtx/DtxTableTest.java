package io.daosmesh.engine.dtx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.id.DtxId;
import io.daosmesh.model.id.ObjectId;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class DtxTableTest {
    private final DtxRoom room = new DtxRoom(100);
    private final DtxTable table = new DtxTable(room);

    private static DtxId id(long n) {
        return new DtxId(new UUID(1, 2), n);
    }

    private static DtxTable.Committed dtx(long n, long epoch) {
        return new DtxTable.Committed(id(n), epoch, n % 2);
    }

    @Test
    void shouldTellWhatMayBeResentByGroup() {
        table.endCommit(dtx(1, 11), 0);
        table.endCommit(dtx(2, 12), 50);
        table.endCommit(dtx(3, 13), 50);
        table.startCommit(dtx(5, 15));

        var recent = table.recent(DtxTable.COMMITTED_AGE_MIN_NS + 1);

        assertEquals(List.of(dtx(5, 15), dtx(3, 13)), recent.of(1));
        assertEquals(List.of(dtx(2, 12)), recent.of(0));
        assertTrue(recent.has(0) && recent.has(1));
        assertFalse(recent.has(7));
    }

    @Test
    void shouldKnowACommittedDtxUntilItIsForgotten() {
        table.startCommit(dtx(1, 11));
        assertEquals(11L, table.committedEpoch(id(1)));
        table.endCommit(dtx(1, 11), 0);
        table.endCommit(dtx(2, 12), 5);

        assertEquals(11L, table.committedEpoch(id(1)));
        assertEquals(List.of(), table.takeExpired(DtxTable.COMMITTED_AGE_NS, 10));
        assertEquals(List.of(id(1)), table.takeExpired(DtxTable.COMMITTED_AGE_NS + 1, 10));
        assertNull(table.committedEpoch(id(1)));
        assertEquals(12L, table.committedEpoch(id(2)));
    }

    @Test
    void shouldKeepEveryDtxAsLongAsAClientMayResendIt() {
        for (int i = 0; i <= DtxTable.COMMITTED_MAX; i++) table.endCommit(dtx(i, i), i);

        assertEquals(List.of(), table.takeExpired(DtxTable.COMMITTED_AGE_MIN_NS, 10));
        assertEquals(List.of(id(0)), table.takeExpired(DtxTable.COMMITTED_AGE_MIN_NS + 1, 10), "down to the number");
    }

    /** What is promised to be known is known, however full it is. */
    @Test
    void shouldSayThatThereIsNoRoomInsteadOfForgetting() {
        for (int i = 0; i < 100; i++) table.endCommit(dtx(i, i), 0);

        assertTrue(room.isShort() && room.isFull());
        assertEquals(List.of(), table.takeExpired(DtxTable.COMMITTED_AGE_MIN_NS, 10));
        for (int i = 0; i < 100; i++) assertEquals((long) i, table.committedEpoch(id(i)));
        assertEquals(
                13, table.takeExpired(DtxTable.COMMITTED_AGE_MIN_NS + 1, 100).size(), "until there is some");
        assertFalse(room.isShort());
    }

    /** Else a restart under load would be followed by a time in which all updates are refused. */
    @Test
    void shouldKeepWhatAFormerLifeHasKeptBesideItsRoom() {
        for (int i = 0; i < 90; i++) table.load(dtx(i, i), 0);
        assertEquals(0, room.used());
        for (int i = 90; i < 170; i++) table.endCommit(dtx(i, i), 5);

        assertEquals(80, room.used());
        for (int i = 0; i < 170; i++) assertEquals((long) i, table.committedEpoch(id(i)));
        table.endCommit(dtx(170, 170), DtxTable.COMMITTED_AGE_NS + 1);
        assertEquals(90, table.takeExpired(DtxTable.COMMITTED_AGE_NS + 1, 100).size());
        assertEquals(81, room.used());
        assertEquals(80, table.takeExpired(DtxTable.COMMITTED_AGE_NS + 6, 100).size());
        assertEquals(1, room.used());
    }

    @Test
    void shouldCountWhatIsOpenAsWell() {
        DtxEntry e = prepared(1, 11, new byte[] {1});
        table.add(e);
        assertEquals(DtxRoom.PREPARED_WEIGHT, room.used());

        table.remove(e);
        table.startCommit(dtx(1, 11));
        assertEquals(1, room.used());
        table.endCommit(dtx(1, 11), 0);
        assertEquals(1, room.used());
        table.close();

        assertEquals(0, room.used());
        table.endCommit(dtx(2, 11), 0);
        assertEquals(0, room.used(), "a shard that is gone");
    }

    private static DtxEntry prepared(long n, long epoch, byte[] scope) {
        var place = new DtxEntry.Place(1, new UUID(3, 4), new ObjectId(5, 6), 0);
        return new DtxEntry(id(n), epoch, place, new byte[] {1}, List.of(scope), List.of());
    }

    @Test
    void shouldTellWhatIsLedHereFromWhatNobodyDrives() {
        byte[] led = {1};
        byte[] orphaned = {2};
        DtxEntry mine = prepared(1, 11, led);
        mine.setLed(true);

        table.add(mine);
        table.add(prepared(2, 12, orphaned));

        assertTrue(table.isLed(led, 11));
        assertFalse(table.hasOrphans(led));
        assertFalse(table.isLed(orphaned, 11), "another leader's epoch");
        assertTrue(table.hasOrphans(orphaned));
        table.remove(mine);
        assertFalse(table.isLed(led, 11));
    }
}
