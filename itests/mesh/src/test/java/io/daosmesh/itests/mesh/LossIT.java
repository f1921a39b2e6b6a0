package io.daosmesh.itests.mesh;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.daosmesh.client.Container;
import io.daosmesh.client.ContainerSpec;
import io.daosmesh.client.KeyValue;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.PoolMap;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;

/** Data with fewer copies than nodes are lost: unavailable while its holders are out, never absent, and there again after. */
@ExtendWith(SharedMesh.class)
@ResourceLock(SharedMesh.LOCK)
class LossIT {
    private static final Duration CHANGE_MAX = Duration.ofSeconds(90);
    private static final int VALUES = 200;

    @TempDir
    private Path dir;

    private LocalMesh mesh;
    private MeshClient client;

    @BeforeEach
    void start() {
        mesh = SharedMesh.mesh();
        mesh.dmg("pool", "create", "tank", "--size", "4GB").orFail();
        client = MeshClient.open(mesh);
    }

    @AfterEach
    void stop() {
        client.close();
        SharedMesh.destroy("tank");
    }

    private Container container(String label, String objectClass) {
        return client.container("tank", ContainerSpec.of(label).withClass(objectClass));
    }

    private static byte[] value(int i) {
        return ("value " + i).getBytes(StandardCharsets.UTF_8);
    }

    private static List<KeyValue> fill(Container c) {
        List<KeyValue> stores = new ArrayList<>();
        for (int o = 0; o < 10; o++) stores.add(MeshClient.await(c.createKeyValue()));
        for (int i = 0; i < VALUES; i++)
            stores.get(i % stores.size()).put("key" + i, value(i)).block(Duration.ofSeconds(60));
        return stores;
    }

    /** Null = it is there, and right. An absent one fails the test. */
    private static @Nullable FaultCode read(List<KeyValue> stores, int i) {
        byte[] found;
        try {
            found = stores.get(i % stores.size()).get("key" + i).block(Duration.ofSeconds(60));
        } catch (FaultException e) {
            return e.code();
        }
        assertTrue(found != null, "key" + i + " is said to be absent");
        assertArrayEquals(value(i), found);
        return null;
    }

    private static int unavailable(List<KeyValue> stores) {
        int count = 0;
        for (int i = 0; i < VALUES; i++) {
            FaultCode code = read(stores, i);
            if (code == null) continue;
            assertEquals(FaultCode.DATA_LOSS, code);
            count++;
        }
        return count;
    }

    private void awaitRebuilt(int disabledCount) {
        LocalMesh.await("the pool is rebuilt without " + disabledCount + " targets", CHANGE_MAX, () -> {
            PoolMap map = PoolMap.fromWire(
                    MeshClient.await(client.pool("tank").query()).getMap());
            return !map.needsRebuild() && map.disabledCount() == disabledCount;
        });
    }

    @Test
    void shouldCallSingleCopiesUnavailableWhileTheirNodeIsOut() throws IOException {
        List<KeyValue> single = fill(container("single", "SX"));
        List<KeyValue> triple = fill(container("triple", "RP_3GX"));

        mesh.kill(2);
        awaitRebuilt(2);

        int unavailable = unavailable(single);
        assertTrue(unavailable > VALUES / 10 && unavailable < VALUES * 6 / 10, "a third: " + unavailable);
        assertEquals(0, unavailable(triple));
        assertTold();
        assertWritesAreRefused(single, unavailable);
        assertNewObjectsAreMade();

        mesh.startNode(2);
        awaitRebuilt(0);
        assertEquals(0, unavailable(single), "back with its node, without a command");
        mesh.daos("container", "set-prop", "tank", "single", "status:healthy").orFail();
        mesh.daos("kv", "put", "tank", "single", "again", file("again").toString())
                .orFail();
        assertTrue(mesh.dmg("pool", "query", "tank").orFail().out().contains("Data redundancy: normal"));
    }

    private void assertTold() {
        String text = mesh.dmg("pool", "query", "tank").orFail().out();
        assertTrue(text.contains("Data redundancy: degraded"), text);
        assertTrue(text.contains("- Container single: about"), text);
        JsonNode told = mesh.pool("tank").path("unhealthy_containers");
        assertEquals(1, told.size(), told.toString());
        assertEquals("UNCLEAN", told.path(0).path("status").asText());
        assertEquals(0.33, told.path(0).path("unavailable_share").asDouble(), 0.1);
        String query =
                mesh.daos("container", "query", "tank", "single").orFail().out();
        assertTrue(query.contains("UNCLEAN"), query);
        String events = mesh.dmg("system", "events").out();
        String pool = client.pool("tank").uuid().toString();
        assertTrue(events.lines().anyMatch(l -> l.contains("[container_unclean]") && l.contains(pool)), events);
    }

    private void assertWritesAreRefused(List<KeyValue> single, int unavailable) throws IOException {
        LocalMesh.Outcome put =
                mesh.daos("kv", "put", "tank", "single", "new", file("new").toString());
        assertEquals(1, put.status());
        assertTrue(put.err().contains("DER_RF(-2031)"), put.err());
        int refused = 0;
        for (int i = 0; i < VALUES; i++) {
            try {
                single.get(i % single.size()).put("key" + i, value(i)).block(Duration.ofSeconds(60));
            } catch (FaultException e) {
                assertEquals(FaultCode.DATA_LOSS, e.code());
                refused++;
            }
        }
        assertEquals(unavailable, refused, "what cannot be read is not overwritten either");
    }

    private void assertNewObjectsAreMade() throws IOException {
        Container late = container("late", "RP_3GX");
        assertEquals(0, unavailable(fill(late)));
        mesh.daos("container", "create", "tank", "files", "--type", "POSIX", "--oclass", "RP_3GX")
                .orFail();
        mesh.daos("filesystem", "copy", "--src", file("f").toString(), "--dst", "daos://tank/files/f")
                .orFail();
        assertEquals(
                "f",
                mesh.daos("filesystem", "cat", "daos://tank/files/f").orFail().out());
        assertEquals(0, unavailable(fill(container("late-single", "SX"))));
    }

    private Path file(String content) throws IOException {
        return Files.writeString(dir.resolve(content), content);
    }

    @Test
    void shouldTrustOnlyTheLastHolderWhenTwoNodesDieInTurn() {
        List<KeyValue> pairs = fill(container("pairs", "RP_2GX"));

        mesh.kill(2);
        awaitRebuilt(2);
        assertEquals(0, unavailable(pairs), "the other copy, and a new one");
        mesh.kill(3);
        // nobody leads the pool service with one node of three; what was asked for then is answered all the same
        for (int i = 0; i < 2; i++) {
            FaultCode code = read(pairs, i);
            assertTrue(code != FaultCode.NONEXIST, "absent");
        }
        mesh.startNode(3);
        mesh.startNode(2);
        awaitRebuilt(0);

        assertEquals(0, unavailable(pairs));
    }
}
