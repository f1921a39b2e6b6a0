package io.daosmesh.engine.vos;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.id.ObjectId;
import io.daosmesh.storage.kv.KvBatch;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import io.daosmesh.storage.kv.MemoryKvStore;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Thousands of extents, holes and punches of one array, in any order of their epochs, against a model that keeps each byte. */
class ExtentModelTest {
    private static final int OPS = 4_000;
    private static final int OFFSETS = 6_000;
    private static final int LONGEST = 4_096;
    private static final int BYTES = OFFSETS + LONGEST;
    private static final byte[] DKEY = {'d'};
    private static final byte[] AKEY = {'a'};

    private final UUID pool = new UUID(1, 2);
    private final byte[] group = Keys.group(pool, new UUID(3, 4), new ObjectId(0x0009000100000000L, 7), 0);
    private final byte[] dkey = Keys.under(group, DKEY);
    private final byte[] akey = Keys.under(dkey, AKEY);
    private final MemoryKvStore kv = new MemoryKvStore();
    private final Set<Long> hidden = new HashSet<>();
    private final Prepared prepared = scope -> Arrays.equals(scope, dkey) ? hidden : Set.of();
    private final List<Op> ops = new ArrayList<>();
    private boolean hasOpen;

    private record Op(long epoch, int kind, int from, long end, byte[] key) {}

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void shouldShowWhatTheModelHolds(long seed) {
        Random random = new Random(seed);
        // what is undecided holds tombstones back, so that many of these show more without it
        hasOpen = seed % 2 == 0;
        List<Long> epochs = new ArrayList<>();
        for (long e = 10; e < 10 + OPS; e++) epochs.add(e);
        Collections.shuffle(epochs, random);

        for (long epoch : epochs) write(random, epoch);
        ops.sort((x, y) -> Long.compare(x.epoch, y.epoch));
        compare(random, Long.MAX_VALUE);
        compare(random, 10 + random.nextInt(OPS));

        long safe = 10 + OPS / 2 + random.nextInt(OPS / 2);
        for (int i = 0; i < 3; i++) {
            dropSuperseded(safe, 1 + random.nextInt(400));
            compare(random, safe);
            compare(random, Long.MAX_VALUE);
        }
        dropSuperseded(safe, 1_000_000);
        compare(random, safe + random.nextInt(OPS));
        assertNothingSuperseded(safe);
    }

    private void write(Random random, long epoch) {
        int roll = random.nextInt(1_000);
        int from = random.nextInt(OFFSETS);
        // many of one step of lengths, so that it takes more than one window
        int length = random.nextBoolean() ? 257 + random.nextInt(300) : 1 + random.nextInt(1 << random.nextInt(13));
        if (roll < 300) {
            // some places are written again and again
            from = 700 * random.nextInt(8);
            length = 512;
        }
        int kind = roll >= (hasOpen ? 999 : 970)
                ? VosRecord.PUNCH_AKEY
                : roll % 7 == 0 ? VosRecord.PUNCH_EXTENT : VosRecord.EXTENT;
        if (hasOpen && random.nextInt(20) == 0) hidden.add(epoch);
        if (kind == VosRecord.PUNCH_AKEY) {
            put(new Op(epoch, kind, 0, Long.MAX_VALUE, Keys.record(akey, epoch, kind)), new byte[0]);
            return;
        }
        boolean isTruncation = kind == VosRecord.PUNCH_EXTENT && random.nextInt(40) == 0;
        long end = isTruncation ? Long.MAX_VALUE : from + length;
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        put(new Op(epoch, kind, from, end, Keys.extent(akey, epoch, kind, from, end - from)), bytes);
    }

    private void put(Op op, byte[] bytes) {
        ops.add(op);
        VosRecord r = op.kind == VosRecord.EXTENT
                ? VosRecord.inline(op.key, op.kind, op.from, VosWriter.crc(ByteBuffer.wrap(bytes)), bytes)
                : VosRecord.punch(op.key, op.kind, op.from, op.kind == VosRecord.PUNCH_AKEY ? 0 : op.end - op.from);
        kv.write(new KvBatch().put(op.key, r.encode()), false);
    }

    /** Who rules each byte, the last one standing for all that follow; null = nobody or a punch of the akey. */
    private Op[] rulers(long epoch) {
        Op[] by = new Op[BYTES + 1];
        for (Op op : ops) {
            if (op.epoch > epoch || hidden.contains(op.epoch)) continue;
            int end = (int) Math.min(op.end, BYTES + 1);
            Arrays.fill(by, op.from, end, op.kind == VosRecord.PUNCH_AKEY ? null : op);
        }
        return by;
    }

    private static boolean isByte(Op op) {
        return op != null && op.kind == VosRecord.EXTENT;
    }

    private void compare(Random random, long epoch) {
        Op[] by = rulers(epoch);
        int end = BYTES;
        while (end > 0 && !isByte(by[end - 1])) end--;
        for (int i = 0; i < 40; i++) {
            int from = i == 0 ? 0 : random.nextInt(BYTES);
            int length = i == 0 ? BYTES : random.nextInt(LONGEST);
            GroupReader.ArrayRange found = find(epoch, from, length, i % 2 == 0 ? 10_000 : 1 + random.nextInt(60));
            assertEquals(end == 0, found.isAbsent());
            assertEquals(end == 0 ? 0 : Math.max(0, Math.min(length, end - from)), found.length());
            Op[] owners = new Op[length];
            for (Fragment f : found.fragments()) {
                for (long b = f.from(); b < f.to(); b++) owners[(int) b - from] = by[(int) b];
                assertTrue(
                        f.record().offset() <= f.from() && f.to() <= f.record().endOffset());
                for (long b = f.from(); b < f.to(); b++)
                    assertArrayEquals(by[(int) b].key, f.record().key(), "byte " + b + " at epoch " + epoch);
            }
            for (int b = 0; b < length; b++)
                assertEquals(from + b < BYTES && isByte(by[from + b]), owners[b] != null, "byte " + (from + b));
        }
        List<Enumerator.Range> expected = new ArrayList<>();
        for (int b = 0; b < BYTES; b++) if (isByte(by[b])) join(expected, new Enumerator.Range(b, 1));
        assertEquals(expected, list(epoch, 1 + random.nextInt(20)));
        try (GroupReader r = new GroupReader(kv, group, epoch, prepared)) {
            assertEquals(end > 0, r.at(DKEY).akeyExists(AKEY));
        }
    }

    /** Each step with a cursor of its own. */
    private GroupReader.ArrayRange find(long epoch, int from, int length, int visitsMax) {
        ArraySearch search = null;
        while (true) {
            try (GroupReader r = new GroupReader(kv, group, epoch, prepared)) {
                if (search == null) search = r.at(DKEY).search(AKEY, from, length);
                if (r.step(search, visitsMax)) return search.range();
            }
        }
    }

    private List<Enumerator.Range> list(long epoch, int countMax) {
        List<Enumerator.Range> all = new ArrayList<>();
        byte[] anchor = {};
        while (true) {
            try (GroupReader r = new GroupReader(kv, group, epoch, prepared)) {
                Enumerator.Page<Enumerator.Range> page = Enumerator.extents(r.at(DKEY), dkey, AKEY, anchor, countMax);
                assertTrue(page.items().size() <= countMax);
                page.items().forEach(x -> join(all, x));
                if (page.isEnd()) return all;
                anchor = page.anchor();
            }
        }
    }

    private static void join(List<Enumerator.Range> to, Enumerator.Range next) {
        int last = to.size() - 1;
        if (last >= 0 && to.get(last).end() == next.offset())
            to.set(
                    last,
                    new Enumerator.Range(to.get(last).offset(), to.get(last).length() + next.length()));
        else to.add(next);
    }

    private void dropSuperseded(long safe, int entriesMax) {
        byte[] at = Keys.records(pool);
        Set<ByteKey> dropped = new HashSet<>();
        while (at != null) {
            Superseded.Found found;
            try (KvCursor c = kv.cursor(KvRange.prefix(Keys.records(pool)))) {
                found = Superseded.search(c, at, safe, prepared, g -> true, entriesMax);
            }
            KvBatch batch = new KvBatch();
            for (VosRecord r : found.records()) {
                assertTrue(dropped.add(new ByteKey(r.key())), "dropped twice");
                batch.delete(r.key());
            }
            kv.write(batch, false);
            at = found.next();
        }
    }

    private void assertNothingSuperseded(long safe) {
        Set<ByteKey> ruling = new HashSet<>();
        for (Op op : rulers(safe)) if (op != null) ruling.add(new ByteKey(op.key));
        try (KvCursor c = kv.cursor(KvRange.prefix(akey))) {
            while (c.next()) {
                long epoch = Keys.epoch(c.key());
                boolean isTruncation = Keys.length(c.key()) > BYTES;
                if (!Keys.isExtent(c.key()) || isTruncation || epoch > safe || hidden.contains(epoch)) continue;
                assertTrue(ruling.contains(new ByteKey(c.key())), "epoch " + epoch + " is still there");
            }
        }
    }
}
