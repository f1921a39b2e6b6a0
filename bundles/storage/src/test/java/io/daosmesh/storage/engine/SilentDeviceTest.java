package io.daosmesh.storage.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.ras.RasId;
import io.daosmesh.storage.Blob;
import io.daosmesh.storage.BufferPool;
import io.daosmesh.storage.DeviceState;
import io.daosmesh.storage.EngineStorage;
import io.daosmesh.storage.emulated.RamBlockDriver;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A device that leaves requests without an answer is faulty after a while: whoever waits is told, nobody else notices. */
@Timeout(120)
class SilentDeviceTest {
    private static final long ANSWER_MS_MAX = 1_500;
    private static final long MIB = 1L << 20;
    private static final UUID POOL = new UUID(1, 2);

    @TempDir
    Path folder;

    private final RamBlockDriver ram = new RamBlockDriver();
    private HangingBlocks driver;
    private NodeFixture f;
    private EngineStorage storage;
    private final List<String> told = new CopyOnWriteArrayList<>();

    @BeforeEach
    void start() {
        storage = open(false).formatted();
        storage.reservePool(POOL, MIB, 16 * MIB);
        storage.listen((device, state, targets, reason) -> told.add(targets + " " + state));
    }

    private NodeFixture open(boolean hangs) {
        driver = new HangingBlocks(ram, "nvme0");
        if (hangs) driver.hang();
        f = NodeFixture.inMemory(folder, ANSWER_MS_MAX);
        f.drivers.block().add(driver, Map.of());
        return f.start();
    }

    @AfterEach
    void stop() {
        close();
        ram.close();
    }

    private void close() {
        driver.letGo();
        f.node.close();
        f.pmem.close();
    }

    private Blob blob(int target) {
        return storage.target(target).pool(POOL).blob();
    }

    private DeviceState state(int target) {
        return storage.deviceState(storage.target(target).device());
    }

    private long faultyEvents() {
        return f.events.stream().filter(e -> e == RasId.DEVICE_SET_FAULTY).count();
    }

    private void untilFaulty() {
        NodeFixture.until(() -> state(0) == DeviceState.FAULTY && faultyEvents() > 0);
    }

    @Test
    void shouldSetItFaultyOnceAndStayThereWhenItAnswersAgain() {
        driver.hang();
        try (BufferPool.Buffer mine = storage.buffers().take(4096);
                BufferPool.Buffer others = storage.buffers().take(4096)) {
            CompletableFuture<Optional<Fault>> read =
                    CompletableFuture.supplyAsync(() -> NodeFixture.read(blob(0), 0, mine.bytes()));
            CompletableFuture<Optional<Fault>> write =
                    CompletableFuture.supplyAsync(() -> NodeFixture.write(blob(0), 8192, mine.bytes()));
            CompletableFuture<Optional<Fault>> flush = CompletableFuture.supplyAsync(() -> NodeFixture.flush(blob(0)));
            NodeFixture.until(() -> driver.hangingCount() == 3);
            assertTrue(NodeFixture.write(blob(1), 0, others.bytes()).isEmpty(), "the other device serves");

            for (CompletableFuture<Optional<Fault>> answer : List.of(read, write, flush)) {
                Fault fault = answer.join().orElseThrow();
                assertEquals(FaultCode.NVME_IO, fault.code());
                assertTrue(fault.text().contains("no answer to"), fault.text());
                assertTrue(Blob.keepsBuffer(fault), "the device has the buffer");
            }
            untilFaulty();
            Fault later = NodeFixture.read(blob(0), 0, mine.bytes()).orElseThrow();
            assertTrue(later.text().contains("does not answer"), later.text());
            assertFalse(Blob.keepsBuffer(later), "it was never given to the device");

            driver.letGo();

            NodeFixture.until(() -> NodeFixture.read(blob(0), 0, mine.bytes()).isEmpty());
            assertEquals(DeviceState.FAULTY, state(0));
            assertTrue(NodeFixture.write(blob(0), 0, mine.bytes()).isPresent());
            assertTrue(NodeFixture.write(blob(1), 0, others.bytes()).isEmpty());
        }
        assertEquals(1, faultyEvents());
        assertEquals(DeviceState.NORMAL, state(1));
        assertEquals(List.of("[0] NORMAL", "[1] NORMAL", "[0] FAULTY"), told);
    }

    /** Where it is not waited for, although it still does not answer. */
    @Test
    void shouldBeOutAfterARestart() {
        driver.hang();
        NodeFixture.flush(blob(0));
        untilFaulty();
        UUID device = storage.target(0).device();
        storage.tearDown(device);
        NodeFixture.until(() -> state(0) == DeviceState.OUT);
        close();

        storage = open(true).ready();

        assertEquals(0, driver.hangingCount());
        assertEquals(DeviceState.OUT, storage.deviceState(device));
        assertEquals(DeviceState.NORMAL, state(1));
    }

    /** The note that it is faulty waits for the tables, whose lock the one who makes the pool has. */
    @Test
    void shouldEndTheMakingOfAPool() {
        driver.hang();

        FaultException e = assertThrows(FaultException.class, () -> storage.reservePool(new UUID(3, 4), MIB, MIB));

        assertEquals(FaultCode.NVME_IO, e.code());
        untilFaulty();
        assertEquals(1, storage.pools().size());
    }

    @Test
    void shouldHoldUpNoOtherDeviceWhenTheDriverChanges() throws Exception {
        driver.hang();
        NodeFixture.flush(blob(0));
        untilFaulty();
        HangingBlocks old = driver;

        driver = new HangingBlocks(ram, "nvme0");
        driver.hang();
        f.drivers.block().add(driver, Map.of("service.ranking", 1));
        f.node.onDriversChanged().get(NodeFixture.DEADLINE.toSeconds(), TimeUnit.SECONDS);
        f.drivers.block().remove(old);

        try (BufferPool.Buffer b = storage.buffers().take(4096)) {
            assertTrue(NodeFixture.write(blob(1), 0, b.bytes()).isEmpty());
            Fault fault = NodeFixture.read(blob(0), 0, b.bytes()).orElseThrow();
            assertEquals(FaultCode.NVME_IO, fault.code());
        }
        assertEquals(0, driver.hangingCount(), "it is not asked any more");
        assertEquals(DeviceState.FAULTY, state(0));
    }

    /** All devices of an engine share the thread that asks again. */
    @Test
    void shouldAskAFullDeviceTheLessOftenTheLongerItIsFull() {
        driver.beBusy();
        try (BufferPool.Buffer b = storage.buffers().take(4096)) {
            CompletableFuture<Optional<Fault>> read =
                    CompletableFuture.supplyAsync(() -> NodeFixture.read(blob(0), 0, b.bytes()));
            long endNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(2);
            NodeFixture.until(() -> System.nanoTime() > endNs);
            int asked = driver.refusedCount();

            driver.letGo();

            assertTrue(read.join().isEmpty());
            assertTrue(asked > 0 && asked < 300, "asked " + asked + " times in two seconds");
        }
        assertEquals(DeviceState.NORMAL, state(0));
    }
}
