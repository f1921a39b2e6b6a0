package io.daosmesh.engine.dtx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.daosmesh.model.id.DtxId;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class DtxTableTest {
    private final DtxTable table = new DtxTable();

    private static DtxId id(long n) {
        return new DtxId(new UUID(1, 2), n);
    }

    @Test
    void shouldKnowACommittedDtxUntilItIsForgotten() {
        table.startCommit(id(1), 11);
        assertEquals(11L, table.committedEpoch(id(1)));
        table.endCommit(id(1), 11, 0);
        table.endCommit(id(2), 12, 5);

        assertEquals(11L, table.committedEpoch(id(1)));
        assertEquals(List.of(), table.takeExpired(DtxTable.COMMITTED_AGE_NS, 10));
        assertEquals(List.of(id(1)), table.takeExpired(DtxTable.COMMITTED_AGE_NS + 1, 10));
        assertNull(table.committedEpoch(id(1)));
        assertEquals(12L, table.committedEpoch(id(2)));
    }

    @Test
    void shouldKeepEveryDtxAsLongAsAClientMayResendIt() {
        for (int i = 0; i <= DtxTable.COMMITTED_MAX; i++) table.endCommit(id(i), i, i);

        assertEquals(List.of(), table.takeExpired(DtxTable.COMMITTED_AGE_MIN_NS, 10));
        assertEquals(List.of(id(0)), table.takeExpired(DtxTable.COMMITTED_AGE_MIN_NS + 1, 10), "down to the number");
    }
}
