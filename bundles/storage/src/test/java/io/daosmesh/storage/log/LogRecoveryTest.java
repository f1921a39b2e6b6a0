package io.daosmesh.storage.log;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.storage.kv.KvBatch;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What was acknowledged is there after any crash, and never taken for damage; what is damaged is never taken for a torn
 * tail.
 */
class LogRecoveryTest {
    private static final LogLimits LIMITS = new LogLimits(64 << 10, 7);
    private static final int TARGETS = 3;

    private final MemoryMedium medium = new MemoryMedium(LIMITS);
    /** Position of each target's index in tables, in memory, and of the last batch that was acknowledged. */
    private final long[] flushed = new long[TARGETS];

    private final long[] applied = new long[TARGETS];
    private final long[] acknowledged = new long[TARGETS];

    private LogWriter begin() {
        LogRecovery recovery = medium.recover();
        for (int t = 0; t < TARGETS; t++) replay(recovery, t);
        Random nonces = new Random(recovery.generation());
        return new LogWriter(MemoryMedium.ENGINE, recovery, recovery.nextLsn() - 1, medium, nonces::nextLong);
    }

    private void replay(LogRecovery recovery, int target) {
        List<LogFrame> frames = new ArrayList<>();
        assertNull(recovery.replay(target, flushed[target], frames::add), "a crash is no damage");
        applied[target] = flushed[target];
        for (LogFrame f : frames) {
            assertEquals(++applied[target], f.position());
            assertEquals(batchText(batch(target, f.position())), batchText(f.batch()));
        }
        assertTrue(applied[target] >= acknowledged[target], "acknowledged " + acknowledged[target]);
        flushed[target] = applied[target];
        acknowledged[target] = applied[target];
    }

    private static KvBatch batch(int target, long position) {
        Random random = new Random(target * 1_000_003L + position);
        KvBatch batch = new KvBatch();
        int changes = random.nextInt(4);
        for (int i = 0; i < changes; i++) {
            byte[] key = ByteBuffer.allocate(8).putLong(random.nextLong()).array();
            byte[] value = new byte[random.nextInt(3000)];
            random.nextBytes(value);
            switch (random.nextInt(3)) {
                case 0 -> batch.put(key, value);
                case 1 -> batch.delete(key);
                default -> batch.deleteRange(key, new byte[] {(byte) 0xff});
            }
        }
        return batch;
    }

    private static String batchText(KvBatch batch) {
        StringBuilder text = new StringBuilder();
        batch.forEach(new KvBatch.Visitor() {
            @Override
            public void put(byte[] key, byte[] value) {
                text.append("put").append(java.util.Arrays.hashCode(key)).append(java.util.Arrays.hashCode(value));
            }

            @Override
            public void delete(byte[] key) {
                text.append("delete").append(java.util.Arrays.hashCode(key));
            }

            @Override
            public void deleteRange(byte[] from, byte[] to) {
                text.append("range").append(java.util.Arrays.hashCode(from)).append(java.util.Arrays.hashCode(to));
            }
        });
        return text.toString();
    }

    private void place(LogWriter writer, int target) {
        KvBatch batch = batch(target, applied[target] + 1);
        if (!writer.place(target, applied[target] + 1, batch)) {
            persist(writer);
            if (!writer.roll(false)) {
                checkpoint(writer);
                assertTrue(writer.roll(false));
            }
            assertTrue(writer.place(target, applied[target] + 1, batch));
        }
        applied[target]++;
    }

    private void persist(LogWriter writer) {
        writer.persist();
        System.arraycopy(applied, 0, acknowledged, 0, TARGETS);
    }

    private void checkpoint(LogWriter writer) {
        System.arraycopy(applied, 0, flushed, 0, TARGETS);
        writer.trim(writer.lastLsn());
    }

    /** Lives of random length, each with segments that are used again, ended by a loss of power. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void shouldKeepWhatWasAcknowledgedOverAnyCrashes(long seed) {
        Random random = new Random(seed);
        for (int life = 0; life < 40; life++) {
            LogWriter writer = begin();
            int steps = random.nextInt(200);
            for (int i = 0; i < steps; i++) {
                place(writer, random.nextInt(TARGETS));
                if (random.nextInt(4) == 0) persist(writer);
                // an index may be in tables further than the last acknowledgement: never behind what was trimmed
                if (random.nextInt(60) == 0) {
                    persist(writer);
                    checkpoint(writer);
                }
            }
            // a persist that the crash interrupts
            writer.publish();
            medium.crash(random);
        }
    }

    /** A byte that changes in a frame that others knew to be durable is found, whichever it is. */
    @Test
    void shouldFindEveryDamagedFrameThatWasDurable() {
        Random random = new Random(9);
        LogWriter writer = begin();
        List<Integer> ends = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            place(writer, i % 2);
            persist(writer);
            ends.add(i);
        }
        byte[] segment = medium.durables.get(medium.inUse());
        int found = 0;
        for (int at = 0; at < segment.length; at += 1 + random.nextInt(97)) {
            segment[at] ^= 0x20;
            LogRecovery recovery = medium.recover();
            boolean isWhole = true;
            for (int t = 0; t < 2; t++) {
                long[] last = {0};
                String lost = recovery.replay(t, 0, f -> last[0] = f.position());
                // the last frame has no witness but the note of its index
                isWhole &= lost == null;
                if (lost == null) assertTrue(last[0] >= acknowledged[t] - 1, "target " + t + " byte " + at);
            }
            if (!isWhole) found++;
            segment[at] ^= 0x20;
        }
        assertTrue(found > 50, "found " + found);
        assertEquals(12, ends.size());
    }

    @Test
    void shouldDamageOnlyTheTargetsWhoseFramesAreMissing() {
        LogWriter writer = begin();
        place(writer, 0);
        persist(writer);
        place(writer, 1);
        persist(writer);
        place(writer, 0);
        persist(writer);
        place(writer, 1);
        persist(writer);
        place(writer, 0);
        persist(writer);
        // the second persist of target 1 begins at the fifth block
        java.util.Arrays.fill(medium.durables.get(medium.inUse()), frameAt(3), frameAt(3) + 60, (byte) 9);

        LogRecovery recovery = medium.recover();

        assertNull(recovery.replay(0, 0, f -> {}));
        String lost = recovery.replay(1, 0, f -> {});
        assertNotNull(lost);
        assertTrue(lost.contains("missing"), lost);
    }

    /** Frames that were made durable together lie behind one another: damage in one is no damage of the others. */
    @Test
    void shouldBlameNoOtherTargetForADamagedFrame() {
        LogWriter writer = begin();
        for (int group = 0; group < 8; group++) {
            for (int i = 0; i < 5; i++) place(writer, (group + i) % TARGETS);
            persist(writer);
        }
        byte[] segment = medium.durables.get(medium.inUse());
        Map<Integer, LogFrame.Found> frames = frames(segment);
        assertEquals(40, frames.size());
        List<Integer> places = List.copyOf(frames.keySet());
        // behind each of them every target has another frame
        for (int at : places.subList(0, 35)) {
            LogFrame.Found damaged = Objects.requireNonNull(frames.get(at));
            for (int of : new int[] {0, 5, 20, 34, 40, damaged.endBytes() - at - 8}) {
                segment[at + of] ^= 0x04;
                LogRecovery recovery = medium.recover();
                for (int t = 0; t < TARGETS; t++)
                    assertEquals(
                            t == damaged.frame().target(),
                            recovery.replay(t, 0, f -> {}) != null,
                            "target " + t + " with byte " + of + " of the frame at " + at);
                segment[at + of] ^= 0x04;
            }
        }
    }

    private Map<Integer, LogFrame.Found> frames(byte[] segment) {
        SegmentHeader header = SegmentHeader.decode(medium.inUse(), java.util.Arrays.copyOf(segment, 4096));
        ByteBuffer bytes = ByteBuffer.wrap(segment).order(java.nio.ByteOrder.LITTLE_ENDIAN);
        Map<Integer, LogFrame.Found> frames = new TreeMap<>();
        for (int at = LogLimits.ALIGN_BYTES; at < segment.length; at += 8) {
            LogFrame.Found found = LogFrame.decode(header, bytes, at);
            if (found != null) frames.put(at, found);
        }
        return frames;
    }

    /** Of the nth frame, when each is persisted by itself. */
    private int frameAt(int number) {
        int at = LogLimits.ALIGN_BYTES;
        SegmentHeader header = SegmentHeader.decode(
                medium.inUse(), java.util.Arrays.copyOf(medium.durables.get(medium.inUse()), 4096));
        ByteBuffer bytes = ByteBuffer.wrap(medium.durables.get(medium.inUse())).order(java.nio.ByteOrder.LITTLE_ENDIAN);
        for (int n = 0; n < number; n++) {
            LogFrame.Found found = LogFrame.decode(header, bytes, at);
            assertNotNull(found);
            at = LogLimits.aligned(found.endBytes());
        }
        return at;
    }

    /** A header that is written in part makes void what was not needed, in no target's eyes anything else. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 30, 44, 79})
    void shouldTakeNoTornHeaderForDamage(int bytes) {
        LogWriter writer = begin();
        place(writer, 1);
        while (medium.inUse() < 4) place(writer, 0);
        persist(writer);
        checkpoint(writer);
        medium.tornHeaderBytes = bytes;
        assertThrows(IllegalStateException.class, () -> {
            while (true) place(writer, 0);
        });
        // the start after it is killed at the same place, once more
        for (int start = 0; start < 3; start++) assertThrows(IllegalStateException.class, this::begin);
        medium.tornHeaderBytes = LogLimits.ALIGN_BYTES;

        LogWriter again = begin();

        place(again, 1);
        persist(again);
        begin();
    }

    @Test
    void shouldTellWhenTheSegmentInUseIsGone() {
        LogWriter writer = begin();
        for (int i = 0; i < 60; i++) place(writer, 0);
        persist(writer);
        java.util.Arrays.fill(medium.durables.get(medium.inUse()), (byte) 0);

        LogRecovery recovery = medium.recover();

        assertTrue(recovery.isLost());
        assertNotNull(recovery.replay(0, 0, f -> {}));
    }

    @Test
    void shouldTakeNoSegmentOfAnotherEngineForItsOwn() {
        LogWriter writer = begin();
        place(writer, 0);
        persist(writer);
        SegmentHeader other = new SegmentHeader(new java.util.UUID(9, 9), 2, 5, 1, 1, LIMITS);
        int inUse = medium.inUse();
        System.arraycopy(other.encode(inUse), 0, medium.durables.get(inUse), 0, other.encode(inUse).length);

        assertTrue(medium.recover().isLost());
        assertFalse(new LogRecovery(new java.util.UUID(9, 9), List.of(), null).replay(0, 0, f -> {}) == null);
    }
}
