package io.daosmesh.itests.mesh;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;

/** A backup whose copies are killed, in and out: what there is, is whole, and the next copy brings only what is missing. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@ResourceLock(SharedMesh.LOCK)
@ExtendWith(SharedMesh.class)
class CopyIT {
    private static final int FILES = 100;
    private static final int FILE_BYTES = 700_000;
    private static final int SOME = 5;
    private static final Duration SOME_MAX = Duration.ofSeconds(60);

    @TempDir
    private static Path dir;

    private static LocalMesh mesh;
    private static Path source;

    @BeforeAll
    static void make() throws IOException {
        mesh = SharedMesh.mesh();
        mesh.dmg("pool", "create", "backup", "--size", "3GB").orFail();
        mesh.daos("container", "create", "backup", "c", "--type", "POSIX").orFail();
        source = Files.createDirectory(dir.resolve("source"));
        Random random = new Random(4);
        byte[] content = new byte[FILE_BYTES];
        for (int i = 0; i < FILES; i++) {
            random.nextBytes(content);
            Files.write(source.resolve("file" + i), content);
        }
    }

    @AfterAll
    static void destroyPool() {
        SharedMesh.destroy("backup");
    }

    private static String[] words(Object from, Object to) {
        return new String[] {"-j", "filesystem", "copy", "-r", "--src", from.toString(), "--dst", to.toString()};
    }

    /** Killed as soon as the condition holds, if it has not ended by then. */
    private static void copyCutShort(Object from, Object to, Callable<Boolean> isEnough) throws Exception {
        ProcessBuilder b = mesh.daosProcess(words(from, to));
        Process p = b.redirectOutput(new File("/dev/null"))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try {
            LocalMesh.await("some of it is copied", SOME_MAX, () -> !p.isAlive() || isEnough.call());
        } finally {
            p.descendants().forEach(ProcessHandle::destroyForcibly);
            p.destroyForcibly().waitFor();
        }
    }

    private static JsonNode copy(Object from, Object to) {
        return LocalMesh.json(mesh.daos(words(from, to)).orFail().out()).path("response");
    }

    private static int listed(String address) {
        LocalMesh.Outcome o = mesh.daos("-j", "filesystem", "list", address);
        return o.status() != 0 ? 0 : LocalMesh.json(o.out()).path("response").size();
    }

    private static long files(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) return 0;
        try (Stream<Path> all = Files.list(folder)) {
            return all.filter(Files::isRegularFile).count();
        }
    }

    private static void assertRest(JsonNode done, long before) {
        assertEquals(before, done.path("unchanged").asLong(), done::toString);
        assertEquals(FILES - before, done.path("files").asLong(), done::toString);
    }

    @Test
    @Order(1)
    void shouldGoOnWithACopyInThatWasKilled() throws Exception {
        String to = "daos://backup/c/in";
        copyCutShort(source, to, () -> listed(to) >= SOME);
        int before = listed(to);

        JsonNode done = copy(source, to);

        assertTrue(before >= SOME, "cut before it began");
        assertRest(done, before);
    }

    @Test
    @Order(2)
    void shouldGoOnWithACopyOutThatWasKilled() throws Exception {
        Path back = dir.resolve("back");
        copyCutShort("daos://backup/c/in", back, () -> files(back) >= SOME);
        long before = files(back);
        for (int i = 0; i < FILES; i++) {
            Path file = back.resolve("file" + i);
            if (Files.exists(file)) assertEquals(-1, Files.mismatch(source.resolve("file" + i), file), file.toString());
        }

        JsonNode done = copy("daos://backup/c/in", back);

        assertTrue(before >= SOME, "cut before it began");
        assertRest(done, before);
        assertEquals(Tree.of(source), Tree.of(back));
        try (Stream<Path> all = Files.list(back)) {
            assertFalse(all.anyMatch(Files::isDirectory), "a folder of the copy that was killed is left");
        }
    }
}
