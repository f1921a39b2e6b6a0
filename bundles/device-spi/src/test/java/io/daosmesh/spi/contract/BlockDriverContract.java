package io.daosmesh.spi.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.daosmesh.spi.BlockDevice;
import io.daosmesh.spi.BlockDriver;
import io.daosmesh.spi.DeviceHealth;
import io.daosmesh.spi.DeviceInfo;
import io.daosmesh.spi.DeviceResult;
import io.daosmesh.spi.DeviceSpec;
import io.daosmesh.spi.DeviceStatus;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a {@link BlockDriver} must do. Every test ends with the leak check: no thread of the driver is left. */
@Timeout(120)
public abstract class BlockDriverContract {
    protected static final long SIZE = 16L << 20;

    @TempDir
    protected Path folder;

    private final Random random = new Random(20261121);
    private Set<Thread> threadsBefore = Set.of();
    private BlockDriver driver;

    /** A driver as its bundle would publish it. */
    protected abstract BlockDriver startDriver();

    /** What the framework does when the bundle stops. */
    protected abstract void stopDriver(BlockDriver driver);

    /** A device of the driver's emulated class; {@code name} is unique inside the test. */
    protected abstract DeviceSpec spec(String name, long sizeBytes);

    /** True if what was flushed is there after close and open. */
    protected boolean isDurable() {
        return true;
    }

    /** The file that carries the lock against other processes, if the class has one. */
    protected Path lockedFile(DeviceSpec spec) {
        return Path.of(spec.address());
    }

    protected boolean isLockedAgainstProcesses() {
        return true;
    }

    /** Requests that certainly do not fit into the device's queue. */
    protected int moreThanQueue() {
        return 20_000;
    }

    @BeforeEach
    void start() {
        threadsBefore = Thread.getAllStackTraces().keySet();
        driver = startDriver();
    }

    @AfterEach
    void stopAndCheckLeaks() throws InterruptedException {
        stopDriver(driver);
        long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        List<String> left = new ArrayList<>();
        for (Thread t : ownThreads()) {
            // 0 would wait for ever
            t.join(Math.max(1, TimeUnit.NANOSECONDS.toMillis(deadlineNs - System.nanoTime())));
            if (t.isAlive()) left.add(t.getName());
        }
        assertEquals(List.of(), left, "threads left after the driver stopped");
    }

    private List<Thread> ownThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(t -> !threadsBefore.contains(t)
                        && !t.getName().contains("process reaper")
                        && !t.getName().contains("junit")
                        && !t.getName().contains("Common-Cleaner"))
                .toList();
    }

    protected final BlockDevice open(DeviceSpec spec) {
        DeviceResult<BlockDevice> result = driver.open(spec, true);
        assertEquals(DeviceStatus.OK, result.status(), result.detail());
        return result.get();
    }

    protected static ByteBuffer aligned(int lengthBytes, int alignBytes) {
        ByteBuffer slice = ByteBuffer.allocateDirect(lengthBytes + alignBytes).alignedSlice(alignBytes);
        return slice.slice(0, lengthBytes);
    }

    private ByteBuffer filled(int lengthBytes, int alignBytes) {
        ByteBuffer buffer = aligned(lengthBytes, alignBytes);
        byte[] bytes = new byte[lengthBytes];
        random.nextBytes(bytes);
        buffer.put(bytes).flip();
        return buffer;
    }

    private static DeviceStatus write(BlockDevice device, long offset, ByteBuffer src) {
        Awaited done = new Awaited();
        device.write(offset, src.duplicate(), done);
        return done.await();
    }

    private static DeviceStatus read(BlockDevice device, long offset, ByteBuffer dst) {
        Awaited done = new Awaited();
        device.read(offset, dst, done);
        return done.await();
    }

    private static DeviceStatus flush(BlockDevice device) {
        Awaited done = new Awaited();
        device.flush(done);
        return done.await();
    }

    @Test
    void shouldNameItselfAndItsClasses() {
        assertFalse(driver.name().isBlank());
        assertFalse(driver.version().isBlank());
        assertTrue(driver.deviceClasses().contains(spec("a", SIZE).deviceClass()));
    }

    @Test
    void shouldRefuseClassItDoesNotServe() {
        DeviceSpec other = new DeviceSpec("no-such-class", "nowhere", SIZE, java.util.Map.of());

        assertEquals(DeviceStatus.UNSUPPORTED, driver.open(other, true).status());
    }

    @Test
    void shouldAnswerNotFoundWhenAbsentAndNotCreating() {
        DeviceResult<BlockDevice> result = driver.open(spec("absent", SIZE), false);

        assertEquals(DeviceStatus.NOT_FOUND, result.status());
        assertTrue(result.detail().contains("absent"), result.detail());
        assertEquals(List.of(), driver.scan(List.of(spec("absent", SIZE))));
    }

    @Test
    void shouldScanWithoutChangingAnything() {
        DeviceSpec spec = spec("scanned", SIZE);
        try (BlockDevice device = open(spec)) {
            List<DeviceInfo> infos = driver.scan(List.of(spec, spec("absent", SIZE)));

            assertEquals(1, infos.size());
            assertEquals(device.info(), infos.get(0));
            assertEquals(SIZE, infos.get(0).sizeBytes());
            assertEquals(DeviceStatus.IN_USE, driver.open(spec, false).status(), "the scan must not drop the lock");
        }
    }

    @Test
    void shouldReadZerosThenWhatWasWritten() {
        try (BlockDevice device = open(spec("rw", SIZE))) {
            int block = device.blockBytes();
            ByteBuffer first = aligned(4 * block, block);
            assertEquals(DeviceStatus.OK, read(device, 0, first));
            assertEquals(0, first.remaining());
            assertEquals(aligned(4 * block, block), first.flip());

            ByteBuffer data = filled(4 * block, block);
            assertEquals(DeviceStatus.OK, write(device, 8L * block, data));
            ByteBuffer back = aligned(4 * block, block);
            assertEquals(DeviceStatus.OK, read(device, 8L * block, back));
            assertEquals(data, back.flip());
        }
    }

    @Test
    void shouldKeepFlushedDataWhenOpenedAgain() {
        assumeTrue(isDurable());
        DeviceSpec spec = spec("durable", SIZE);
        ByteBuffer data = filled(1 << 20, 4096);
        try (BlockDevice device = open(spec)) {
            assertEquals(DeviceStatus.OK, write(device, 1 << 20, data));
            assertEquals(DeviceStatus.OK, flush(device));
        }
        BlockDriver next = startDriver();
        try {
            DeviceResult<BlockDevice> again = next.open(spec, false);
            assertEquals(DeviceStatus.OK, again.status(), again.detail());
            try (BlockDevice device = again.get()) {
                ByteBuffer back = aligned(1 << 20, 4096);
                assertEquals(DeviceStatus.OK, read(device, 1 << 20, back));
                assertEquals(data, back.flip());
            }
        } finally {
            stopDriver(next);
        }
    }

    @Test
    void shouldRefuseWhatBreaksTheGeometry() {
        try (BlockDevice device = open(spec("geometry", SIZE))) {
            int block = device.blockBytes();
            assertEquals(DeviceStatus.INVALID, write(device, 1, aligned(block, block)), "offset");
            assertEquals(
                    DeviceStatus.INVALID, write(device, 0, aligned(block, block).limit(17)), "length");
            assertEquals(
                    DeviceStatus.INVALID,
                    read(device, 0, aligned(2 * block, block).slice(8, block)),
                    "address");
            assertEquals(DeviceStatus.INVALID, write(device, 0, ByteBuffer.allocate(block)), "heap buffer");
            assertEquals(DeviceStatus.INVALID, read(device, SIZE, aligned(block, block)), "behind the end");
            assertEquals(DeviceStatus.INVALID, write(device, -block, aligned(block, block)), "before the start");
            assertEquals(DeviceStatus.INVALID, write(device, SIZE - block, aligned(2 * block, block)), "over the end");
            assertEquals(DeviceStatus.INVALID, write(device, Long.MAX_VALUE - 4095, aligned(block, block)), "overflow");
            assertEquals(
                    DeviceStatus.INVALID, read(device, 0, aligned(block, block).asReadOnlyBuffer()), "read-only");
            Awaited unmapped = new Awaited();
            device.unmap(3, block, unmapped);
            assertEquals(DeviceStatus.INVALID, unmapped.await(), "unmap");
            assertEquals(0, device.health().mediaErrors(), "a caller's mistake is no media error");
        }
    }

    @Test
    void shouldAnswerUnmap() {
        try (BlockDevice device = open(spec("unmap", SIZE))) {
            Awaited done = new Awaited();
            device.unmap(0, 1 << 20, done);

            assertTrue(Set.of(DeviceStatus.OK, DeviceStatus.UNSUPPORTED).contains(done.await()));
        }
    }

    @Test
    void shouldAnswerBusyWhenQueueIsFullAndNeverForget() {
        List<Awaited> all = new ArrayList<>();
        CountDownLatch release = new CountDownLatch(1);
        AtomicReference<Throwable> failure = new AtomicReference<>();
        try (BlockDevice device = open(spec("full", SIZE))) {
            for (int i = 0; i < 64; i++) holdThread(device, release, failure);
            for (int i = 0; i < moreThanQueue() && all.stream().noneMatch(Awaited::isAnswered); i++) {
                Awaited done = new Awaited();
                all.add(done);
                device.write(0, aligned(device.blockBytes(), device.blockBytes()), done);
            }
            assertEquals(DeviceStatus.BUSY, all.get(all.size() - 1).await());
            release.countDown();
            for (Awaited done : all)
                assertTrue(Set.of(DeviceStatus.OK, DeviceStatus.BUSY).contains(done.await()));
            assertEquals(DeviceStatus.OK, write(device, 0, aligned(4096, 4096)), "usable again");
        } finally {
            release.countDown();
        }
        assertEquals(null, failure.get());
    }

    /** Blocks one I/O thread of the driver in a completion (which no caller may do, hence only here). */
    private static void holdThread(BlockDevice device, CountDownLatch release, AtomicReference<Throwable> failure) {
        device.read(0, aligned(device.blockBytes(), device.blockBytes()), (status, detail) -> {
            if (status == DeviceStatus.BUSY) return;
            try {
                if (!release.await(Awaited.DEADLINE_S, TimeUnit.SECONDS))
                    failure.set(new AssertionError("not released"));
            } catch (InterruptedException e) {
                failure.set(e);
            }
        });
    }

    @Test
    void shouldAnswerEverythingWhenClosedUnderLoad() {
        List<Awaited> all = new ArrayList<>();
        BlockDevice device = open(spec("closed", SIZE));
        for (int i = 0; i < 200; i++) {
            Awaited done = new Awaited();
            all.add(done);
            device.write((i % 64) * 65536L, filled(65536, 4096), done);
        }

        device.close();

        for (Awaited done : all)
            assertTrue(
                    Set.of(DeviceStatus.OK, DeviceStatus.GONE, DeviceStatus.BUSY)
                            .contains(done.await()),
                    done.detail());
        assertGone(device);
        device.close();
    }

    private static void assertGone(BlockDevice device) {
        assertEquals(DeviceStatus.GONE, write(device, 0, aligned(4096, 4096)));
        assertEquals(DeviceStatus.GONE, read(device, 0, aligned(4096, 4096)));
        assertEquals(DeviceStatus.GONE, flush(device));
        Awaited unmapped = new Awaited();
        device.unmap(0, 4096, unmapped);
        assertEquals(DeviceStatus.GONE, unmapped.await());
    }

    @Test
    void shouldCloseOpenDevicesWhenDriverStops() {
        DeviceSpec spec = spec("stopped", SIZE);
        BlockDriver other = startDriver();
        DeviceResult<BlockDevice> opened = other.open(spec, true);
        assertEquals(DeviceStatus.OK, opened.status(), opened.detail());

        stopDriver(other);

        assertGone(opened.get());
        assertEquals(DeviceStatus.GONE, other.open(spec, true).status());
        open(spec).close();
    }

    @Test
    void shouldRefuseSecondOpen() {
        DeviceSpec spec = spec("twice", SIZE);
        BlockDriver other = startDriver();
        try (BlockDevice device = open(spec)) {
            assertEquals(DeviceStatus.IN_USE, driver.open(spec, false).status());
            assertEquals(DeviceStatus.IN_USE, other.open(spec, true).status(), "another version of the driver");
            assertEquals(DeviceStatus.OK, write(device, 0, aligned(4096, 4096)));
        } finally {
            stopDriver(other);
        }
        open(spec).close();
    }

    @Test
    void shouldRefuseWhatAnotherProcessHolds() throws IOException {
        assumeTrue(isLockedAgainstProcesses());
        DeviceSpec spec = spec("other-process", SIZE);
        try (BlockDevice device = open(spec)) {
            assertEquals(SIZE, device.sizeBytes());
            assertEquals(DeviceStatus.IN_USE, driver.open(spec, false).status());
            try (FileLockHolder.Held held = FileLockHolder.hold(lockedFile(spec))) {
                assertEquals("refused", held.said(), "our lock must keep others out, also after a refused open");
            }
        }
        try (FileLockHolder.Held held = FileLockHolder.hold(lockedFile(spec))) {
            assertEquals("locked", held.said());
            assertEquals(DeviceStatus.IN_USE, driver.open(spec, false).status());
        }
        open(spec).close();
    }

    @Test
    void shouldKeepConcurrentSubmittersApart() throws InterruptedException {
        int writers = 4;
        int rounds = 60;
        Set<String> wrong = ConcurrentHashMap.newKeySet();
        try (BlockDevice device = open(spec("concurrent", SIZE))) {
            List<Thread> threads = new ArrayList<>();
            for (int w = 0; w < writers; w++) {
                int writer = w;
                threads.add(new Thread(() -> writeAndVerify(device, writer, writers, rounds, wrong), "submitter-" + w));
            }
            threads.forEach(Thread::start);
            for (Thread t : threads) t.join();
        }
        assertEquals(Set.of(), wrong);
    }

    private static void writeAndVerify(BlockDevice device, int writer, int writers, int rounds, Set<String> wrong) {
        int length = 8192;
        ByteBuffer data = aligned(length, 4096);
        ByteBuffer back = aligned(length, 4096);
        for (int round = 0; round < rounds; round++) {
            long offset = (long) length * (round * writers + writer);
            for (int i = 0; i < length; i += 4) data.putInt(i, round * 31 + writer);
            DeviceStatus written = write(device, offset, data);
            DeviceStatus flushed = round % 10 == 0 ? flush(device) : DeviceStatus.OK;
            DeviceStatus got = read(device, offset, back.clear());
            if (written != DeviceStatus.OK || flushed != DeviceStatus.OK || got != DeviceStatus.OK)
                wrong.add(written + " " + flushed + " " + got);
            else if (!data.equals(back.flip())) wrong.add("writer " + writer + " round " + round);
        }
    }

    @Test
    void shouldCountHealth() {
        DeviceSpec spec = spec("health", SIZE);
        try (BlockDevice device = open(spec)) {
            for (int i = 0; i < 4; i++) write(device, i << 20, aligned(1 << 20, 4096));
            for (int i = 0; i < 2; i++) read(device, i << 20, aligned(1 << 20, 4096));
            DeviceHealth health = device.health();

            assertEquals(4, health.hostWriteCommands());
            assertEquals(2, health.hostReadCommands());
            assertEquals(9, health.dataUnitsWritten(), "4 MiB in units of 512,000 bytes, rounded up");
            assertEquals(5, health.dataUnitsRead());
            assertEquals(1, health.powerCycles());
            assertEquals(0, health.unsafeShutdowns());
        }
        assumeTrue(isDurable());
        try (BlockDevice device = open(spec)) {
            assertEquals(4, device.health().hostWriteCommands(), "counters survive");
            assertEquals(2, device.health().powerCycles());
            assertEquals(0, device.health().unsafeShutdowns());
        }
    }
}
