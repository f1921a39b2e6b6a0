package io.daosmesh.engine.rank;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.engine.scrub.ScrubPolicy;
import io.daosmesh.engine.scrub.ScrubReport;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.VosRecord;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.storage.PoolSpace;
import io.daosmesh.storage.kv.KvBatch;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The scrubber at work in a target whose time and device are in the hands of the test. */
class ScrubbingTest extends TargetFixture {
    private static final int VALUE_BYTES = 8192;
    private static final long TICK_NS = 50_000_000L;
    private long dtxs;

    @AfterEach
    void shouldKeepNoBuffer() {
        assertEquals(0, buffers.usedBytes());
    }

    private void put(String dkey, int size) {
        assertEquals(List.of("ok"), outcome(a -> target.write(write(single, dkey, size, 1, id(++dtxs)), a)));
    }

    private void start(int values) {
        start(map(1, TargetState.UPIN));
        for (int i = 0; i < values; i++) put("k" + i, VALUE_BYTES);
    }

    private void scrub(ScrubPolicy.Mode mode, long periodSeconds, long max) {
        String name = mode.name().toLowerCase(java.util.Locale.ROOT);
        target.onProperties(pool, Map.of("scrub", name, "scrub_freq", "" + periodSeconds, "scrub_thresh", "" + max));
    }

    private void ticks(int count) {
        for (int i = 0; i < count; i++) {
            nowNs += TICK_NS;
            target.onTick();
            loop.drain();
        }
    }

    private void seconds(int count) {
        ticks(20 * count);
    }

    private ScrubReport report() {
        return target.scrubReports().get(pool);
    }

    private long damages() {
        return sent.stream().filter("damage"::equals).count();
    }

    private List<VosRecord> records() {
        List<VosRecord> all = new ArrayList<>();
        try (KvCursor c = kv.cursor(KvRange.prefix(Keys.records(pool)))) {
            while (c.next()) all.add(VosRecord.decode(c.key(), c.value()));
        }
        return all;
    }

    @Test
    void shouldDoNothingWhileItIsOff() {
        start(3);
        blob.damage(100);
        seconds(5);

        assertEquals(0, report().total().checksums());
        assertEquals(0, damages());
    }

    @Test
    void shouldFindDamageThatNobodyHasRead() {
        start(5);
        blob.damage(2 * VALUE_BYTES + 100);
        scrub(ScrubPolicy.Mode.LAZY, 3600, 0);

        seconds(3);

        assertEquals(1, report().passes());
        assertEquals(new ScrubReport.Work(5, 5 * VALUE_BYTES, 1), report().last());
        assertEquals(1, damages());
        assertEquals(1, target.shard(pool).damaged().keys().size());
        assertEquals(1, target.shard(pool).counters().damaged.get());
        assertEquals("CSUM", fetch(single, "k2", 1));
    }

    @Test
    void shouldVerifyValuesInTheIndex() {
        start(map(1, TargetState.UPIN));
        put("a", 100);
        put("b", 100);
        VosRecord r = records().get(1);
        byte[] changed = r.inline().clone();
        changed[50] ^= 4;
        kv.write(
                new KvBatch()
                        .put(
                                r.key(),
                                VosRecord.inline(r.key(), r.kind(), 0, r.crc32c(), changed)
                                        .encode()),
                true);
        scrub(ScrubPolicy.Mode.LAZY, 3600, 0);
        seconds(3);

        assertEquals(new ScrubReport.Work(2, 200, 1), report().last());
    }

    @Test
    void shouldTellOfTheSameDamageOnce() {
        start(3);
        blob.damage(100);
        scrub(ScrubPolicy.Mode.LAZY, 5, 0);
        seconds(30);

        assertTrue(report().passes() >= 5, report().toString());
        assertEquals(1, report().total().corruptions());
        assertEquals(0, report().last().corruptions());
    }

    @Test
    void shouldFetchADamagedCopyFromAnotherReplica() {
        start(map(1, TargetState.UPIN));
        List<String> out = new ArrayList<>();
        target.write(write(twice, "a", VALUE_BYTES, 1, id(1)), (v, f) -> out.add(f == null ? "ok" : f.message()));
        loop.drain();
        replies.get(0).done(null);
        loop.drain();
        assertEquals(List.of("ok"), out);
        byte[] good = new byte[VALUE_BYTES];
        good[0] = (byte) "a".hashCode();
        blob.damage(100);
        scrub(ScrubPolicy.Mode.LAZY, 3, 0);
        seconds(3);
        assertTrue(sent.contains("record 1"), sent.toString());

        records.get(0).answer(java.nio.ByteBuffer.wrap(good), null);
        loop.drain();
        seconds(5);

        assertEquals(VALUE_BYTES + " bytes", fetch(twice, "a", 1));
        assertEquals(0, target.shard(pool).damaged().keys().size());
        assertEquals(1, target.shard(pool).counters().repaired.get());
        assertEquals(1, report().total().corruptions());
    }

    @Test
    void shouldNotTakeWhatIsOverwrittenMeanwhileForDamaged() {
        start(1);
        ArrayDeque<Runnable> device = new ArrayDeque<>();
        blob.damage(100);
        scrub(ScrubPolicy.Mode.LAZY, 3600, 0);
        blob.device = device::add;
        seconds(2);
        assertEquals(1, device.size());
        put("k0", VALUE_BYTES);

        device.remove().run();
        loop.drain();
        blob.device = Runnable::run;
        seconds(5);

        assertEquals(1, report().passes());
        assertEquals(0, report().total().corruptions());
        assertEquals(0, damages());
    }

    @Test
    void shouldHaveOneReadUnderWayAndNoneWhileTheTargetIsUsed() {
        start(4);
        ArrayDeque<Runnable> device = new ArrayDeque<>();
        blob.device = device::add;
        scrub(ScrubPolicy.Mode.LAZY, 3600, 0);
        seconds(5);
        assertEquals(1, device.size(), "one at a time");

        put("x", 10);
        device.remove().run();
        loop.drain();
        assertEquals(0, device.size(), "somebody has asked");
        for (int i = 0; i < 40; i++) {
            put("x", 10);
            ticks(1);
            assertEquals(0, device.size());
        }
        seconds(2);
        assertEquals(1, device.size());
        while (!device.isEmpty()) {
            device.remove().run();
            loop.drain();
        }
    }

    @Test
    void shouldSpreadATimedPassOverItsPeriod() {
        start(100);
        scrub(ScrubPolicy.Mode.TIMED, 100, 0);

        List<Long> after = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            seconds(20);
            after.add(report().current().checksums());
        }

        for (int i = 0; i < 4; i++) {
            double part = 100 * (i + 1) * 20 / 90.0;
            assertTrue(Math.abs(after.get(i) - part) <= 5, after.toString());
        }
        seconds(25);
        assertEquals(1, report().passes());
        assertTrue(report().isInPass(), "the next one has begun");
        assertEquals(100, report().last().checksums());
        assertTrue(report().lastPassNs() <= 95_000_000_000L && report().lastPassNs() > 80_000_000_000L);
    }

    @Test
    void shouldBeginNoPassBeforeItsPeriodIsOver() {
        start(3);
        scrub(ScrubPolicy.Mode.LAZY, 60, 0);
        seconds(58);
        assertEquals(1, report().passes());
        assertTrue(report().nextNs() > nowNs);
        seconds(5);
        assertEquals(2, report().passes());

        scrub(ScrubPolicy.Mode.LAZY, 1, 0);
        seconds(20);
        assertTrue(report().passes() > 6, "a shorter period holds at once");
        scrub(ScrubPolicy.Mode.OFF, 1, 0);
        long passes = report().passes();
        seconds(20);
        assertEquals(passes, report().passes());
        assertEquals(0, report().nextNs());
    }

    @Test
    void shouldSayWhenThereIsTooMuchDamage() {
        start(6);
        for (int i = 0; i < 3; i++) blob.damage(i * VALUE_BYTES);
        scrub(ScrubPolicy.Mode.LAZY, 60, 4);
        seconds(3);
        assertFalse(report().isOverMax());
        scrub(ScrubPolicy.Mode.LAZY, 60, 3);
        seconds(1);
        assertTrue(report().isOverMax());
        assertEquals(3, report().countedCorruptions());

        target.onMap(map(2, TargetState.UPIN).withStates(java.util.Set.of(0), TargetState.DRAIN));
        loop.drain();
        seconds(1);
        assertFalse(report().isOverMax(), "it is on its way out");
    }

    @Test
    void shouldRestWhileTheTargetItselfIsFilled() {
        start(3);
        target.onMap(
                map(2, TargetState.UPIN).withStates(Set.of(0), TargetState.DOWN).withStates(Set.of(0), TargetState.UP));
        loop.drain();
        scrub(ScrubPolicy.Mode.LAZY, 60, 0);
        seconds(10);
        assertEquals(0, report().total().checksums());

        target.onMap(map(5, TargetState.UPIN));
        loop.drain();
        seconds(3);
        assertEquals(1, report().passes());
    }

    /** A rebuild may be held back for as long as somebody likes. */
    @Test
    void shouldGoOnSlowlyWhileOthersAreOut() {
        start(10);
        target.onMap(map(2, TargetState.DOWN));
        loop.drain();
        scrub(ScrubPolicy.Mode.TIMED, 1, 0);

        ticks(16);
        assertTrue(report().total().checksums() <= 4, report().toString());
        seconds(10);

        assertTrue(report().passes() >= 1, report().toString());
    }

    @Test
    void shouldGoOnWhereItWasAfterARestart() {
        start(100);
        blob.damage(100);
        scrub(ScrubPolicy.Mode.TIMED, 100, 0);
        seconds(62);
        ScrubReport before = report();
        assertEquals(1, before.countedCorruptions());

        target = open();
        target.open(List.of(new PoolSpace(pool, 0, scm, blob)));
        target.onMap(map(1, TargetState.UPIN));
        loop.drain();
        seconds(5);
        assertEquals(0, report().total().checksums(), "nobody has said what is wanted");
        scrub(ScrubPolicy.Mode.TIMED, 100, 0);
        ticks(1);

        long again = before.current().checksums() - report().current().checksums();
        assertTrue(report().isInPass() && again >= 0 && again <= 5, before + " then " + report());
        assertEquals(1, report().countedCorruptions());
        assertTrue(nowNs - report().startedNs() >= 66_000_000_000L, "the pass has begun before the restart");
        seconds(30);
        assertEquals(1, report().passes());
        assertEquals(1, report().last().corruptions());
        assertEquals(100, report().last().checksums());
    }

    @Test
    void shouldLeaveAContainerAloneThatIsSwitchedOff() {
        start(5);
        blob.damage(100);
        String policy = "lazy";
        target.onProperties(pool, Map.of("scrub", policy, "unscrubbed", new UUID(9, 9) + "," + new UUID(2, 2)));
        seconds(5);
        assertTrue(report().passes() >= 1, "it comes to its end");
        assertEquals(0, report().total().checksums());
        assertEquals(0, damages());

        target.onProperties(pool, Map.of("scrub", policy, "scrub_freq", "1", "unscrubbed", "" + new UUID(9, 9)));
        seconds(5);

        assertEquals(1, damages());
    }

    @Test
    void shouldSetABadBlockAsideAndGoOn() {
        start(3);
        blob.endings.put((long) VALUE_BYTES, Fault.of(FaultCode.NVME_IO, "a bad block"));
        scrub(ScrubPolicy.Mode.LAZY, 3600, 1);
        seconds(5);

        assertEquals(1, report().passes());
        assertEquals(2, report().last().checksums());
        assertEquals(0, report().total().corruptions(), "no checksum was wrong");
        assertEquals(1, target.shard(pool).damaged().keys().size());
    }

    @Test
    void shouldWaitForADeviceThatIsOut() {
        start(3);
        Fault out = Fault.of(FaultCode.NVME_IO, "the device is gone").with("device_state", "UNPLUGGED");
        blob.endings.put((long) VALUE_BYTES, out);
        scrub(ScrubPolicy.Mode.LAZY, 3600, 0);
        seconds(10);
        assertEquals(0, report().passes());
        assertEquals(1, report().current().checksums());
        assertEquals(0, target.shard(pool).damaged().keys().size());

        blob.endings.clear();
        seconds(3);
        assertEquals(1, report().passes());
        assertEquals(3, report().last().checksums());
    }

    /** Whatever stands in the index: the pass ends, nothing is thrown, and what is whole is not accused. */
    @Test
    void shouldComeToItsEndOverADamagedIndex() {
        for (int seed = 0; seed < 50; seed++) {
            ScrubbingTest t = new ScrubbingTest();
            t.start(4);
            t.put("s", 100);
            Random random = new Random(seed);
            List<VosRecord> all = t.records();
            VosRecord hit = all.get(random.nextInt(all.size()));
            byte[] value = hit.encode();
            switch (random.nextInt(3)) {
                case 0 -> value[random.nextInt(value.length)] ^= (byte) (1 << random.nextInt(8));
                case 1 -> value = Arrays.copyOf(value, random.nextInt(value.length));
                default -> random.nextBytes(value);
            }
            t.kv.write(new KvBatch().put(hit.key(), value), true);
            t.scrub(ScrubPolicy.Mode.LAZY, 3600, 0);
            t.seconds(4);
            assertEquals(1, t.report().passes(), "seed " + seed);
            assertTrue(t.report().total().corruptions() <= 1, "seed " + seed);
            t.shouldKeepNoBuffer();
        }
    }
}
