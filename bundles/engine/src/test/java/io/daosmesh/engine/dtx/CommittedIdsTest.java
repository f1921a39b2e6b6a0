package io.daosmesh.engine.dtx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.id.DtxId;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class CommittedIdsTest {
    private final CommittedIds ids = new CommittedIds();

    private static DtxTable.Committed dtx(long n) {
        return new DtxTable.Committed(new DtxId(new UUID(n % 7, n % 3), n), n * 10, n % 5);
    }

    @Test
    void shouldBehaveLikeAMapInTheOrderOfCommits() {
        Map<DtxId, DtxTable.Committed> model = new LinkedHashMap<>();
        Random random = new Random(5);
        int next = 0;
        for (int step = 0; step < 60_000; step++) {
            // grows for a while, shrinks for a while
            boolean isGrowing = step / 10_000 % 2 == 0;
            if (model.isEmpty() || random.nextInt(10) < (isGrowing ? 7 : 3)) {
                DtxTable.Committed d = dtx(next++);
                model.put(d.id(), d);
                ids.put(d, step);
            } else {
                DtxId oldest = model.keySet().iterator().next();
                model.remove(oldest);
                assertEquals(oldest, ids.removeOldest());
                assertEquals(-1, ids.find(oldest));
            }
            DtxTable.Committed any = dtx(random.nextInt(next));
            long found = ids.find(any.id());
            assertEquals(model.containsKey(any.id()), found >= 0);
            if (found >= 0) assertEquals(any, ids.entry(found));
            assertEquals(model.size(), ids.count());
        }
        for (DtxTable.Committed d : model.values()) assertEquals(d, ids.entry(ids.find(d.id())));
    }

    @Test
    void shouldKeepThePlaceOfWhatIsCommittedAgain() {
        ids.put(dtx(1), 10);
        ids.put(dtx(2), 20);
        ids.put(new DtxTable.Committed(dtx(1).id(), 99, 4), 30);

        assertEquals(2, ids.count());
        assertEquals(99, ids.epoch(ids.find(dtx(1).id())));
        assertEquals(30, ids.oldestNs());
        assertEquals(dtx(1).id(), ids.removeOldest());
        assertEquals(dtx(2).id(), ids.removeOldest());
    }

    @Test
    void shouldTakeAFewBytesEachAndGiveThemBack() {
        int count = 300_000;
        for (int i = 0; i < count; i++) ids.put(dtx(i), i);
        assertTrue(ids.bytes() <= (long) count * CommittedIds.BYTES_EACH + 300_000, ids.bytes() + " bytes");

        for (int i = 0; i < count; i++) ids.removeOldest();

        assertEquals(0, ids.count());
        assertTrue(ids.bytes() < 300_000, ids.bytes() + " bytes");
    }

    @Test
    void shouldTellTheRecentOnesOfAGroupAsLongAsTheyAreHere() {
        for (int i = 0; i < 10_000; i++) ids.put(dtx(i), i);
        CommittedIds.Groups recent = ids.groups(5_000);
        ids.put(dtx(10_003), 10_003);
        for (int i = 0; i < 6_001; i++) ids.removeOldest();

        List<DtxTable.Committed> expected = new ArrayList<>();
        for (int i = 6_001; i < 10_000; i++) if (i % 5 == 3) expected.add(dtx(i));
        Collections.reverse(expected);
        assertEquals(expected, ids.of(recent, 3));
        assertEquals(List.of(), ids.of(recent, 77));
    }
}
