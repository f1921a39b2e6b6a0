package io.daosmesh.storage.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.nvmespdk.NvmeSpdkDriver;
import io.daosmesh.storage.Blob;
import io.daosmesh.storage.BufferPool;
import io.daosmesh.storage.EngineStorage;
import io.daosmesh.storage.kv.KvBatch;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A device that does not answer holds up its own writers, for a while, and nobody else. */
@Timeout(180)
@Tag("slow")
class HangingDeviceTest {
    private static final UUID POOL = new UUID(1, 2);
    private static final int BLOCK = 4096;
    /** Four times what may be held in memory. */
    private static final int BLOCKS = 1024;

    private static final long HELD_MAX_BYTES = 1 << 20;
    /** Twenty seconds, and what a write takes on a machine that is busy. */
    private static final long WAIT_MAX_MS = 30_000;

    @TempDir
    Path folder;

    private static Blob blob(EngineStorage storage, int target) {
        return storage.target(target).pool(POOL).blob();
    }

    private static void value(EngineStorage storage, int target, int block) {
        try (BufferPool.Buffer buffer = storage.buffers().take(BLOCK)) {
            for (int i = 0; i < BLOCK; i += 8) buffer.bytes().putLong(i, number(target, block));
            storage.target(target)
                    .kv()
                    .write(new KvBatch().value(blob(storage, target), (long) block * BLOCK, buffer.bytes()), true);
        }
    }

    private static long number(int target, int block) {
        return 1_000_000L * (target + 1) + block;
    }

    /** Until it hears BUSY or has written all; how many were acknowledged. Each call ends within the bound. */
    private static void write(EngineStorage storage, int target, AtomicInteger acknowledged) {
        for (int block = 0; block < BLOCKS; block++) {
            long startNs = System.nanoTime();
            try {
                value(storage, target, block);
                acknowledged.incrementAndGet();
            } catch (FaultException e) {
                assertEquals(FaultCode.BUSY, e.code(), e.getMessage());
                return;
            } finally {
                long tookMs = (System.nanoTime() - startNs) / 1_000_000;
                assertTrue(tookMs < WAIT_MAX_MS, "a write took " + tookMs + " ms");
            }
        }
    }

    private static void read(EngineStorage storage, int target, int count) {
        assertNull(storage.target(target).kv().damage());
        try (BufferPool.Buffer buffer = storage.buffers().take(BLOCK)) {
            for (int block = 0; block < count; block++) {
                assertTrue(NodeFixture.read(blob(storage, target), (long) block * BLOCK, buffer.bytes())
                        .isEmpty());
                assertEquals(number(target, block), buffer.bytes().getLong(0));
                assertEquals(number(target, block), buffer.bytes().getLong(BLOCK - 8));
                buffer.bytes().clear();
            }
        }
    }

    @Test
    void shouldHoldUpNobodyElseAndLoseNothing() throws Exception {
        AtomicInteger hung = new AtomicInteger();
        AtomicInteger others = new AtomicInteger();
        try (NvmeSpdkDriver files = new NvmeSpdkDriver("1")) {
            NodeFixture f = new NodeFixture(folder, "daos_server", 2, 30_000);
            HangingBlocks driver = new HangingBlocks(files, "nvme0");
            f.drivers.block().add(driver, Map.of());
            EngineStorage storage = f.start().formatted();
            storage.reservePool(POOL, 1 << 20, 16 << 20);
            driver.hang();
            CompletableFuture<Void> writer = CompletableFuture.runAsync(() -> write(storage, 0, hung));
            NodeFixture.until(() ->
                    Objects.requireNonNull(f.node.engine()).held().heldBytes() > HELD_MAX_BYTES / 2 || writer.isDone());
            write(storage, 1, others);

            writer.get(60, TimeUnit.SECONDS);
            assertEquals(BLOCKS, others.get(), "the other device has taken all");
            assertTrue(hung.get() < BLOCKS, "the device that hangs has not");
            long heldBytes = Objects.requireNonNull(f.node.engine()).held().heldBytes();
            assertTrue(heldBytes <= 3 * HELD_MAX_BYTES, "held " + heldBytes);
            read(storage, 0, hung.get());
            read(storage, 1, others.get());

            driver.letGo();
            value(storage, 0, hung.get());
            f.node.close();
            f.pmem.close();
        }
        try (NodeFixture f = new NodeFixture(folder, "daos_server", 2, 30_000)) {
            f.addDriver("1");
            EngineStorage storage = f.start().ready();
            read(storage, 0, hung.get() + 1);
            read(storage, 1, others.get());
        }
    }
}
