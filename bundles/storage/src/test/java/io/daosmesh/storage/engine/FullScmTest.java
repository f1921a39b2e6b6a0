package io.daosmesh.storage.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.ras.RasId;
import io.daosmesh.storage.EngineStorage;
import io.daosmesh.storage.kv.KvBatch;
import io.daosmesh.storage.kv.KvStore;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The SCM on a small file system of its own, which somebody else fills. */
@Tag("slow")
@Timeout(120)
class FullScmTest {
    private static final String SIZE = "200m";
    private static final UUID POOL = new UUID(3, 3);

    @TempDir
    private Path folder;

    private Path scm;

    @BeforeEach
    void mount() throws Exception {
        scm = Files.createDirectories(folder.resolve("scm"));
        int status = run("mount", "-t", "tmpfs", "-o", "size=" + SIZE, "tmpfs", scm.toString());
        assumeTrue(status == 0, "no file system can be mounted here: mount ended with " + status + "; it takes root");
    }

    @AfterEach
    void unmount() throws Exception {
        // regions that are closed stay mapped until the collector comes
        run("umount", "--lazy", scm.toString());
    }

    private static int run(String... line) throws Exception {
        Process p = new ProcessBuilder(line)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        assertTrue(p.waitFor(30, TimeUnit.SECONDS), "no end of " + List.of(line));
        return p.exitValue();
    }

    private NodeFixture fixture() {
        NodeFixture f = new NodeFixture(folder, "daos_server", 2, 30_000).start();
        f.addDriver("1");
        return f;
    }

    private Path fill() throws IOException {
        Path filler = scm.resolve("somebody-elses");
        byte[] part = new byte[4096];
        try (OutputStream out = Files.newOutputStream(filler)) {
            for (; ; ) out.write(part);
        } catch (IOException e) {
            assertTrue(String.valueOf(e.getMessage()).contains("No space"), e.getMessage());
        }
        return filler;
    }

    private static byte[] key(int n) {
        return ByteBuffer.allocate(8).putInt(7).putInt(n).array();
    }

    private static byte[] value(int n) {
        byte[] v = new byte[3000];
        new Random(n).nextBytes(v);
        return v;
    }

    private static void write(EngineStorage s, int from, int to) {
        for (int n = from; n < to; n++) s.target(n % 2).kv().write(new KvBatch().put(key(n), value(n)), n % 100 == 0);
    }

    private static void check(EngineStorage s, int count) {
        for (int n = 0; n < count; n++) {
            KvStore kv = s.target(n % 2).kv();
            assertNull(kv.damage());
            assertArrayEquals(value(n), kv.get(key(n)), "value " + n);
        }
    }

    @Test
    void shouldRefuseNewDataWhileItIsFullAndTakeItAgainWithoutAStart() throws Exception {
        try (NodeFixture f = fixture()) {
            EngineStorage s = f.formatted();
            s.reservePool(POOL, 1 << 20, 8 << 20);
            write(s, 0, 1000);
            Path filler = fill();

            NodeFixture.until(() -> s.refusal(false) != null);

            Fault refused = s.refusal(false);
            assertNotNull(refused);
            assertEquals(FaultCode.NOSPACE, refused.code());
            assertTrue(refused.remedy().contains(scm.toString()), refused.remedy());
            assertEquals(0, s.usage().scmFreeBytes());
            NodeFixture.until(() -> f.events.contains(RasId.ENGINE_SCM_READ_ONLY));
            Fault second = null;
            try {
                s.reservePool(new UUID(4, 4), 1 << 20, 8 << 20);
            } catch (FaultException e) {
                second = e.fault();
            }
            assertNotNull(second);
            assertEquals(FaultCode.NOSPACE, second.code());
            check(s, 1000);
            Files.delete(filler);
            NodeFixture.until(() -> s.refusal(false) == null);
            NodeFixture.until(() -> f.events.contains(RasId.ENGINE_SCM_WRITABLE));
            assertTrue(s.usage().scmFreeBytes() > 0);
            write(s, 1000, 2000);
            check(s, 2000);
        }
    }

    /**
     * What a turn has begun must go through: it is in the log. Before anybody looks comes more than the memory of an index takes
     * (8 MiB), and less than the reserve gives (12 MiB).
     */
    @Test
    void shouldLoseNothingWhenTheMemoryOfAnIndexHasNoRoomForATable() throws Exception {
        int count = 3_200;
        Path filler;
        try (NodeFixture f = fixture()) {
            KvStore kv = f.formatted().target(0).kv();
            filler = fill();

            for (int n = 0; n < count; n++) writePatiently(kv, new KvBatch().put(key(n), value(n)));

            checkFirst(kv, count);
        }
        Files.delete(filler);
        try (NodeFixture f = fixture()) {
            checkFirst(f.ready().target(0).kv(), count);
        }
    }

    private static void writePatiently(KvStore kv, KvBatch batch) {
        NodeFixture.until(() -> {
            try {
                kv.write(batch, false);
                return true;
            } catch (FaultException e) {
                assertEquals(FaultCode.BUSY, e.code(), e.getMessage());
                return false;
            }
        });
    }

    private static void checkFirst(KvStore kv, int count) {
        for (int n = 0; n < count; n++) assertArrayEquals(value(n), kv.get(key(n)), "value " + n);
    }

    @Test
    void shouldOpenOnAFullFileSystemAndSayWhatToFree() throws Exception {
        try (NodeFixture f = fixture()) {
            write(f.formatted(), 0, 2000);
        }
        Path filler = fill();
        try (NodeFixture f = fixture()) {
            EngineStorage s = f.ready();

            check(s, 2000);
            assertNotNull(s.refusal(false));
            Files.delete(filler);
            NodeFixture.until(() -> s.refusal(false) == null);
            write(s, 2000, 2100);
            check(s, 2100);
            NodeFixture.until(() -> Files.exists(scm.resolve("reserve")));
        }
    }

    @Test
    void shouldSayWhichFolderToFreeWhereEvenTheReserveIsNotEnough() throws Exception {
        try (NodeFixture f = fixture()) {
            write(f.formatted(), 0, 2000);
        }
        Files.delete(scm.resolve("reserve"));
        Path filler = fill();
        try (NodeFixture f = fixture()) {
            f.awaitFailed();

            assertTrue(f.node.fault().contains("DER_NOSPACE"), f.node.fault());
            assertTrue(f.node.fault().contains("free") && f.node.fault().contains(scm.toString()), f.node.fault());
        }
        Files.delete(filler);
        try (NodeFixture f = fixture()) {
            check(f.ready(), 2000);
        }
    }
}
