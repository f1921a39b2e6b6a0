package io.daosmesh.storage.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.nvmespdk.NvmeSpdkDriver;
import io.daosmesh.storage.Blob;
import io.daosmesh.storage.BufferPool;
import io.daosmesh.storage.EngineStorage;
import io.daosmesh.storage.kv.KvBatch;
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

/** A write that hangs is answered by way of the log, its place is used again, and then it lands after all. */
@Timeout(120)
class OvertakenWriteTest {
    private static final UUID POOL = new UUID(1, 2);
    private static final int BYTES = 128 << 10;
    private static final long OLD = 1;
    private static final long NEW = 2;

    @TempDir
    Path folder;

    private final NvmeSpdkDriver files = new NvmeSpdkDriver("1");
    private final HangingBlocks driver = new HangingBlocks(files, "nvme0");
    private NodeFixture f;
    private EngineStorage storage;
    private CompletableFuture<Optional<Fault>> old;

    @BeforeEach
    void hang() {
        f = new NodeFixture(folder, "daos_server", 2, 30_000);
        f.drivers.block().add(driver, Map.of());
        storage = f.start().formatted();
        storage.reservePool(POOL, 1 << 20, 16 << 20);
        driver.hangNext();
        old = writeAside(OLD);
        NodeFixture.until(() -> driver.hangingCount() == 1);
        value(OLD, 0);
    }

    @AfterEach
    void close() {
        files.close();
    }

    private Blob blob() {
        return storage.target(0).pool(POOL).blob();
    }

    private static void fill(BufferPool.Buffer buffer, long content) {
        for (int i = 0; i < BYTES; i += 8) buffer.bytes().putLong(i, content);
    }

    private CompletableFuture<Optional<Fault>> writeAside(long content) {
        BufferPool.Buffer buffer = storage.buffers().take(BYTES);
        fill(buffer, content);
        return CompletableFuture.supplyAsync(() -> {
            try (buffer) {
                return NodeFixture.write(blob(), 0, buffer.bytes());
            }
        });
    }

    private void value(long content, long offsetBytes) {
        try (BufferPool.Buffer buffer = storage.buffers().take(BYTES)) {
            fill(buffer, content);
            storage.target(0).kv().write(new KvBatch().value(blob(), offsetBytes, buffer.bytes()), true);
        }
    }

    private void assertContent(long content) {
        try (BufferPool.Buffer buffer = storage.buffers().take(BYTES)) {
            assertTrue(NodeFixture.read(blob(), 0, buffer.bytes()).isEmpty());
            for (int i = 0; i < BYTES; i += 8)
                assertEquals(content, buffer.bytes().getLong(i));
        }
    }

    private void restart() {
        f.node.close();
        f.pmem.close();
        f = new NodeFixture(folder, "daos_server", 2, 30_000);
        f.addDriver("1");
        storage = f.start().ready();
    }

    private void land() {
        driver.letGo();
        assertTrue(old.join().isEmpty());
    }

    private void assertNewForEver() {
        assertContent(NEW);
        restart();
        assertContent(NEW);
        f.close();
    }

    @Test
    void shouldNotWriteBackWhereItMayLand() {
        assertContent(OLD);
        value(NEW, 0);
        // three quarters of what may be held: it is written back, but for this
        for (int i = 1; i < 6; i++) value(OLD, (long) i * BYTES);
        NodeFixture.until(() -> blob().isStuck());
        assertContent(NEW);

        land();

        NodeFixture.until(() -> !blob().isStuck());
        assertNewForEver();
    }

    @Test
    void shouldHoldUpTheNextWriteOfItsPlace() {
        CompletableFuture<Optional<Fault>> next = writeAside(NEW);
        assertThrows(java.util.concurrent.TimeoutException.class, () -> next.get(300, TimeUnit.MILLISECONDS));

        land();

        assertTrue(next.join().isEmpty());
        assertNewForEver();
    }

    @Test
    void shouldKeepItsPlaceFromOtherPools() {
        FaultException e = assertThrows(FaultException.class, () -> storage.releasePool(POOL));
        assertEquals(FaultCode.BUSY, e.code());
        assertFalse(old.isDone());

        land();

        storage.releasePool(POOL);
        f.node.close();
        f.pmem.close();
    }

    @Test
    void shouldBoundWhatWaitsForItAndAnswerAll() {
        List<Optional<Fault>> answers = new CopyOnWriteArrayList<>();
        int sent = 300;
        BufferPool.Buffer buffer = storage.buffers().take(BYTES);
        fill(buffer, NEW);
        for (int i = 0; i < sent; i++) blob().write(0, buffer.bytes(), f -> answers.add(Optional.ofNullable(f)));
        assertEquals(sent - 256, answers.size());
        assertEquals(FaultCode.BUSY, answers.get(0).orElseThrow().code());

        land();

        NodeFixture.until(() -> answers.size() == sent);
        assertTrue(answers.get(sent - 1).isEmpty());
        buffer.close();
        assertContent(NEW);
        f.node.close();
        f.pmem.close();
    }
}
