package io.daosmesh.storage.log.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.pmem.PmemDriver;
import io.daosmesh.spi.DeviceSpec;
import io.daosmesh.storage.kv.KvBatch;
import io.daosmesh.storage.log.LogLimits;
import io.daosmesh.storage.scm.ScmFolder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Many writers, one log: all in order, few persists, bounded when nothing is trimmed. */
@Timeout(60)
class EngineLogTest {
    private static final UUID ENGINE = new UUID(1, 1);
    private static final LogLimits LIMITS = new LogLimits(64 << 10, 8);
    private static final int TARGETS = 3;
    private static final int WRITERS = 4;
    private static final int EACH = 50;

    @TempDir
    Path folder;

    private final PmemDriver pmem = new PmemDriver("1");
    private final List<List<Long>> applied = new ArrayList<>();
    private ScmFolder scm;

    @BeforeEach
    void format() {
        scm = ScmFolder.open(0, pmem, new DeviceSpec("file", folder.toString(), 64 << 20, Map.of()));
        LogSegments.format(scm, ENGINE, LIMITS, 5);
        for (int t = 0; t < TARGETS; t++) applied.add(new ArrayList<>());
    }

    @AfterEach
    void close() {
        pmem.close();
    }

    private List<LogStream> streams(EngineLog log) {
        List<LogStream> streams = new ArrayList<>();
        for (int t = 0; t < TARGETS; t++) {
            List<Long> positions = applied.get(t);
            streams.add(log.stream(t, 0, (lsn, position, batch) -> positions.add(position)));
        }
        return streams;
    }

    private static EngineLog.Waits waits(Duration max) {
        return new EngineLog.Waits(max, max);
    }

    private static KvBatch batch(int bytes) {
        return new KvBatch().put(new byte[] {1}, new byte[bytes]);
    }

    @Test
    void shouldApplyInOrderWhatManyThreadsWriteAndFindItAgain() throws Exception {
        try (EngineLog log = EngineLog.open(scm, ENGINE)) {
            List<LogStream> streams = streams(log);
            log.begin(log.recovery().nextLsn() - 1, () -> log.trim(log.appliedLsn(), 1), waits(Duration.ofSeconds(10)));
            List<CompletableFuture<Void>> all = new ArrayList<>();
            for (int w = 0; w < TARGETS * WRITERS; w++) {
                LogStream stream = streams.get(w % TARGETS);
                all.add(CompletableFuture.runAsync(() -> {
                    for (int i = 0; i < EACH; i++) log.write(stream, batch(i * 10), i % 3 > 0);
                }));
            }
            for (CompletableFuture<Void> one : all) one.get(30, TimeUnit.SECONDS);

            for (int t = 0; t < TARGETS; t++) {
                assertEquals(WRITERS * EACH, applied.get(t).size());
                for (int i = 0; i < WRITERS * EACH; i++)
                    assertEquals(i + 1, applied.get(t).get(i));
            }
            assertEquals(TARGETS * WRITERS * EACH, log.stats().batches());
            assertTrue(log.stats().persists() <= log.stats().batches());
            assertTrue(log.stats().appendedBytes() > TARGETS * WRITERS * EACH * 48L);
        }
        try (EngineLog again = EngineLog.open(scm, ENGINE)) {
            long[] last = {0};
            List<Long> of0 = applied.get(0);
            // what was trimmed is in the index: the rest follows it
            long from = of0.size() - 1;
            assertNull(again.recovery().replay(0, from, f -> last[0] = f.position()));
            assertEquals(of0.size(), last[0]);
        }
    }

    @Test
    void shouldRefuseWithoutDamageWhileNothingIsTrimmed() {
        try (EngineLog log = EngineLog.open(scm, ENGINE)) {
            LogStream stream = streams(log).get(0);
            log.begin(log.recovery().nextLsn() - 1, () -> {}, waits(Duration.ofMillis(20)));
            FaultException full = assertThrows(FaultException.class, () -> {
                for (int i = 0; i < 1000; i++) log.write(stream, batch(8000), true);
            });
            assertEquals(FaultCode.BUSY, full.code());
            int before = applied.get(0).size();

            log.trim(log.appliedLsn(), 1);
            log.write(stream, batch(8000), true);

            assertEquals(before + 1, applied.get(0).size());
            assertEquals(before + 1, applied.get(0).get(before));
            assertEquals(before + 1, stream.durablePosition());
        }
    }

    @Test
    void shouldRefuseWhatNoSegmentCanTakeAndAnythingOnceClosed() {
        EngineLog log = EngineLog.open(scm, ENGINE);
        LogStream stream = streams(log).get(0);
        log.begin(log.recovery().nextLsn() - 1, () -> {}, waits(Duration.ofMillis(20)));
        assertEquals(
                FaultCode.INVAL,
                assertThrows(FaultException.class, () -> log.write(stream, batch(64 << 10), true))
                        .code());
        log.write(stream, batch(59 << 10), true);
        log.close();

        assertEquals(
                FaultCode.UNINIT,
                assertThrows(FaultException.class, () -> log.write(stream, batch(1), true))
                        .code());
    }

    @Test
    void shouldWaitForADriverAndGoOnWhereItWas() throws Exception {
        try (EngineLog log = EngineLog.open(scm, ENGINE)) {
            LogStream stream = streams(log).get(0);
            log.begin(log.recovery().nextLsn() - 1, () -> {}, waits(Duration.ofSeconds(20)));
            log.write(stream, batch(10), true);
            log.onDriver(null);
            CompletableFuture<Void> parked = CompletableFuture.runAsync(() -> log.write(stream, batch(20), true));

            log.onDriver(scm);

            parked.get(10, TimeUnit.SECONDS);
            assertEquals(List.of(1L, 2L), applied.get(0));
            assertEquals(1, log.swaps().count());
        }
        try (EngineLog again = EngineLog.open(scm, ENGINE)) {
            List<Long> found = new ArrayList<>();
            assertNull(again.recovery().replay(0, 0, f -> found.add(f.position())));
            assertEquals(List.of(1L, 2L), found);
        }
    }

    @Test
    void shouldRefuseWithoutDamageWhenNoDriverComes() {
        try (EngineLog log = EngineLog.open(scm, ENGINE)) {
            LogStream stream = streams(log).get(0);
            log.begin(log.recovery().nextLsn() - 1, () -> {}, waits(Duration.ofMillis(10)));
            log.onDriver(null);
            FaultException refused = assertThrows(FaultException.class, () -> log.write(stream, batch(10), true));
            assertEquals(FaultCode.BUSY, refused.code());

            log.onDriver(scm);
            log.write(stream, batch(10), true);

            assertEquals(List.of(1L), applied.get(0));
        }
    }

    /** An index that fails is its target's matter: the others go on. */
    @Test
    void shouldTellOnlyTheTargetWhoseIndexFails() {
        try (EngineLog log = EngineLog.open(scm, ENGINE)) {
            LogStream bad = log.stream(7, 0, (lsn, position, batch) -> {
                throw new IllegalStateException("no index");
            });
            LogStream good = streams(log).get(1);
            log.begin(log.recovery().nextLsn() - 1, () -> {}, waits(Duration.ofMillis(20)));

            assertThrows(FaultException.class, () -> log.write(bad, batch(10), true));
            log.write(good, batch(10), true);

            assertEquals(List.of(1L), applied.get(1));
        }
    }

    /** Whoever waits for a turn whose writer dies of an error hears so, and nothing is written behind it. */
    @Test
    void shouldTakeNothingForDurableWhenItsWriterDies() throws Exception {
        CountDownLatch entered = new CountDownLatch(1);
        CountDownLatch mayDie = new CountDownLatch(1);
        try (EngineLog log = EngineLog.open(scm, ENGINE)) {
            LogStream bad = log.stream(7, 0, (lsn, position, batch) -> {
                entered.countDown();
                try {
                    assertTrue(mayDie.await(10, TimeUnit.SECONDS));
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
                throw new StackOverflowError("on purpose");
            });
            LogStream good = streams(log).get(1);
            log.begin(log.recovery().nextLsn() - 1, () -> {}, waits(Duration.ofMillis(20)));
            CompletableFuture<Void> dies = CompletableFuture.runAsync(() -> log.write(bad, batch(10), true));
            assertTrue(entered.await(10, TimeUnit.SECONDS));
            CompletableFuture<Void> waits = CompletableFuture.runAsync(() -> log.write(good, batch(10), true));
            mayDie.countDown();

            assertThrows(ExecutionException.class, () -> dies.get(10, TimeUnit.SECONDS));
            assertThrows(ExecutionException.class, () -> waits.get(10, TimeUnit.SECONDS));
            assertEquals(List.of(), applied.get(1));
        }
    }
}
