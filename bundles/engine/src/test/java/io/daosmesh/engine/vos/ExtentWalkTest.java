package io.daosmesh.engine.vos;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.engine.fake.CountingKv;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.storage.kv.KvBatch;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import io.daosmesh.storage.kv.MemoryKvStore;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** What lookups cost in an array of very many extents, in moves of a cursor: a step never grows with the array. */
class ExtentWalkTest {
    private static final int MANY = 100_000;
    /** One call: its visits, a jump for some of them, and one window more. */
    private static final int CALL_MOVES_MAX = 3 * Enumerator.VISITS_MAX;

    private static final byte[] DKEY = {'d'};
    private static final byte[] AKEY = {'a'};

    private final UUID pool = new UUID(1, 2);
    private final byte[] group = Keys.group(pool, new UUID(3, 4), new ObjectId(0x0009000100000000L, 7), 0);
    private final byte[] dkey = Keys.under(group, DKEY);
    private final byte[] akey = Keys.under(dkey, AKEY);
    private final MemoryKvStore store = new MemoryKvStore();
    private final CountingKv kv = new CountingKv(store);
    private long epoch;

    private void put(byte[] key, int kind, long offset, long length) {
        VosRecord r = kind == VosRecord.EXTENT
                ? new VosRecord(key, kind, offset, length, 0, new byte[0], List.of(), new int[0])
                : VosRecord.punch(key, kind, offset, length);
        store.write(new KvBatch().put(key, r.encode()), false);
    }

    private void extent(int kind, long offset, long length) {
        put(Keys.extent(akey, ++epoch, kind, offset, length), kind, offset, length);
    }

    private void punchAkey(byte[] prefix) {
        put(Keys.record(prefix, ++epoch, VosRecord.PUNCH_AKEY), VosRecord.PUNCH_AKEY, 0, 0);
    }

    /** 4,000 bytes of each 8,192, in no order. */
    private void scatter() {
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < MANY; i++) order.add(i);
        java.util.Collections.shuffle(order, new Random(7));
        for (int i : order) extent(VosRecord.EXTENT, 8_192L * i, 4_000);
    }

    private GroupReader reader() {
        return new GroupReader(kv, group, Long.MAX_VALUE, Prepared.NONE);
    }

    private int fetchMoves(long offset, long length, int fragments) {
        kv.takeMoves();
        try (GroupReader r = reader()) {
            assertEquals(
                    fragments,
                    r.at(DKEY).array(AKEY, offset, length).fragments().size());
        }
        return kv.takeMoves();
    }

    private int listMoves(byte[] anchor, List<Enumerator.Range> into, byte[][] next) {
        kv.takeMoves();
        try (GroupReader r = reader()) {
            Enumerator.Page<Enumerator.Range> page = Enumerator.extents(r.at(DKEY), dkey, AKEY, anchor, 1_024);
            into.addAll(page.items());
            next[0] = page.isEnd() ? null : page.anchor();
        }
        return kv.takeMoves();
    }

    private void listAll(List<Enumerator.Range> into) {
        byte[][] next = {{}};
        while (next[0] != null) assertTrue(listMoves(next[0], into, next) < CALL_MOVES_MAX);
    }

    @Test
    void shouldListAndFetchScatteredExtentsInBoundedSteps() {
        scatter();
        List<Enumerator.Range> all = new ArrayList<>();

        listAll(all);

        assertEquals(MANY, all.size());
        assertEquals(new Enumerator.Range(8_192L * (MANY - 1), 4_000), all.get(MANY - 1));
        assertTrue(fetchMoves(8_192L * (MANY / 2) + 100, 200, 1) < 50);
        assertTrue(fetchMoves(8_192L * (MANY / 3), 10 * 8_192, 10) < 100);
        assertTrue(fetchMoves(8_192L * MANY, 4_096, 0) < 100, "behind the end");
        kv.takeMoves();
        try (GroupReader r = reader()) {
            assertTrue(r.at(DKEY).akeyExists(AKEY));
        }
        assertTrue(kv.takeMoves() < 50);
    }

    @Test
    void shouldFindAmongExtentsOfAllLengths() {
        Random random = new Random(3);
        for (int i = 0; i < MANY; i++)
            extent(VosRecord.EXTENT, (long) i << 22, 1 + random.nextInt(1 << random.nextInt(23)));

        int longest = 0;
        for (int i = 0; i < 50; i++) longest = Math.max(longest, fetchMoves((long) random.nextInt(MANY) << 22, 1, 1));

        assertTrue(longest < 200, "took " + longest);
    }

    @Test
    void shouldSkipOlderVersionsOfAPlace() {
        for (int i = 0; i < MANY; i++) extent(VosRecord.EXTENT, 4_096L * (i % 100), 4_096);

        assertTrue(fetchMoves(0, 100 * 4_096, 100) < 500);
        assertTrue(listMoves(new byte[0], new ArrayList<>(), new byte[1][]) < 500);
    }

    @Test
    void shouldStopASearchAfterTheVisitsOfAStep() {
        scatter();
        ArraySearch search;
        try (GroupReader r = reader()) {
            search = r.at(DKEY).search(AKEY, 0, 8_192L * 20_000);
        }

        boolean isDone = false;
        int steps = 0;
        for (; !isDone; steps++) {
            kv.takeMoves();
            try (GroupReader r = reader()) {
                isDone = r.step(search, 1_000);
            }
            assertTrue(kv.takeMoves() < 2_500);
        }

        assertTrue(steps >= 20);
        assertEquals(20_000, search.range().fragments().size());
    }

    @Test
    void shouldLookForWhatExistsInBoundedSteps() {
        for (int i = 0; i < MANY; i++) extent(VosRecord.EXTENT, 4_096L * i, 4_096);
        punchAkey(akey);
        for (int i = 0; i < MANY / 10; i++) {
            byte[] prefix = Keys.under(dkey, ("b" + i).getBytes());
            put(Keys.record(prefix, ++epoch, VosRecord.SINGLE), VosRecord.SINGLE, 0, 0);
            punchAkey(prefix);
        }
        byte[] last = Keys.under(dkey, new byte[] {'z'});
        put(Keys.record(last, ++epoch, VosRecord.SINGLE), VosRecord.SINGLE, 0, 0);

        List<byte[]> akeys = new ArrayList<>();
        List<byte[]> dkeys = new ArrayList<>();
        byte[][] next = {{}};
        while (next[0] != null) assertTrue(keysMoves(next, akeys, false) < CALL_MOVES_MAX);
        next[0] = new byte[0];
        while (next[0] != null) assertTrue(keysMoves(next, dkeys, true) < CALL_MOVES_MAX);

        assertEquals(List.of("z"), akeys.stream().map(String::new).toList());
        assertEquals(List.of("d"), dkeys.stream().map(String::new).toList());
        kv.takeMoves();
        try (GroupReader r = reader()) {
            r.at(DKEY);
            FaultCode code =
                    assertThrows(FaultException.class, () -> r.akeyExists(AKEY)).code();
            assertEquals(FaultCode.BUSY, code, "it does not say no without having looked");
        }
        assertTrue(kv.takeMoves() < 3 * GroupReader.EXISTENCE_VISITS_MAX);
    }

    private int keysMoves(byte[][] next, List<byte[]> into, boolean isDkeys) {
        kv.takeMoves();
        try (GroupReader r = reader()) {
            Enumerator.Page<byte[]> page = isDkeys
                    ? Enumerator.dkeys(r, group, next[0], 100)
                    : Enumerator.akeys(r.at(DKEY), dkey, next[0], 100);
            into.addAll(page.items());
            next[0] = page.isEnd() ? null : page.anchor();
        }
        return kv.takeMoves();
    }

    @Test
    void shouldRefuseAnAnchorThatIsNone() {
        for (byte[] anchor : new byte[][] {{7}, {1, 0, 0}, {1, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0}}) {
            try (GroupReader r = reader()) {
                FaultCode code = assertThrows(FaultException.class, () -> Enumerator.dkeys(r, group, anchor, 1))
                        .code();
                assertEquals(FaultCode.INVAL, code);
            }
        }
    }

    @Test
    void shouldDropSupersededInBoundedStepsInsideAnAkey() {
        scatter();
        // every tenth is covered by longer ones in other places, every fifth written again
        for (int i = 0; i < MANY; i += 10) extent(VosRecord.EXTENT, 8_192L * i, 4_100);
        for (int i = 5; i < MANY; i += 10) extent(VosRecord.EXTENT, 8_192L * i, 4_000);
        int entriesMax = 4_000;

        byte[] at = Keys.records(pool);
        int dropped = 0;
        while (at != null) {
            kv.takeMoves();
            Superseded.Found found;
            try (KvCursor c = kv.cursor(KvRange.prefix(Keys.records(pool)))) {
                found = Superseded.search(c, at, epoch, Prepared.NONE, g -> true, entriesMax);
            }
            assertTrue(kv.takeMoves() < 6 * entriesMax);
            KvBatch batch = new KvBatch();
            found.records().forEach(r -> batch.delete(r.key()));
            store.write(batch, false);
            dropped += found.records().size();
            assertFalse(at.length > 0 && Arrays.equals(at, found.next()), "stands still");
            at = found.next();
        }

        assertEquals(MANY / 10 + MANY / 10, dropped);
    }

    @Test
    void shouldDropTruncationsUnderLongerOnes() {
        extent(VosRecord.EXTENT, 0, 4_096);
        for (int i = 0; i < 1_000; i++) {
            extent(VosRecord.PUNCH_EXTENT, 8_192 - i, Long.MAX_VALUE - 8_192);
        }

        Superseded.Found found;
        try (KvCursor c = kv.cursor(KvRange.prefix(Keys.records(pool)))) {
            found = Superseded.search(c, Keys.records(pool), epoch, Prepared.NONE, g -> true, 4_000);
        }

        // each ends a byte before the one that it does not cover
        assertEquals(0, found.records().size());
        extent(VosRecord.PUNCH_EXTENT, 5_000, Long.MAX_VALUE - 5_000);
        try (KvCursor c = kv.cursor(KvRange.prefix(Keys.records(pool)))) {
            found = Superseded.search(c, Keys.records(pool), epoch, Prepared.NONE, g -> true, 4_000);
        }
        assertEquals(1_000, found.records().size());
    }
}
