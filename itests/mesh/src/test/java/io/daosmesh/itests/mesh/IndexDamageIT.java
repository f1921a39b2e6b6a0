package io.daosmesh.itests.mesh;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.cli.mesh.MeshRecord;
import io.daosmesh.client.Container;
import io.daosmesh.client.ContainerSpec;
import io.daosmesh.client.KeyValue;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;

/**
 * The power fails, and bytes of an index's log are not what they were when it is back: nothing that was acknowledged may be
 * said to be absent, the target that does not know is put out, and somebody is told.
 */
@Isolated("what is written, noted and damaged has to keep step")
class IndexDamageIT {
    private static final int VALUES = 60;
    /** Each of a few groups on two of six targets: enough that every target holds some. */
    private static final int OBJECTS = 10;

    private static final int DAMAGED_NODE = 2;
    /** Of the engine log: see LogFrame. */
    private static final int FRAME_MAGIC = 0x464c4d44;

    private static final int FRAME_HEADER_BYTES = 48;
    private static final int DAMAGED_TARGET = 0;
    private static final Duration STEP_MAX = Duration.ofSeconds(60);

    @TempDir
    private Path dir;

    private final List<ObjectId> objects = new ArrayList<>();
    private LocalMesh mesh;

    @Test
    void shouldPutOutATargetWhoseLogIsDamagedAndReadEverythingFromTheOthers() throws Exception {
        try (LocalMesh started = LocalMesh.start(dir.resolve("mesh"))) {
            mesh = started;
            mesh.dmg("pool", "create", "tank", "--size", "6GB").orFail();
            try (MeshClient client = MeshClient.open(mesh)) {
                Container box = box(client);
                for (int i = 0; i < OBJECTS; i++)
                    objects.add(MeshClient.await(box.createKeyValue()).id());
                for (int n = 0; n < VALUES; n++)
                    store(box, n).put(key(n), value(n)).block(STEP_MAX);
                awaitNotes(box);
            }

            for (MeshRecord.Entry n : mesh.nodes()) ProcessHandle.of(n.pid()).ifPresent(ProcessHandle::destroyForcibly);
            flipFrame();
            mesh.mesh("up").orFail();

            try (MeshClient client = MeshClient.open(mesh)) {
                Container box = box(client);
                checkValues(box);
                awaitRebuilt(client);
                PoolMap map = map(client);
                PoolTarget out = map.targets().stream()
                        .filter(t -> t.state().isDisabled())
                        .findFirst()
                        .orElseThrow();
                assertEquals(DAMAGED_TARGET, out.index());
                assertEquals(rank(DAMAGED_NODE), out.rank());
                checkValues(box);
            }
            String events = mesh.dmg("system", "events").orFail().out();
            assertTrue(
                    events.contains("pool_corruption_detected") && events.contains("missing in the engine log"),
                    events);
        }
    }

    private static PoolMap map(MeshClient client) {
        return PoolMap.fromWire(MeshClient.await(client.pool("tank").query()).getMap());
    }

    private void awaitRebuilt(MeshClient client) {
        try {
            LocalMesh.await("the target is out and what it held is rebuilt", STEP_MAX, () -> {
                PoolMap map = map(client);
                return !map.needsRebuild() && map.disabledCount() == 1;
            });
        } catch (IllegalStateException e) {
            String events = mesh.dmg("system", "events").out();
            throw new IllegalStateException(map(client) + "\n" + events + mesh.logs(), e);
        }
    }

    private static Container box(MeshClient client) {
        return client.container("tank", ContainerSpec.of("box").withClass("RP_2GX"));
    }

    private KeyValue store(Container box, int n) {
        return box.keyValue(objects.get(n % OBJECTS));
    }

    private void checkValues(Container box) {
        for (int n = 0; n < VALUES; n++)
            assertArrayEquals(value(n), store(box, n).get(key(n)).block(STEP_MAX), "value " + n);
    }

    private static String key(int n) {
        return "key " + n;
    }

    private static byte[] value(int n) {
        return ("value " + n + " ").repeat(100).getBytes(StandardCharsets.UTF_8);
    }

    private int rank(int node) {
        return mesh.nodes().stream()
                .filter(n -> n.number() == node)
                .findFirst()
                .orElseThrow()
                .rank();
    }

    /** All that is acknowledged by now is noted; writes in between give each target a reason to note. */
    private void awaitNotes(Container box) throws IOException {
        List<Path> notes = files("target-" + DAMAGED_TARGET + "\\.note");
        assertFalse(notes.isEmpty());
        FileTime now = FileTime.from(Instant.now());
        int[] filler = {0};
        LocalMesh.await("what was written is noted", STEP_MAX, () -> {
            int n = filler[0]++ % 200;
            store(box, n).put("filler " + n, value(n)).block(STEP_MAX);
            for (Path note : notes) if (Files.getLastModifiedTime(note).compareTo(now) <= 0) return false;
            return true;
        });
    }

    private List<Path> files(String name) throws IOException {
        try (Stream<Path> all = Files.walk(dir.resolve("mesh").resolve("node" + DAMAGED_NODE))) {
            return all.filter(p -> p.getFileName().toString().matches(name)).toList();
        }
    }

    /**
     * Flips a bit in a frame of the damaged target, somewhere in the middle of what it has in the engine's log. The other target has
     * a frame behind it: of one that has not, nobody could say that the lost frame was not its own.
     */
    private void flipFrame() throws IOException {
        List<Path> logs = files("log-\\d+");
        for (Path log : logs) {
            ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(log)).order(ByteOrder.LITTLE_ENDIAN);
            List<Integer> frames = new ArrayList<>();
            List<Integer> behind = new ArrayList<>();
            for (int at = 4096; at + FRAME_HEADER_BYTES < bytes.capacity(); at += 8) {
                if (bytes.getInt(at) != FRAME_MAGIC) continue;
                if (bytes.getInt(at + 32) == DAMAGED_TARGET) {
                    behind.add(at);
                } else {
                    frames.addAll(behind);
                    behind.clear();
                }
            }
            if (frames.size() < 10) continue;
            try (RandomAccessFile file = new RandomAccessFile(log.toFile(), "rw")) {
                int at = frames.get(frames.size() / 2) + FRAME_HEADER_BYTES;
                file.seek(at);
                file.write(bytes.get(at) ^ 0x10);
            }
            return;
        }
        throw new AssertionError("no log holds frames of the target: " + logs);
    }
}
