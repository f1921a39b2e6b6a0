package io.daosmesh.storage.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.storage.Blob;
import io.daosmesh.storage.BufferPool;
import io.daosmesh.storage.EngineStorage;
import io.daosmesh.storage.TargetStorage;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** kill -9 at any moment: what was acknowledged is there, the tables open, again and again. */
@Timeout(180)
@Tag("slow")
class KillTest {
    private static final int ROUNDS = 5;

    @TempDir
    Path folder;

    @Test
    void shouldKeepEverythingAcknowledgedWhenKilled() throws Exception {
        killAgainAndAgain(0);
    }

    /** A log is full after 40 batches: kills meet new, used and closed logs, none of which is damage. */
    @Test
    void shouldTakeNoKillForDamageWhileLogsChange() throws Exception {
        killAgainAndAgain(200 << 10);
    }

    private void killAgainAndAgain(int paddingBytes) throws Exception {
        try (NodeFixture f = new NodeFixture(folder, "daos_server", 2, 30_000)) {
            f.addDriver("1");
            f.start().formatted();
        }
        Random random = new Random(11);
        long acknowledged = 0;
        for (int round = 0; round < ROUNDS; round++) {
            acknowledged = runAndKill(acknowledged + 1, 50 + random.nextInt(150), paddingBytes);
            verify(acknowledged);
        }
        assertTrue(acknowledged > 250);
    }

    private long runAndKill(long first, int count, int paddingBytes) throws IOException, InterruptedException {
        Process child = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-Xmx256m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        KillWriter.class.getName(),
                        folder.toString(),
                        String.valueOf(first),
                        String.valueOf(paddingBytes))
                .redirectError(folder.resolve("child.log").toFile())
                .start();
        long last = first - 1;
        try (BufferedReader out = child.inputReader()) {
            for (int got = 0; got < count; ) {
                String line = out.readLine();
                if (line == null) break;
                if (!line.matches("\\d+")) continue;
                last = Long.parseLong(line);
                got++;
            }
        } finally {
            child.destroyForcibly();
            child.waitFor();
        }
        assertTrue(last >= first, () -> "the writer did not get going, see " + folder.resolve("child.log"));
        return last;
    }

    private void verify(long acknowledged) {
        try (NodeFixture f = new NodeFixture(folder, "daos_server", 2, 30_000)) {
            f.addDriver("1");
            EngineStorage storage = f.start().ready();
            TargetStorage target = storage.target(0);
            Blob blob = target.pool(KillWriter.POOL).blob();
            assertNull(target.kv().damage(), "a kill is no damage");
            byte[] newest = target.kv().get(new byte[] {1});
            assertTrue(ByteBuffer.wrap(newest).getLong() >= acknowledged);
            try (BufferPool.Buffer buffer = storage.buffers().take(8192)) {
                for (long n = Math.max(1, acknowledged - 900); n <= acknowledged; n++) {
                    byte[] place = target.kv().get(KillWriter.key(n));
                    assertNotNull(place, "number " + n);
                    long offset = ByteBuffer.wrap(place).getLong();
                    assertTrue(NodeFixture.read(blob, offset, buffer.bytes()).isEmpty());
                    for (int i = 0; i < 8192; i += 8)
                        assertEquals(n, buffer.bytes().getLong(i), "number " + n + " byte " + i);
                }
            }
        }
    }
}
