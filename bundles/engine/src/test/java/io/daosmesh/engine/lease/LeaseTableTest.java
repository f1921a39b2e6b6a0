package io.daosmesh.engine.lease;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.engine.shard.Leases;
import java.util.ArrayList;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class LeaseTableTest {
    private static final long MS = 1_000_000L;
    private final UUID pool = new UUID(1, 1);

    @Test
    void shouldHoldUntilTheLeaseOfTheSlowestMemberRunsOut() {
        LeaseTable t = new LeaseTable(0, 0);
        t.adopt(pool, 1);
        assertFalse(t.holds(pool, 1, List.of(1, 2), 10 * MS));
        assertEquals(2, t.due(10 * MS).size());
        t.onGranted(pool, 1, 10 * MS);
        assertFalse(t.holds(pool, 1, List.of(1, 2), 11 * MS));
        t.onGranted(pool, 2, 50 * MS);

        assertTrue(t.holds(pool, 1, List.of(1, 2), 10 * MS + LeaseTable.LEASE_NS - 1));
        assertFalse(t.holds(pool, 1, List.of(1, 2), 10 * MS + LeaseTable.LEASE_NS));
        assertTrue(t.holds(pool, 1, List.of(2), 10 * MS + LeaseTable.LEASE_NS));
    }

    @Test
    void shouldBeIdleOnceNobodyReadsAndWhatIsHeldHasRunOut() {
        LeaseTable t = new LeaseTable(0, 0);
        t.adopt(pool, 1);
        assertTrue(t.isIdle(0));
        t.holds(pool, 1, List.of(1), 0);
        for (long now = 0; !t.isIdle(now); now += LeaseTable.RENEW_NS / 2)
            if (!t.due(now).isEmpty()) t.onGranted(pool, 1, now);

        assertFalse(t.isIdle(5_000 * MS));
        assertTrue(t.isIdle(6_000 * MS));
        assertFalse(t.holds(pool, 1, List.of(1), 6_000 * MS));
    }

    @Test
    void shouldRefuseTheReadsOfATargetThatLagsBehindItsRank() {
        LeaseTable t = new LeaseTable(0, 0);
        t.adopt(pool, 1);
        assertTrue(t.holds(pool, 1, List.of(), 0));

        t.adopt(pool, 2);

        assertFalse(t.holds(pool, 1, List.of(), 0));
        assertTrue(t.holds(pool, 2, List.of(), 0));
    }

    @Test
    void shouldGrantNothingToAnOlderMapAndWaitForWhatItGranted() {
        LeaseTable t = new LeaseTable(1, 0);
        assertFalse(t.grant(pool, 0, 1, 5_000 * MS), "unknown pool");
        t.adopt(pool, 1);
        assertTrue(t.grant(pool, 0, 1, 5_000 * MS));
        t.adopt(pool, 2);

        assertFalse(t.grant(pool, 0, 1, 5_100 * MS));
        long whole = LeaseTable.LEASE_NS + LeaseTable.MARGIN_NS;
        assertEquals(whole - 100 * MS, t.leftNs(pool, 0, 2, 5_100 * MS));
        assertEquals(0, t.leftNs(pool, 0, 2, 5_000 * MS + whole));
        assertEquals(0, t.leftNs(pool, 1, 2, 5_100 * MS), "the own rank");
        assertTrue(t.grant(pool, 0, 2, 5_200 * MS));
        assertEquals(0, t.leftNs(pool, 0, 2, 5_200 * MS), "it knows the map: it will not read by an older one");
    }

    @Test
    void shouldTellOfTheLongestGrantToAnyRankThatHasNotSeenTheMap() {
        LeaseTable t = new LeaseTable(1, 0);
        t.adopt(pool, 1);
        assertTrue(t.grant(pool, 0, 2, 5_000 * MS), "it knows more than this rank");
        assertTrue(t.grant(pool, 2, 1, 5_100 * MS));
        assertTrue(t.grant(pool, 3, 4, 5_300 * MS));
        t.adopt(pool, 4);

        long whole = LeaseTable.LEASE_NS + LeaseTable.MARGIN_NS;
        assertEquals(whole - 300 * MS, t.leftNs(pool, Leases.ANY_RANK, 4, 5_400 * MS));
        assertFalse(t.grant(pool, 2, 3, 5_500 * MS));
        assertTrue(t.grant(pool, 2, 4, 5_500 * MS));
        assertEquals(whole - 500 * MS, t.leftNs(pool, Leases.ANY_RANK, 4, 5_500 * MS), "rank 0");
        assertEquals(0, t.leftNs(pool, Leases.ANY_RANK, 4, 5_000 * MS + whole));
    }

    @Test
    void shouldReckonWithWhatAFormerLifeGranted() {
        LeaseTable t = new LeaseTable(1, 7_000 * MS);
        t.adopt(pool, 2);

        assertTrue(t.leftNs(pool, 0, 2, 7_100 * MS) > 0);
        assertEquals(0, t.leftNs(pool, 0, 2, 8_000 * MS));
    }

    @Test
    void shouldAskAtOnceForANewMapAndRarelyOtherwise() {
        LeaseTable t = new LeaseTable(0, 0);
        t.adopt(pool, 1);
        t.holds(pool, 1, List.of(1), 0);
        assertEquals(1, t.due(0).size());
        assertEquals(0, t.due(LeaseTable.RENEW_NS - 1).size());
        t.adopt(pool, 2);
        assertEquals(2, t.due(LeaseTable.RENEW_NS - 1).get(1).get(0).mapVersion());

        assertEquals(0, t.due(6_000 * MS).size(), "nobody reads any more");
    }

    /** A clock that runs at its own speed from its own origin. */
    private record Clock(long originNs, double speed) {
        long at(long trueNs) {
            return originNs + (long) (trueNs * speed);
        }
    }

    private record Event(long atNs, Runnable what) {}

    /** Rank 0 leads until map 2 puts it out; 1 and 2 write when nothing is left. Messages are slow, lost, late. */
    @Test
    void shouldNeverReadByTheOldMapOnceAnUpdateOfTheNewOneMayPass() {
        int reads = 0;
        for (long seed = 0; seed < 3_000; seed++) reads += run(new Random(seed), seed);
        assertTrue(reads > 10_000, "the leader did read: " + reads);
    }

    private int run(Random random, long seed) {
        Clock[] clocks = new Clock[3];
        LeaseTable[] tables = new LeaseTable[3];
        for (int r = 0; r < 3; r++) {
            clocks[r] = new Clock(random.nextLong() >> 2, 1 + (random.nextDouble() - 0.5) / 100);
            tables[r] = new LeaseTable(r, clocks[r].at(0));
            tables[r].adopt(pool, 1);
        }
        PriorityQueue<Event> events = new PriorityQueue<>((x, y) -> Long.compare(x.atNs, y.atNs));
        long[] now = new long[1];
        long[] firstWrite = {Long.MAX_VALUE};
        List<Long> reads = new ArrayList<>();
        for (long t = 0; t < 4_000 * MS; t += 20 * MS + random.nextInt(20) * MS) {
            events.add(new Event(t, () -> {
                if (tables[0].holds(pool, 1, List.of(1, 2), clocks[0].at(now[0]))) reads.add(now[0]);
                long asked = clocks[0].at(now[0]);
                tables[0].due(asked).forEach((to, asks) -> {
                    if (random.nextInt(5) == 0) return;
                    long there = now[0] + random.nextInt(300) * MS;
                    events.add(new Event(there, () -> {
                        if (!tables[to].grant(pool, 0, 1, clocks[to].at(now[0]))) return;
                        long back = now[0] + random.nextInt(300) * MS;
                        events.add(new Event(back, () -> tables[0].onGranted(pool, to, asked)));
                    }));
                });
            }));
            events.add(new Event(t + 1, () -> {
                boolean mayWrite = true;
                for (int r = 1; r < 3; r++)
                    mayWrite &= tables[r].version(pool) == 2 && tables[r].leftNs(pool, 0, 2, clocks[r].at(now[0])) == 0;
                if (mayWrite) firstWrite[0] = Math.min(firstWrite[0], now[0]);
            }));
        }
        for (int r = 1; r < 3; r++) {
            int rank = r;
            long adoptNs = 1_000 * MS + random.nextInt(500) * MS;
            events.add(new Event(adoptNs, () -> tables[rank].adopt(pool, 2)));
            // the engine starts anew, with the map that it has noted
            if (random.nextBoolean())
                events.add(new Event(adoptNs + random.nextInt(900) * MS, () -> {
                    tables[rank] = new LeaseTable(rank, clocks[rank].at(now[0]));
                    tables[rank].adopt(pool, 2);
                }));
        }
        for (Event e = events.poll(); e != null; e = events.poll()) {
            now[0] = e.atNs;
            e.what.run();
        }
        assertTrue(firstWrite[0] < Long.MAX_VALUE, "writes go on");
        for (long t : reads) assertTrue(t <= firstWrite[0], "seed " + seed + ": read at " + t);
        return reads.size();
    }
}
