package io.daosmesh.storage.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.nvmespdk.NvmeSpdkDriver;
import io.daosmesh.storage.Blob;
import io.daosmesh.storage.BufferPool;
import io.daosmesh.storage.DeviceState;
import io.daosmesh.storage.EngineStorage;
import io.daosmesh.storage.kv.KvBatch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.Random;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Short values are read where they were written, whether they are in memory, on their device, or only in the log. */
@Timeout(120)
class HeldValuesTest {
    private static final UUID POOL = new UUID(1, 2);
    private static final int BLOCK = 4096;
    private static final int BLOCKS = 600;
    private static final int TARGETS = 2;
    private static final int LIVES = 6;

    @TempDir
    Path folder;

    /** What each block holds; 0 = nothing was written. */
    private final long[][] numbers = new long[TARGETS][BLOCKS];

    private final Random random = new Random(5);
    private long number;

    private NodeFixture node(Path at, long graceMs) {
        NodeFixture f = new NodeFixture(at, "daos_server", TARGETS, graceMs);
        f.addDriver("1");
        return f.start();
    }

    private static Blob blob(EngineStorage storage, int target) {
        return storage.target(target).pool(POOL).blob();
    }

    private static void fill(ByteBuffer bytes, long number) {
        for (int i = 0; i < bytes.limit(); i += 8) bytes.putLong(i, number);
    }

    /** Overwrites places in both ways, which an engine does where a place was given back. */
    private void write(EngineStorage storage, int target) {
        int blocks = 1 + random.nextInt(8);
        int first = random.nextInt(BLOCKS - blocks);
        boolean isShort = random.nextInt(4) > 0;
        Blob blob = blob(storage, target);
        KvBatch batch = new KvBatch().put(new byte[] {1}, new byte[random.nextInt(300)]);
        try (BufferPool.Buffer buffer = storage.buffers().take(blocks * BLOCK)) {
            fill(buffer.bytes(), ++number);
            if (isShort) {
                batch.value(blob, (long) first * BLOCK, buffer.bytes());
            } else {
                assertTrue(NodeFixture.write(blob, (long) first * BLOCK, buffer.bytes())
                        .isEmpty());
                assertTrue(NodeFixture.flush(blob).isEmpty());
                batch.written(blob, (long) first * BLOCK, (long) blocks * BLOCK);
            }
            storage.target(target).kv().write(batch, true);
        }
        Arrays.fill(numbers[target], first, first + blocks, number);
    }

    private void read(EngineStorage storage, int target, int first, int blocks) {
        try (BufferPool.Buffer buffer = storage.buffers().take(blocks * BLOCK)) {
            assertTrue(NodeFixture.read(blob(storage, target), (long) first * BLOCK, buffer.bytes())
                    .isEmpty());
            for (int b = 0; b < blocks; b++) {
                long expected = numbers[target][first + b];
                for (int at = b * BLOCK; at < (b + 1) * BLOCK && expected > 0; at += 8)
                    assertEquals(expected, buffer.bytes().getLong(at), "target " + target + " block " + (first + b));
            }
        }
    }

    private void readAll(EngineStorage storage) {
        for (int t = 0; t < TARGETS; t++) for (int at = 0; at < BLOCKS; at += 50) read(storage, t, at, 50);
    }

    /** Lives that end in order or as a kill ends them, with more values than memory takes. */
    @Test
    void shouldReadTheNewestBytesInEachLife() {
        Path at = folder.resolve("life");
        try (NodeFixture f = node(at, 30_000)) {
            f.formatted().reservePool(POOL, 1 << 20, 16 << 20);
        }
        for (int life = 0; life < LIVES; life++) {
            Path next = folder.resolve("life" + life);
            try (NodeFixture f = node(at, 30_000)) {
                EngineStorage storage = f.ready();
                assertNull(storage.target(0).kv().damage());
                readAll(storage);
                for (int i = 0; i < 400; i++) {
                    write(storage, random.nextInt(TARGETS));
                    int blocks = 1 + random.nextInt(20);
                    read(storage, random.nextInt(TARGETS), random.nextInt(BLOCKS - blocks), blocks);
                }
                if (life % 2 == 0) {
                    copy(at, next);
                    at = next;
                }
            }
        }
        try (NodeFixture f = node(at, 30_000)) {
            readAll(f.ready());
        }
    }

    private static void copy(Path from, Path to) {
        try (Stream<Path> all = Files.walk(from)) {
            for (Path p : (Iterable<Path>) all::iterator) {
                Path copy = to.resolve(from.relativize(p).toString());
                if (Files.isDirectory(p)) Files.createDirectories(copy);
                else Files.copy(p, copy, StandardCopyOption.REPLACE_EXISTING);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** No driver is needed to write short values or to read them back; what was acknowledged meanwhile gets to its device. */
    @Test
    void shouldWriteAndReadWhileNoDriverServesTheDevice() {
        try (NodeFixture f = new NodeFixture(folder, "daos_server", TARGETS, 30_000)) {
            NvmeSpdkDriver driver = f.addDriver("1");
            EngineStorage storage = f.start().formatted();
            storage.reservePool(POOL, 1 << 20, 16 << 20);
            f.removeDriver(driver);
            value(storage, 3, 77);
            numbers[0][3] = 77;
            read(storage, 0, 3, 1);
            f.addDriver("2");
            read(storage, 0, 3, 1);
        }
        try (NodeFixture f = node(folder, 30_000)) {
            read(f.ready(), 0, 3, 1);
        }
    }

    private void value(EngineStorage storage, int block, long number) {
        try (BufferPool.Buffer buffer = storage.buffers().take(BLOCK)) {
            fill(buffer.bytes(), number);
            storage.target(0)
                    .kv()
                    .write(new KvBatch().value(blob(storage, 0), (long) block * BLOCK, buffer.bytes()), true);
        }
    }

    /** A device that was pulled out comes back with all that was acknowledged, also when the log was needed for others. */
    @Test
    void shouldKeepValuesOfADeviceThatIsAway() {
        try (NodeFixture f = new NodeFixture(folder, "daos_server", TARGETS, 300)) {
            NvmeSpdkDriver driver = f.addDriver("1");
            EngineStorage storage = f.start().formatted();
            storage.reservePool(POOL, 1 << 20, 16 << 20);
            for (int b = 0; b < 40; b++) {
                value(storage, b, b + 1);
                numbers[0][b] = b + 1;
            }
            UUID device = storage.target(0).device();
            f.removeDriver(driver);
            NodeFixture.until(() -> storage.deviceState(device) == DeviceState.UNPLUGGED);
            FaultException refused = assertThrows(FaultException.class, () -> value(storage, 50, 1));
            assertEquals(FaultCode.NVME_IO, refused.code());
            // more than the log holds
            for (int i = 0; i < 800; i++)
                storage.target(1).kv().write(new KvBatch().put(new byte[] {2}, new byte[400 << 10]), true);
            f.addDriver("2");
            NodeFixture.until(() -> storage.deviceState(device) == DeviceState.NORMAL);
            for (int b = 0; b < 40; b++) read(storage, 0, b, 1);
        }
        try (NodeFixture f = node(folder, 30_000)) {
            EngineStorage storage = f.ready();
            assertNull(storage.target(0).kv().damage());
            for (int b = 0; b < 40; b++) read(storage, 0, b, 1);
        }
    }
}
