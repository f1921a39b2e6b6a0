package io.daosmesh.storage.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.ras.RasId;
import io.daosmesh.nvmespdk.NvmeSpdkDriver;
import io.daosmesh.pmem.PmemDriver;
import io.daosmesh.storage.Blob;
import io.daosmesh.storage.BufferPool;
import io.daosmesh.storage.DeviceState;
import io.daosmesh.storage.EngineStorage;
import io.daosmesh.storage.kv.KvBatch;
import io.daosmesh.storage.kv.KvStore;
import io.daosmesh.storage.log.runtime.EngineLog;
import io.daosmesh.storage.slot.DeviceSlot;
import io.daosmesh.storage.slot.SlotLimits;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class DriverSwapTest {
    private static final long MIB = 1L << 20;
    private static final UUID POOL = new UUID(1, 2);

    @TempDir
    Path folder;

    private final List<String> wrong = new CopyOnWriteArrayList<>();
    private final AtomicLong operations = new AtomicLong();

    /** The log of the engine lives on it: it moves, its writers wait, nothing is lost. */
    @Test
    void shouldFailNoBatchWhileTheScmDriverChanges() throws InterruptedException {
        AtomicLong written = new AtomicLong();
        try (NodeFixture f = new NodeFixture(folder, "daos_server", 2, 30_000).start()) {
            f.addDriver("1");
            KvStore kv = f.formatted().target(1).kv();
            AtomicBoolean isDone = new AtomicBoolean();
            Thread load = new Thread(() -> {
                while (!isDone.get()) {
                    long n = written.get() + 1;
                    kv.write(new KvBatch().put(number(n), new byte[500]), true);
                    written.set(n);
                }
            });
            load.start();
            PmemDriver present = f.pmem;
            for (int swap = 0; swap < 6; swap++) {
                runFor(50);
                PmemDriver next = new PmemDriver("2.0." + swap);
                if (swap % 2 == 0) {
                    f.removeScmDriver(present);
                    runFor(10);
                    f.addScmDriver(next);
                } else {
                    f.addScmDriver(next);
                    f.removeScmDriver(present);
                }
                present = next;
            }
            runFor(50);
            isDone.set(true);
            load.join();

            EngineLog log = Objects.requireNonNull(f.node.engine().log());
            assertEquals(6, log.swaps().count());
            assertTrue(log.swaps().lastPauseNs() > 0);
            System.out.printf(
                    "%d batches, 6 swaps of the SCM driver, longest pause %.1f ms%n",
                    written.get(), log.swaps().maxPauseNs() / 1e6);
            f.removeScmDriver(present);
        }
        try (NodeFixture f = new NodeFixture(folder, "daos_server", 2, 30_000).start()) {
            f.addDriver("1");
            KvStore kv = f.ready().target(1).kv();
            for (long n = 1; n <= written.get(); n++) assertNotNull(kv.get(number(n)), "batch " + n);
        }
    }

    private static byte[] number(long n) {
        return java.nio.ByteBuffer.allocate(8).putLong(n).array();
    }

    @Test
    void shouldFailNoRequestWhileDriversChange() throws InterruptedException {
        try (NodeFixture f = new NodeFixture(folder, "daos_server", 2, 30_000).start()) {
            NvmeSpdkDriver driver = f.addDriver("1.0.0");
            EngineStorage storage = f.formatted();
            storage.reservePool(POOL, MIB, 16 * MIB);
            AtomicBoolean isDone = new AtomicBoolean();
            List<Thread> load = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                int writer = i;
                load.add(new Thread(() -> writeAndVerify(storage, writer, isDone), "load-" + i));
            }
            load.forEach(Thread::start);

            for (int swap = 0; swap < 6; swap++) {
                runFor(100);
                if (swap % 2 == 0) {
                    f.removeDriver(driver);
                    runFor(20);
                    driver = f.addDriver("1.0." + swap);
                } else {
                    NvmeSpdkDriver next = f.addDriver("2.0." + swap);
                    runFor(20);
                    f.removeDriver(driver);
                    driver = next;
                }
            }
            runFor(100);
            isDone.set(true);
            for (Thread t : load) t.join();

            assertEquals(List.of(), wrong);
            DeviceSlot slot = f.node.engine().slots().all().iterator().next();
            assertEquals(6, slot.swaps().count());
            assertTrue(slot.swaps().lastPauseNs() > 0);
            assertTrue(slot.parkedTotal() > 0);
            System.out.printf(
                    "%d operations, 6 swaps, longest pause %.1f ms, %d waited%n",
                    operations.get(), slot.swaps().maxPauseNs() / 1e6, slot.parkedTotal());
        }
    }

    /** Lets the load go on for a while; only the amount of load depends on it, never the verdict. */
    private void runFor(long count) {
        long end = operations.get() + count;
        long deadline = System.nanoTime() + 300_000_000L;
        NodeFixture.until(() -> operations.get() >= end || System.nanoTime() > deadline);
    }

    private void writeAndVerify(EngineStorage storage, int writer, AtomicBoolean isDone) {
        Blob blob = storage.target(writer % 2).pool(POOL).blob();
        try (BufferPool.Buffer out = storage.buffers().take(16384);
                BufferPool.Buffer in = storage.buffers().take(16384)) {
            for (long round = 0; !isDone.get(); round++) {
                long offset = (writer * 64L + round % 64) * 16384;
                for (int i = 0; i < 16384; i += 8) out.bytes().putLong(i, round * 31 + writer);
                check(NodeFixture.write(blob, offset, out.bytes()));
                if (round % 8 == 0) check(NodeFixture.flush(blob));
                check(NodeFixture.read(blob, offset, in.bytes()));
                if (!in.bytes().equals(out.bytes())) wrong.add("writer " + writer + " round " + round);
                operations.incrementAndGet();
            }
        }
    }

    private void check(Optional<Fault> fault) {
        fault.ifPresent(f -> wrong.add(f.message()));
    }

    /** An engine that is replaced right after its start: its listener must not stay behind with the old class loader. */
    @Test
    void shouldForgetListenerWhoseCloseOvertakesItsRegistration() throws Exception {
        try (NodeFixture f = new NodeFixture(folder, "daos_server", 2, 300).start()) {
            NvmeSpdkDriver driver = f.addDriver("1.0.0");
            EngineStorage storage = f.formatted();
            List<String> ghosts = new CopyOnWriteArrayList<>();
            for (int i = 0; i < 200; i++) {
                storage.listen((device, state, targets, reason) -> ghosts.add(targets + " " + state))
                        .close();
            }
            List<String> last = new CopyOnWriteArrayList<>();
            storage.listen((device, state, targets, reason) -> last.add(targets + " " + state));
            NodeFixture.until(() -> last.size() >= 2);
            ghosts.clear();

            f.removeDriver(driver);

            NodeFixture.until(() -> last.containsAll(List.of("[0] UNPLUGGED", "[1] UNPLUGGED")));
            assertEquals(List.of(), ghosts);
        }
    }

    @Test
    void shouldUnplugAfterGraceAndComeBack() {
        try (NodeFixture f = new NodeFixture(folder, "daos_server", 2, 300).start()) {
            NvmeSpdkDriver driver = f.addDriver("1.0.0");
            EngineStorage storage = f.formatted();
            storage.reservePool(POOL, MIB, 16 * MIB);
            Blob blob = storage.target(0).pool(POOL).blob();
            List<String> told = new CopyOnWriteArrayList<>();
            storage.listen((device, state, targets, reason) -> told.add(targets + " " + state));

            f.removeDriver(driver);
            try (BufferPool.Buffer b = storage.buffers().take(4096)) {
                Fault fault = NodeFixture.write(blob, 0, b.bytes()).orElseThrow();
                assertEquals(FaultCode.NVME_IO, fault.code());
                assertEquals("UNPLUGGED", fault.argument("device_state").orElseThrow());
                assertEquals(
                        DeviceState.UNPLUGGED,
                        storage.deviceState(storage.target(0).device()));
                NodeFixture.until(() -> f.events.contains(RasId.DEVICE_UNPLUGGED));

                f.addDriver("1.0.1");

                assertEquals(
                        DeviceState.NORMAL,
                        storage.deviceState(storage.target(0).device()));
                assertTrue(NodeFixture.write(blob, 0, b.bytes()).isEmpty());
            }
            assertTrue(f.events.contains(RasId.DEVICE_PLUGGED));
            NodeFixture.until(() -> told.size() >= 6);
            assertTrue(
                    told.containsAll(List.of("[0] NORMAL", "[1] NORMAL", "[0] UNPLUGGED", "[1] UNPLUGGED")),
                    told::toString);
        }
    }

    @Test
    void shouldRefuseMoreThanTheLimitsAndAnswerAllWhenClosed() {
        List<Optional<Fault>> answers = new CopyOnWriteArrayList<>();
        int sent = SlotLimits.of(1, 1).requestsMax() + 10;
        try (NodeFixture f = new NodeFixture(folder, "daos_server", 1, 30_000).start()) {
            NvmeSpdkDriver driver = f.addDriver("1.0.0");
            EngineStorage storage = f.formatted();
            storage.reservePool(POOL, MIB, 16 * MIB);
            Blob blob = storage.target(0).pool(POOL).blob();
            f.removeDriver(driver);
            BufferPool.Buffer b = storage.buffers().take(4096);
            for (int i = 0; i < sent; i++) blob.read(0, b.bytes(), fault -> answers.add(Optional.ofNullable(fault)));
            assertEquals(10, answers.size());
            assertEquals(FaultCode.BUSY, answers.get(0).orElseThrow().code());
        }
        assertEquals(sent, answers.size(), "every request is answered");
        assertEquals(FaultCode.CANCELED, answers.get(sent - 1).orElseThrow().code());
    }

    @Test
    void shouldGoOnWhenDriverLeavesWithoutWaiting() {
        try (NodeFixture f = new NodeFixture(folder, "daos_server", 2, 30_000).start()) {
            NvmeSpdkDriver driver = f.addDriver("1.0.0");
            EngineStorage storage = f.formatted();
            storage.reservePool(POOL, MIB, 16 * MIB);
            Blob blob = storage.target(0).pool(POOL).blob();

            driver.close();
            List<Optional<Fault>> answers = new CopyOnWriteArrayList<>();
            try (BufferPool.Buffer b = storage.buffers().take(4096)) {
                for (int i = 0; i < 20; i++)
                    blob.write(4096L * i, b.bytes(), fault -> answers.add(Optional.ofNullable(fault)));
                f.removeDriver(driver);
                f.addDriver("1.0.1");
                NodeFixture.until(() -> answers.size() == 20);
            }
            assertTrue(answers.stream().allMatch(Optional::isEmpty), answers::toString);
        }
    }
}
