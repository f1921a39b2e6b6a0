package io.daosmesh.engine.vos;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.daosmesh.engine.fake.DirectBuffers;
import io.daosmesh.engine.fake.ManualLoop;
import io.daosmesh.engine.fake.MemoryBlob;
import io.daosmesh.engine.turn.StagedOp;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.storage.SpaceAccount;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import io.daosmesh.storage.kv.MemoryKvStore;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Random operations against a model that replays them in epoch order, before and after dropping what is superseded. */
class VosModelTest {
    private static final int ARRAY_BYTES = 300;
    private static final byte[][] KEYS = {{}, {0}, {0, 0}, {0, 1}, {(byte) 0xff}, "a".getBytes(), "ab".getBytes()};

    private final UUID pool = new UUID(1, 2);
    private final byte[] group = Keys.group(pool, new UUID(3, 4), new ObjectId(0x0009000100000000L, 7), 0);
    private final MemoryKvStore kv = new MemoryKvStore();
    private final MemoryBlob blob = new MemoryBlob(16 << 20);
    private final DirectBuffers buffers = new DirectBuffers();
    private final SpaceAccount scm = new SpaceAccount(1 << 24);
    private final VosWriter writer = new VosWriter(scm, blob, buffers, 40);
    private final ManualLoop loop = new ManualLoop(kv);
    private final List<Op> ops = new ArrayList<>();
    private final Map<ByteKey, Set<Long>> hidden = new HashMap<>();
    private final Prepared prepared = scope -> hidden.getOrDefault(new ByteKey(scope), Set.of());

    private record Op(long epoch, int kind, int dkey, int akey, int offset, byte[] bytes, boolean isHidden) {}

    /** One akey as the model sees it: even numbers hold single values, odd ones arrays. */
    private static final class Value {
        byte[] single;
        final byte[] array = new byte[ARRAY_BYTES * 2];
        final boolean[] isSet = new boolean[ARRAY_BYTES * 2];

        int end() {
            for (int i = isSet.length; i > 0; i--) if (isSet[i - 1]) return i;
            return 0;
        }

        boolean exists() {
            return single != null || end() > 0;
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void shouldReadWhatTheModelHolds(long seed) throws Exception {
        Random random = new Random(seed);
        List<Long> epochs = new ArrayList<>();
        for (long e = 10; e < 10 + 240; e++) epochs.add(e);
        java.util.Collections.shuffle(epochs, random);

        for (long epoch : epochs) apply(random, epoch);
        compare(Long.MAX_VALUE);
        compare(10 + random.nextInt(240));
        long before = kv.sizeBytes();
        dropSuperseded(1 + random.nextInt(30));
        compare(Long.MAX_VALUE);

        assertFalse(kv.sizeBytes() > before);
        assertEquals(0, buffers.usedBytes());
    }

    private void apply(Random random, long epoch) {
        int dkey = random.nextInt(KEYS.length);
        int akey = random.nextInt(KEYS.length);
        int roll = random.nextInt(100);
        int kind = roll < 2
                ? VosRecord.PUNCH_OBJECT
                : roll < 8
                        ? VosRecord.PUNCH_DKEY
                        : roll < 16
                                ? VosRecord.PUNCH_AKEY
                                : akey % 2 == 0
                                        ? VosRecord.SINGLE
                                        : roll < 30 ? VosRecord.PUNCH_EXTENT : VosRecord.EXTENT;
        byte[] bytes = new byte[1 + random.nextInt(ARRAY_BYTES)];
        random.nextBytes(bytes);
        Op op = new Op(epoch, kind, dkey, akey, random.nextInt(ARRAY_BYTES), bytes, random.nextInt(12) == 0);
        ops.add(op);
        byte[] d = Keys.under(group, KEYS[dkey]);
        byte[] a = Keys.under(d, KEYS[akey]);
        VosWriter.Staging s = new VosWriter.Staging(new StagedOp(true));
        switch (kind) {
            case VosRecord.PUNCH_OBJECT -> writer.punch(s, Keys.record(Keys.punches(group), epoch, kind), kind, 0);
            case VosRecord.PUNCH_DKEY -> writer.punch(s, Keys.record(Keys.punches(d), epoch, kind), kind, 0);
            case VosRecord.PUNCH_AKEY -> writer.punch(s, Keys.record(a, epoch, kind), kind, 0);
            case VosRecord.PUNCH_EXTENT ->
                writer.punch(s, Keys.extent(a, epoch, kind, op.offset, bytes.length), kind, bytes.length);
            default -> {
                ByteBuffer b = ByteBuffer.wrap(bytes);
                byte[] key = kind == VosRecord.SINGLE
                        ? Keys.record(a, epoch, kind)
                        : Keys.extent(a, epoch, kind, op.offset, bytes.length);
                writer.value(s, key, b, VosWriter.crc(b), false, 0);
            }
        }
        if (op.isHidden) {
            byte[] scope = kind == VosRecord.PUNCH_OBJECT ? Keys.punches(group) : d;
            hidden.computeIfAbsent(new ByteKey(scope), k -> new HashSet<>()).add(epoch);
        }
        loop.pipeline().stage(s.op(), f -> assertEquals(null, f));
        loop.drain();
    }

    private TreeMap<Integer, Value> model(int dkey, long epoch) {
        TreeMap<Integer, Value> akeys = new TreeMap<>();
        List<Op> sorted = new ArrayList<>(ops);
        sorted.sort((x, y) -> Long.compare(x.epoch, y.epoch));
        for (Op op : sorted) {
            if (op.isHidden || op.epoch > epoch) continue;
            if (op.kind == VosRecord.PUNCH_OBJECT) akeys.clear();
            if (op.kind == VosRecord.PUNCH_OBJECT || op.dkey != dkey) continue;
            if (op.kind == VosRecord.PUNCH_DKEY) {
                akeys.clear();
                continue;
            }
            if (op.kind == VosRecord.PUNCH_AKEY) {
                akeys.remove(op.akey);
                continue;
            }
            Value v = akeys.computeIfAbsent(op.akey, k -> new Value());
            if (op.kind == VosRecord.SINGLE) {
                v.single = op.bytes;
                continue;
            }
            for (int i = 0; i < op.bytes.length; i++) {
                v.isSet[op.offset + i] = op.kind == VosRecord.EXTENT;
                v.array[op.offset + i] = op.kind == VosRecord.EXTENT ? op.bytes[i] : 0;
            }
        }
        akeys.values().removeIf(v -> !v.exists());
        return akeys;
    }

    private void compare(long epoch) throws Exception {
        Set<ByteKey> dkeys = new HashSet<>();
        try (GroupReader r = new GroupReader(kv, group, epoch, prepared)) {
            for (int d = 0; d < KEYS.length; d++) {
                TreeMap<Integer, Value> expected = model(d, epoch);
                if (!expected.isEmpty()) dkeys.add(new ByteKey(KEYS[d]));
                r.at(KEYS[d]);
                assertEquals(!expected.isEmpty(), r.dkeyExists());
                for (int a = 0; a < KEYS.length; a++) compareAkey(r, KEYS[a], a, expected.get(a));
                Set<ByteKey> akeys = new HashSet<>();
                expected.keySet().forEach(a -> akeys.add(new ByteKey(KEYS[a])));
                assertEquals(akeys, listAkeys(r, KEYS[d]));
            }
            assertEquals(dkeys, listDkeys(r));
        }
    }

    private void compareAkey(GroupReader r, byte[] akey, int index, Value v) {
        assertEquals(v != null, r.akeyExists(akey));
        if (index % 2 == 0) {
            VosRecord found = r.single(akey);
            assertEquals(v == null, found == null);
            if (v != null) assertArrayEquals(v.single, read(found, 0, found.length()));
            return;
        }
        for (int[] range : new int[][] {{0, 600}, {50, 100}, {299, 1}, {580, 20}}) {
            GroupReader.ArrayRange found = r.array(akey, range[0], range[1]);
            assertEquals(v == null, found.isAbsent());
            if (v == null) continue;
            int length = Math.max(0, Math.min(range[1], v.end() - range[0]));
            assertEquals(length, found.length());
            byte[] bytes = new byte[length];
            for (Fragment f : found.fragments()) {
                byte[] part = read(
                        f.record(),
                        f.from() - f.record().offset(),
                        f.to() - f.record().offset());
                System.arraycopy(part, 0, bytes, (int) f.from() - range[0], part.length);
            }
            assertArrayEquals(Arrays.copyOfRange(v.array, range[0], range[0] + length), bytes);
        }
    }

    private byte[] read(VosRecord r, long from, long to) {
        if (!r.isOnDevice()) return Arrays.copyOfRange(r.inline(), (int) from, (int) to);
        byte[][] out = new byte[1][];
        RecordRead.start(blob, r, from, to, buffers, (v, f) -> {
            assertEquals(null, f);
            out[0] = new byte[v.bytes().remaining()];
            v.bytes().get(out[0]);
            v.owner().close();
        });
        return out[0];
    }

    private Set<ByteKey> listDkeys(GroupReader r) {
        Set<ByteKey> found = new HashSet<>();
        byte[] anchor = {};
        while (true) {
            Enumerator.Page<byte[]> page = Enumerator.dkeys(r, group, anchor, 2);
            for (byte[] k : page.items()) found.add(new ByteKey(k));
            if (page.isEnd()) return found;
            anchor = page.anchor();
        }
    }

    private Set<ByteKey> listAkeys(GroupReader r, byte[] dkey) {
        Set<ByteKey> found = new HashSet<>();
        byte[] anchor = {};
        while (true) {
            Enumerator.Page<byte[]> page = Enumerator.akeys(r, Keys.under(group, dkey), anchor, 1);
            for (byte[] k : page.items()) found.add(new ByteKey(k));
            if (page.isEnd()) return found;
            anchor = page.anchor();
        }
    }

    private void dropSuperseded(int entriesMax) {
        byte[] at = Keys.records(pool);
        while (at != null) {
            Superseded.Found found;
            try (KvCursor c = kv.cursor(KvRange.prefix(Keys.records(pool)))) {
                found = Superseded.search(c, at, 200, prepared, g -> true, entriesMax);
            }
            StagedOp op = new StagedOp(true);
            for (VosRecord r : found.records()) op.batch().delete(r.key());
            loop.pipeline().stage(op, f -> writer.release(found.records()));
            loop.drain();
            at = found.next();
        }
    }
}
