package io.daosmesh.storage.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.port.NodeConfig.AutoFaulty;
import io.daosmesh.model.port.StorageAdmin.State;
import io.daosmesh.model.ras.RasEvent.Severity;
import io.daosmesh.model.ras.RasId;
import io.daosmesh.model.wire.FormatResultMessage;
import io.daosmesh.nvmespdk.NvmeSpdkDriver;
import io.daosmesh.pmem.PmemDriver;
import io.daosmesh.spi.BlockDriver;
import io.daosmesh.storage.Blob;
import io.daosmesh.storage.BlobCompletion;
import io.daosmesh.storage.EngineStorage;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** One engine's storage with real drivers on files, without OSGi. */
public final class NodeFixture implements AutoCloseable, NodeEffects {
    /** Little: values go to their devices again and again. */
    private static final long HELD_BYTES = 1 << 20;

    /** Longer than any test: its devices may take their time. */
    private static final long ANSWER_MS_MAX = 600_000;

    private static final long RESERVE_BYTES = 16 << 20;

    public static final Duration DEADLINE = Duration.ofSeconds(30);

    final List<RasId> events = new CopyOnWriteArrayList<>();
    final List<String> messages = new CopyOnWriteArrayList<>();
    /** Addresses of devices that other engines have. */
    volatile Set<String> taken = Set.of();

    final Drivers drivers = Drivers.none();
    public final StorageLife node;
    final PmemDriver pmem = new PmemDriver("1");
    private volatile EngineStorage storage;

    public NodeFixture(Path folder, String system, int targetCount, long graceMs) {
        this(folder, system, targetCount, new Disks("file", 2), settings(graceMs, ANSWER_MS_MAX));
    }

    /** With two devices in memory: no other load of the machine makes them slow. The caller gives the driver. */
    static NodeFixture inMemory(Path folder, long answerMsMax) {
        return new NodeFixture(folder, "daos_server", 2, new Disks("malloc", 2), settings(30_000, answerMsMax));
    }

    /** Two targets on the first two of three devices. */
    static NodeFixture withSpare(Path folder) {
        return withSpare(folder, 30_000);
    }

    static NodeFixture withSpare(Path folder, long graceMs) {
        return new NodeFixture(folder, "daos_server", 2, new Disks("file", 3), settings(graceMs, ANSWER_MS_MAX));
    }

    /** What an engine has of devices. */
    private record Disks(String deviceClass, int count) {
        List<String> in(Path folder) {
            return java.util.stream.IntStream.range(0, count)
                    .mapToObj(i -> folder + "/nvme" + i)
                    .toList();
        }
    }

    private static StorageSettings settings(long graceMs, long answerMsMax) {
        return new StorageSettings(graceMs, answerMsMax, 16 << 20, HELD_BYTES, RESERVE_BYTES, 4 << 20);
    }

    /** With a device for each of two targets. */
    static NodeFixture withAutoFaulty(Path folder, AutoFaulty autoFaulty) {
        StorageSettings settings = settings(30_000, ANSWER_MS_MAX);
        return new NodeFixture(folder, "daos_server", 2, new Disks("file", 2), settings, autoFaulty);
    }

    private NodeFixture(Path folder, String system, int targetCount, Disks disks, StorageSettings settings) {
        this(folder, system, targetCount, disks, settings, AutoFaulty.USUAL);
    }

    private NodeFixture(
            Path folder, String system, int targetCount, Disks disks, StorageSettings settings, AutoFaulty autoFaulty) {
        NodeConfig.Engine config = new NodeConfig.Engine(
                0,
                targetCount,
                "file",
                folder.resolve("scm"),
                256L << 20,
                disks.deviceClass,
                disks.in(folder),
                64L << 20,
                "",
                autoFaulty);
        drivers.scm().add(pmem, Map.of());
        node = new StorageLife(config, system, drivers, this, settings, () -> taken);
    }

    public NvmeSpdkDriver addDriver(String version) {
        NvmeSpdkDriver driver = new NvmeSpdkDriver(version);
        drivers.block().add(driver, Map.of());
        await(node.onDriversChanged());
        return driver;
    }

    /** What the framework does: unregister (waits), then stop. */
    public void removeDriver(BlockDriver driver) {
        drivers.block().remove(driver);
        await(node.onDriversChanged());
        ((NvmeSpdkDriver) driver).close();
    }

    private static void await(java.util.concurrent.Future<?> work) {
        try {
            work.get(DEADLINE.toSeconds(), TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    void addScmDriver(PmemDriver driver) {
        drivers.scm().add(driver, Map.of());
        await(node.onDriversChanged());
    }

    void removeScmDriver(PmemDriver driver) {
        drivers.scm().remove(driver);
        await(node.onDriversChanged());
        driver.close();
    }

    public NodeFixture start() {
        node.start();
        return this;
    }

    public EngineStorage formatted() {
        awaitState(State.AWAIT_FORMAT);
        List<FormatResultMessage> results = node.format("daos_server", false).block(DEADLINE);
        assertTrue(results.stream().allMatch(FormatResultMessage::getOk), results::toString);
        return ready();
    }

    EngineStorage ready() {
        awaitState(State.READY);
        until(() -> storage != null);
        return storage;
    }

    void awaitState(State wanted) {
        until(() -> node.state() == wanted || node.state() == State.FAILED);
        assertEquals(wanted, node.state(), node.fault());
    }

    void awaitFailed() {
        until(() -> node.state() == State.FAILED);
    }

    static void until(BooleanSupplier condition) {
        long deadline = System.nanoTime() + DEADLINE.toNanos();
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < deadline, "not in time");
            Thread.onSpinWait();
        }
    }

    /** The fault, or empty. */
    static Optional<Fault> outcome(Consumer<BlobCompletion> request) {
        CompletableFuture<Optional<Fault>> answer = new CompletableFuture<>();
        request.accept(fault -> answer.complete(Optional.ofNullable(fault)));
        try {
            return answer.get(DEADLINE.toSeconds(), TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new AssertionError("no answer", e);
        }
    }

    public static Optional<Fault> write(Blob blob, long offset, ByteBuffer data) {
        return outcome(c -> blob.write(offset, data, c));
    }

    public static Optional<Fault> read(Blob blob, long offset, ByteBuffer data) {
        return outcome(c -> blob.read(offset, data, c));
    }

    public static Optional<Fault> flush(Blob blob) {
        return outcome(blob::flush);
    }

    @Override
    public void raise(RasId id, Severity severity, String message, String device) {
        events.add(id);
        messages.add(message);
    }

    @Override
    public void onReady(EngineStorage ready) {
        storage = ready;
    }

    @Override
    public void onWithdrawn(EngineStorage gone) {
        storage = null;
    }

    @Override
    public void close() {
        node.close();
        for (BlockDriver d : drivers.block().all()) ((NvmeSpdkDriver) d).close();
        pmem.close();
    }
}
