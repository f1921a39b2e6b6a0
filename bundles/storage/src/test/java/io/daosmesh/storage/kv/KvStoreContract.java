package io.daosmesh.storage.kv;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What every {@link KvStore} must do; the twin and the durable one run the same. */
public abstract class KvStoreContract {
    protected KvStore store;

    protected abstract KvStore open();

    @BeforeEach
    void start() {
        store = open();
    }

    @AfterEach
    void stop() {
        store.close();
    }

    protected static byte[] b(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    protected void put(String... keysAndValues) {
        KvBatch batch = new KvBatch();
        for (int i = 0; i < keysAndValues.length; i += 2) batch.put(b(keysAndValues[i]), b(keysAndValues[i + 1]));
        store.write(batch, true);
    }

    private static List<String> keys(KvReader reader, KvRange range) {
        List<String> keys = new ArrayList<>();
        try (KvCursor cursor = reader.cursor(range)) {
            while (cursor.next()) keys.add(new String(cursor.key(), StandardCharsets.UTF_8));
            assertFalse(cursor.next(), "stays at the end");
        }
        return keys;
    }

    @Test
    void shouldGetWhatWasPut() {
        put("a", "1", "b", "2");

        assertArrayEquals(b("1"), store.get(b("a")));
        assertNull(store.get(b("c")));
        store.write(new KvBatch().put(b("a"), b("9")).delete(b("b")).put(b("e"), new byte[0]), false);
        assertArrayEquals(b("9"), store.get(b("a")));
        assertNull(store.get(b("b")));
        assertArrayEquals(new byte[0], store.get(b("e")));
    }

    @Test
    void shouldApplyChangesInOrder() {
        store.write(new KvBatch().put(b("x"), b("1")).delete(b("x")).put(b("x"), b("2")), true);
        assertArrayEquals(b("2"), store.get(b("x")));

        store.write(
                new KvBatch().put(b("y1"), b("1")).deleteRange(b("x"), b("y2")).put(b("y0"), b("0")), true);
        assertEquals(List.of("y0"), keys(store, KvRange.all()));
    }

    @Test
    void shouldIterateRangesBothWays() {
        put("a", "1", "b", "2", "c", "3", "d", "4");

        assertEquals(List.of("b", "c"), keys(store, KvRange.of(b("b"), b("d"))));
        assertEquals(List.of("c", "b"), keys(store, KvRange.of(b("b"), b("d")).backward()));
        assertEquals(List.of("d", "c", "b", "a"), keys(store, KvRange.all().backward()));
        assertEquals(List.of(), keys(store, KvRange.of(b("bb"), b("bc"))));
        assertEquals(List.of(), keys(store, KvRange.of(b("d"), b("a"))));
        assertEquals(
                "b",
                new String(
                        store.first(KvRange.of(b("aa"), b("z"))).orElseThrow().key()));
        assertEquals(
                "c",
                new String(store.first(KvRange.of(b("a"), b("cc")).backward())
                        .orElseThrow()
                        .key()));
    }

    @Test
    void shouldOrderBytesUnsignedAndFindPrefixes() {
        byte[] high = {(byte) 0xff, (byte) 0xff};
        store.write(
                new KvBatch()
                        .put(high, b("h"))
                        .put(new byte[] {(byte) 0xff, (byte) 0xff, 1}, b("i"))
                        .put(new byte[] {1, 2}, b("l"))
                        .put(new byte[] {1, (byte) 0xff, 3}, b("m")),
                true);

        assertEquals(2, keys(store, KvRange.prefix(high)).size());
        assertEquals(2, keys(store, KvRange.prefix(new byte[] {1})).size());
        assertEquals(1, keys(store, KvRange.prefix(new byte[] {1, (byte) 0xff})).size());
        assertArrayEquals(
                new byte[] {(byte) 0xff, (byte) 0xff, 1},
                store.first(KvRange.all().backward()).orElseThrow().key());
    }

    @Test
    void shouldSeek() {
        put("a", "1", "c", "3", "e", "5", "g", "7");
        try (KvCursor cursor = store.cursor(KvRange.of(b("a"), b("g")))) {
            cursor.seek(b("b"));
            assertTrue(cursor.next());
            assertArrayEquals(b("c"), cursor.key());
            cursor.seek(b("e"));
            assertTrue(cursor.next());
            assertArrayEquals(b("5"), cursor.value());
            assertFalse(cursor.next(), "g is outside");
        }
        try (KvCursor cursor = store.cursor(KvRange.all().backward())) {
            cursor.seek(b("f"));
            assertTrue(cursor.next());
            assertArrayEquals(b("e"), cursor.key());
            assertTrue(cursor.next());
            assertArrayEquals(b("c"), cursor.key());
        }
    }

    @Test
    void shouldKeepSnapshotAsItWas() {
        put("a", "1", "b", "2");
        try (KvSnapshot snapshot = store.snapshot()) {
            put("a", "9", "c", "3");
            store.write(new KvBatch().delete(b("b")), true);

            assertEquals(List.of("a", "b"), keys(snapshot, KvRange.all()));
            assertArrayEquals(b("1"), snapshot.get(b("a")));
        }
        assertEquals(List.of("a", "c"), keys(store, KvRange.all()));
    }

    @Test
    void shouldRefuseEverythingWhenClosedWithHandlesOpen() {
        put("a", "1");
        KvSnapshot snapshot = store.snapshot();
        KvCursor cursor = snapshot.cursor(KvRange.all());
        assertTrue(cursor.next());

        store.close();
        store.close();

        cursor.close();
        snapshot.close();
        FaultException e = assertThrows(FaultException.class, () -> store.get(b("a")));
        assertEquals(FaultCode.UNINIT, e.code());
        assertThrows(FaultException.class, () -> store.write(new KvBatch().put(b("a"), b("b")), true));
        assertThrows(FaultException.class, () -> store.cursor(KvRange.all()));
    }

    @Test
    void shouldAgreeWithModelUnderRandomChanges() {
        Random random = new Random(7);
        TreeMap<byte[], byte[]> model = new TreeMap<>(Arrays::compareUnsigned);
        for (int round = 0; round < 300; round++) {
            KvBatch batch = new KvBatch();
            for (int i = random.nextInt(8); i >= 0; i--) {
                byte[] key = {(byte) random.nextInt(), (byte) random.nextInt(3)};
                int what = random.nextInt(10);
                if (what == 0) {
                    byte[] to = {(byte) (key[0] + 2)};
                    batch.deleteRange(key, to);
                    if (Arrays.compareUnsigned(key, to) < 0)
                        model.subMap(key, to).clear();
                } else if (what < 4) {
                    batch.delete(key);
                    model.remove(key);
                } else {
                    byte[] value = new byte[random.nextInt(100)];
                    random.nextBytes(value);
                    batch.put(key, value);
                    model.put(key, value);
                }
            }
            store.write(batch, round % 50 == 0);
        }

        try (KvCursor cursor = store.cursor(KvRange.all())) {
            for (Map.Entry<byte[], byte[]> e : model.entrySet()) {
                assertTrue(cursor.next());
                assertArrayEquals(e.getKey(), cursor.key());
                assertArrayEquals(e.getValue(), cursor.value());
            }
            assertFalse(cursor.next());
        }
    }
}
