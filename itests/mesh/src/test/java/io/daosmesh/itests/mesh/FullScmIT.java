package io.daosmesh.itests.mesh;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.daosmesh.client.ContainerSpec;
import io.daosmesh.client.KeyValue;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Somebody fills the file system on which a node keeps its SCM and its Raft logs, and the node dies: it comes back, answers,
 * reads, and takes new data again as soon as there is room.
 */
class FullScmIT {
    private static final int VALUES = 200;
    private static final Duration STEP_MAX = Duration.ofSeconds(60);

    @TempDir
    private Path dir;

    @Test
    void shouldComeBackOnAFullFileSystemAndWriteAgainWhenThereIsRoom() throws Exception {
        try (LocalMesh mesh = LocalMesh.start(dir.resolve("mesh"), "--nodes", "1")) {
            mesh.kill(1);
            try (SmallFileSystem small = SmallFileSystem.under(mesh.dir().resolve("node1/scm"))) {
                Path scm = small.at();
                mesh.startNode(1);
                mesh.dmg("pool", "create", "solo", "--size", "500MB").orFail();
                try (MeshClient client = MeshClient.open(mesh)) {
                    KeyValue values = MeshClient.await(
                            client.container("solo", ContainerSpec.of("box").withClass("S1"))
                                    .keyValueRoot());
                    for (int n = 0; n < VALUES; n++)
                        values.put("key " + n, value(n)).block(STEP_MAX);

                    Path filler = fill(scm);
                    mesh.kill(1);
                    mesh.startNode(1);

                    LocalMesh.await(
                            "system query answers",
                            STEP_MAX,
                            () -> mesh.state(0).equals("joined"));
                    for (int n = 0; n < VALUES; n++)
                        assertArrayEquals(value(n), values.get("key " + n).block(STEP_MAX), "value " + n);
                    checkRefused(mesh, values, scm);
                    values.remove("key 0").block(STEP_MAX);

                    Files.delete(filler);

                    LocalMesh.await("writes go on", STEP_MAX, () -> isTaken(values));
                    for (int n = 1; n < VALUES; n++)
                        assertArrayEquals(value(n), values.get("key " + n).block(STEP_MAX), "value " + n);
                }
                String events = mesh.dmg("system", "events").orFail().out();
                assertTrue(events.contains("engine_scm_read_only") && events.contains("engine_scm_writable"), events);
            }
        }
    }

    private void checkRefused(LocalMesh mesh, KeyValue values, Path scm) throws IOException {
        FaultException refused = assertThrows(
                FaultException.class, () -> values.put("more", value(0)).block(STEP_MAX));
        assertEquals(FaultCode.NOSPACE, refused.code());
        Path file = Files.writeString(dir.resolve("more"), "more");
        LocalMesh.Outcome put = mesh.daos("kv", "put", "solo", "box", "more", file.toString());
        assertEquals(1, put.status());
        assertTrue(put.err().contains("DER_NOSPACE") && put.err().contains("rank 0"), put.err());
        assertTrue(put.err().contains("free ") && put.err().contains(scm.toString()), put.err());
        assertEquals(
                0, mesh.pool("solo").path("tier_stats").path(0).path("free").asLong(-1), "no room is promised");
    }

    private static boolean isTaken(KeyValue values) {
        try {
            values.put("more", value(1)).block(STEP_MAX);
            return true;
        } catch (FaultException e) {
            assertEquals(FaultCode.NOSPACE, e.code());
            return false;
        }
    }

    private static byte[] value(int n) {
        return ("value " + n + " ").repeat(100).getBytes(StandardCharsets.UTF_8);
    }

    private static Path fill(Path scm) throws IOException {
        Path filler = scm.resolve("somebody-elses");
        byte[] part = new byte[1 << 16];
        try (OutputStream out = Files.newOutputStream(filler)) {
            for (; ; ) out.write(part);
        } catch (IOException e) {
            assertTrue(String.valueOf(e.getMessage()).contains("No space"), e.getMessage());
        }
        return filler;
    }

    /** A tmpfs in the place of a folder, with what was in it. */
    private record SmallFileSystem(Path at) implements AutoCloseable {
        static SmallFileSystem under(Path folder) throws IOException {
            Path aside = folder.resolveSibling("aside");
            Files.move(folder, aside);
            Files.createDirectory(folder);
            int status = run("mount", "-t", "tmpfs", "-o", "size=500m,mode=700", "tmpfs", folder.toString());
            assumeTrue(
                    status == 0, "no file system can be mounted here: mount ended with " + status + ", it takes root");
            assertEquals(0, run("cp", "-a", aside + "/.", folder.toString()));
            return new SmallFileSystem(folder);
        }

        private static int run(String... line) throws IOException {
            Process p = new ProcessBuilder(line).inheritIO().start();
            try {
                assertTrue(p.waitFor(STEP_MAX.toSeconds(), TimeUnit.SECONDS), "no end of " + List.of(line));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException(e);
            }
            return p.exitValue();
        }

        @Override
        public void close() throws IOException {
            // the node runs yet
            assertEquals(0, run("umount", "--lazy", at.toString()));
        }
    }
}
