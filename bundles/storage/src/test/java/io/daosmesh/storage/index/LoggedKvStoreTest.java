package io.daosmesh.storage.index;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.pmem.PmemDriver;
import io.daosmesh.storage.kv.KvBatch;
import io.daosmesh.storage.kv.KvStore;
import io.daosmesh.storage.kv.KvStoreContract;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LoggedKvStoreTest extends KvStoreContract {
    @TempDir
    Path folder;

    private final PmemDriver pmem = new PmemDriver("1");

    @AfterEach
    void closeDriver() {
        pmem.close();
    }

    @Override
    protected KvStore open() {
        return IndexFixture.open(IndexFixture.scm(pmem, folder));
    }

    @Test
    void shouldKeepEverythingWhenOpenedAgain() {
        put("a", "1");
        store.write(new KvBatch().put(b("b"), b("2")), false);
        store.close();

        store = open();

        assertArrayEquals(b("1"), store.get(b("a")));
        assertArrayEquals(b("2"), store.get(b("b")));
    }

    @Test
    void shouldSurviveManyLogChanges() {
        byte[] value = new byte[64 << 10];
        for (int i = 0; i < 1000; i++) store.write(new KvBatch().put(b("k" + i % 50), value), i % 100 == 0);
        store.close();

        store = open();

        assertEquals(value.length, store.get(b("k7")).length);
    }

    @Test
    void shouldRefuseSecondOpen() {
        FaultException e = assertThrows(FaultException.class, this::open);

        assertEquals(FaultCode.BUSY, e.code());
    }

    @Test
    void shouldRefuseDamagedStore() throws IOException {
        put("a", "1");
        store.close();
        try (Stream<Path> files = Files.list(folder.resolve("target-0"))) {
            for (Path p : files.filter(f -> f.getFileName().toString().startsWith("MANIFEST"))
                    .toList()) Files.write(p, new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9});
        }

        store = open();

        assertEquals(FaultCode.DF_INVAL, Objects.requireNonNull(store.damage()).code());
    }

    /** The folder goes away: the next log or table cannot be made, as on a full or broken disk. */
    @Test
    void shouldRefuseEveryWriteAfterAFailedOne() throws IOException {
        put("a", "1");
        try (Stream<Path> files = Files.list(folder.resolve("target-0"))) {
            for (Path p : files.toList()) Files.delete(p);
        }
        Files.delete(folder.resolve("target-0"));
        byte[] value = new byte[1 << 20];
        FaultException first = assertThrows(FaultException.class, () -> {
            for (int i = 0; i < 1000; i++) store.write(new KvBatch().put(b("k" + i), value), true);
        });

        FaultException e = assertThrows(FaultException.class, () -> put("b", "2"));

        assertEquals(FaultCode.IO, first.code(), first.getMessage());
        assertEquals(first.getMessage(), e.getMessage());
        assertArrayEquals(b("1"), store.get(b("a")), "what is there can still be read");
    }
}
