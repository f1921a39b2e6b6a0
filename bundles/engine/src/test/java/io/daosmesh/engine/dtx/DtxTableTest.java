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
    private final DtxTable table = new DtxTable();

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

        assertEquals(List.of(dtx(3, 13), dtx(5, 15)), recent.get(1L));
        assertEquals(List.of(dtx(2, 12)), recent.get(0L));
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
