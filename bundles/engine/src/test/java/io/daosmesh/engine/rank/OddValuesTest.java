package io.daosmesh.engine.rank;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.daosmesh.engine.shard.ShardAddress;
import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.engine.vos.VosWriter;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.wire.EnumerateRequest;
import io.daosmesh.model.wire.FetchRequest;
import io.daosmesh.model.wire.ValueMessage;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Requests as no well-meaning client sends them, against a model of bytes: what is acknowledged can be read as it was
 * written, what cannot be kept is refused and leaves nothing behind.
 */
class OddValuesTest extends TargetFixture {
    private static final int ARRAY_BYTES = 64;
    private static final String[] AKEYS = {"a", "b", "c", ""};
    private static final String DKEY = "k";

    /** An akey of the model: a value or the bytes of an array, null where there is none. */
    private static final class Akey {
        byte[] single;
        final Byte[] array = new Byte[ARRAY_BYTES];

        boolean exists() {
            return single != null || Arrays.stream(array).anyMatch(b -> b != null);
        }
    }

    private final Map<String, Akey> model = new HashMap<>();
    private long number;

    private record Odd(int level, List<ValueMessage> values, byte[] data) {}

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void shouldKeepAllThatItAcknowledges(long seed) {
        Random random = new Random(seed);
        start(map(1, TargetState.UPIN));
        int okCount = 0;
        int refusedCount = 0;

        for (int i = 0; i < 300; i++) {
            Odd odd = odd(random);
            long scmBefore = scm.usedBytes();
            long kvBefore = kv.sizeBytes();
            boolean isRight = isRight(odd);

            List<String> out = outcome(a -> target.write(op(DKEY, odd), a));

            assertEquals(isRight ? List.of("ok") : List.of("INVAL"), out, () -> seed + ": " + odd.level + odd.values);
            if (isRight) apply(odd);
            else assertEquals(kvBefore, kv.sizeBytes());
            if (!isRight) assertEquals(scmBefore, scm.usedBytes());
            okCount += isRight ? 1 : 0;
            refusedCount += isRight ? 0 : 1;
            compare(seed + "/" + i);
            nowNs += 1_000_000L;
        }

        assertTrue(okCount > 50 && refusedCount > 50, okCount + " ok, " + refusedCount + " refused");
        assertEquals(0, buffers.usedBytes());
    }

    private Odd odd(Random random) {
        int[] levels = {WriteOp.UPDATE, WriteOp.UPDATE, WriteOp.AKEYS, WriteOp.EXTENTS, WriteOp.EXTENTS};
        int level = levels[random.nextInt(levels.length)];
        List<ValueMessage> values = new ArrayList<>();
        ByteArrayOutputStream data = new ByteArrayOutputStream();
        for (int n = 1 + random.nextInt(3); n > 0; n--) {
            boolean isOdd = random.nextInt(40) == 0;
            String akey = AKEYS[random.nextInt(isOdd ? 4 : 3)];
            int kind = isOdd && random.nextBoolean() ? 2 : random.nextInt(2);
            int offset = random.nextInt(ARRAY_BYTES - 16);
            byte[] bytes = new byte[random.nextInt(8) == 0 ? 0 : 1 + random.nextInt(16)];
            random.nextBytes(bytes);
            boolean hasBytes = level == WriteOp.UPDATE;
            if (hasBytes) data.writeBytes(bytes);
            values.add(ValueMessage.newBuilder()
                    .setAkey(ByteString.copyFromUtf8(akey))
                    .setKind(kind)
                    .setOffset(isOdd && random.nextBoolean() ? Long.MAX_VALUE - 1 : offset)
                    .setLength(bytes.length)
                    .setCrc32C(hasBytes ? VosWriter.crc(ByteBuffer.wrap(bytes)) : 0)
                    .build());
        }
        return new Odd(level, values, data.toByteArray());
    }

    private WriteOp op(String dkey, Odd odd) {
        ShardAddress a = new ShardAddress(pool, new UUID(2, 2), single, 0, 1);
        return new WriteOp(
                a,
                odd.level,
                dkey.getBytes(),
                odd.values,
                ByteBuffer.wrap(odd.data),
                new WriteOp.Dtx(id(++number), 0, 0, false));
    }

    /** Each with each, byte by byte. */
    private static boolean isRight(Odd odd) {
        for (int i = 0; i < odd.values.size(); i++) {
            ValueMessage v = odd.values.get(i);
            if (v.getAkey().isEmpty() || v.getOffset() + v.getLength() < 0) return false;
            if (odd.level == WriteOp.UPDATE && v.getKind() > 1) return false;
            if (isExtent(odd, v) && v.getLength() == 0) return false;
            for (ValueMessage o : odd.values.subList(0, i)) {
                if (!o.getAkey().equals(v.getAkey())) continue;
                if (!isExtent(odd, v) || !isExtent(odd, o)) return false;
                if (v.getOffset() < o.getOffset() + o.getLength() && o.getOffset() < v.getOffset() + v.getLength())
                    return false;
            }
        }
        return true;
    }

    private static boolean isExtent(Odd odd, ValueMessage v) {
        return odd.level == WriteOp.EXTENTS || odd.level == WriteOp.UPDATE && v.getKind() == 1;
    }

    private void apply(Odd odd) {
        int at = 0;
        for (ValueMessage v : odd.values) {
            Akey k = model.computeIfAbsent(v.getAkey().toStringUtf8(), x -> new Akey());
            int n = (int) v.getLength();
            if (odd.level == WriteOp.AKEYS) {
                model.remove(v.getAkey().toStringUtf8());
            } else if (odd.level == WriteOp.EXTENTS) {
                for (int i = 0; i < n && v.getOffset() + i < ARRAY_BYTES; i++) k.array[(int) v.getOffset() + i] = null;
            } else if (v.getKind() == 0) {
                k.single = Arrays.copyOfRange(odd.data, at, at + n);
                at += n;
            } else {
                for (int i = 0; i < n; i++)
                    if (v.getOffset() + i < ARRAY_BYTES) k.array[(int) v.getOffset() + i] = odd.data[at + i];
                at += n;
            }
        }
    }

    private void compare(String where) {
        for (String akey : List.of("a", "b", "c")) {
            Akey k = model.getOrDefault(akey, new Akey());
            assertEquals(k.single == null ? "absent" : Arrays.toString(k.single), fetchOne(akey, 0, 0), where);
            int end = ARRAY_BYTES;
            while (end > 0 && k.array[end - 1] == null) end--;
            byte[] whole = new byte[end];
            for (int i = 0; i < end; i++) whole[i] = k.array[i] == null ? 0 : k.array[i];
            assertEquals(end == 0 ? "absent" : Arrays.toString(whole), fetchOne(akey, 1, ARRAY_BYTES), where);
        }
        List<String> expected = model.entrySet().stream()
                .filter(e -> e.getValue().exists())
                .map(Map.Entry::getKey)
                .sorted()
                .toList();
        assertEquals(expected, akeys(), where);
    }

    private List<String> akeys() {
        EnumerateRequest r = EnumerateRequest.newBuilder()
                .setAddress(address())
                .setKind(1)
                .setDkey(ByteString.copyFromUtf8(DKEY))
                .setCountMax(100)
                .build();
        List<String> out = new ArrayList<>();
        target.enumerate(r, (v, f) -> {
            if (v != null) v.getKeysList().forEach(k -> out.add(k.toStringUtf8()));
            else out.add(f.code().name());
        });
        loop.drain();
        return out;
    }

    private io.daosmesh.model.wire.ObjectAddress address() {
        return new ShardAddress(pool, new UUID(2, 2), single, 0, 1).toWire(0);
    }

    private String fetchOne(String akey, int kind, long length) {
        return fetch(DKEY, value(akey, kind, 0, length));
    }

    private static ValueMessage value(String akey, int kind, long offset, long length) {
        return ValueMessage.newBuilder()
                .setAkey(ByteString.copyFromUtf8(akey))
                .setKind(kind)
                .setOffset(offset)
                .setLength(length)
                .build();
    }

    private String fetch(String dkey, ValueMessage... values) {
        FetchRequest r = FetchRequest.newBuilder()
                .setAddress(address())
                .setDkey(ByteString.copyFromUtf8(dkey))
                .addAllValues(List.of(values))
                .build();
        List<String> out = new ArrayList<>();
        target.fetch(r, (v, f) -> {
            if (f != null) {
                out.add(f.code().name());
                return;
            }
            byte[] bytes = new byte[v.data().remaining()];
            v.data().get(v.data().position(), bytes);
            out.add(v.values().stream().allMatch(ValueMessage::getAbsent) ? "absent" : Arrays.toString(bytes));
            v.onDone().run();
        });
        loop.drain();
        return out.get(0);
    }

    @Test
    void shouldAnswerOddFetchesWithoutConfusion() {
        start(map(1, TargetState.UPIN));
        ByteArrayOutputStream data = new ByteArrayOutputStream();
        data.writeBytes(new byte[] {7, 8});
        ValueMessage two = value("a", 1, 3, 2).toBuilder()
                .setCrc32C(VosWriter.crc(ByteBuffer.wrap(data.toByteArray())))
                .build();
        Odd odd = new Odd(WriteOp.UPDATE, List.of(two), data.toByteArray());
        assertEquals(List.of("ok"), outcome(a -> target.write(op(DKEY, odd), a)));
        assertEquals(List.of("INVAL"), outcome(a -> target.write(op("", odd), a)), "an empty dkey");

        assertEquals("[0, 0, 0, 7, 8]", fetch(DKEY, value("a", 1, 0, 100)));
        assertEquals("[7, 8, 7, 8]", fetch(DKEY, value("a", 1, 3, 2), value("a", 1, 3, 2)));
        assertEquals("[]", fetch(DKEY, value("a", 1, 3, 0)), "no bytes of what is there");
        assertEquals("absent", fetch(DKEY, value("x", 1, 3, 0)));
        assertEquals("[]", fetch(DKEY, value("a", 1, Long.MAX_VALUE - 100, 100)));
        assertEquals("INVAL", fetch(DKEY, value("a", 1, Long.MAX_VALUE - 100, 101)));
        assertEquals("INVAL", fetch(DKEY, value("a", 1, -1, 1)));
        assertEquals("INVAL", fetch(DKEY, value("a", 1, 0, -1)));
        assertEquals("INVAL", fetch(DKEY, value("a", 7, 0, 1)));
        assertEquals("INVAL", fetch(DKEY, value("", 1, 0, 1)));
        assertEquals("INVAL", fetch("", value("a", 1, 0, 1)));
        assertEquals("REC2BIG", fetch(DKEY, value("a", 1, 0, VosWriter.VALUE_BYTES_MAX + 1L)));
        assertEquals("KEY2BIG", fetch(DKEY, value("a".repeat(4097), 1, 0, 1)));
        ValueMessage[] many = new ValueMessage[WriteOp.VALUES_MAX + 1];
        Arrays.fill(many, value("a", 1, 0, 1));
        assertEquals("INVAL", fetch(DKEY, many));
        assertEquals(0, buffers.usedBytes());
    }

    /** The most values with the longest keys that differ at their ends only, and in the worst order. */
    @Test
    @Timeout(10)
    void shouldJudgeALargeRequestQuickly() {
        start(map(1, TargetState.UPIN));
        String longKey = "a".repeat(4090);
        List<ValueMessage> values = new ArrayList<>();
        for (int i = WriteOp.VALUES_MAX; i > 0; i--) values.add(value(longKey + (10_000 + i / 2), 1, 10L * (i % 2), 5));
        Odd good = new Odd(WriteOp.EXTENTS, List.copyOf(values), new byte[0]);
        values.set(0, value(longKey + (10_000 + 7), 1, 14, 3));
        Odd bad = new Odd(WriteOp.EXTENTS, values, new byte[0]);

        for (int i = 0; i < 20; i++) {
            op(DKEY, good).check();
            assertEquals(List.of("INVAL"), outcome(a -> target.write(op(DKEY, bad), a)));
        }
    }
}
