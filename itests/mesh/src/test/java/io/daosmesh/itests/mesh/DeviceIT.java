package io.daosmesh.itests.mesh;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.daosmesh.client.Container;
import io.daosmesh.client.ContainerSpec;
import io.daosmesh.client.KeyValue;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.pool.PoolMap;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/** The story of two devices: one stops answering, one is put out by hand; others take their places, and all is there all the time. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class DeviceIT {
    private static final int VALUES = 60;
    private static final int STORES = 10;
    private static final Duration STEP_MAX = Duration.ofSeconds(60);
    private static final Duration OUT_MAX = Duration.ofSeconds(120);
    /** Of the two nodes whose devices fail. */
    private static final String OLD = "node2/nvme/ssd0";

    private static final String SPARE = "node2/nvme/ssd2";
    private static final String AGAIN = "node3/nvme/ssd1";

    @TempDir
    private static Path dir;

    /** Long enough to go to a device at once. */
    private static byte[] value(int n) {
        byte[] value = new byte[100_000];
        Arrays.fill(value, (byte) n);
        return value;
    }

    /** So many objects that some of them have parts on each device. */
    private List<KeyValue> stores(MeshClient client) {
        Container c = client.container("tank", ContainerSpec.of("box").withClass("RP_2GX"));
        while (ids.size() < STORES) ids.add(MeshClient.await(c.createKeyValue()).id());
        return ids.stream().map(c::keyValue).toList();
    }

    private static void put(List<KeyValue> stores, int n) {
        stores.get(n % STORES).put("key " + n, value(n)).block(STEP_MAX);
    }

    private static void check(List<KeyValue> stores, int n) {
        assertArrayEquals(value(n), stores.get(n % STORES).get("key " + n).block(STEP_MAX), "value " + n);
    }

    private LocalMesh mesh;
    private int written = VALUES;
    private final List<ObjectId> ids = new ArrayList<>();

    @BeforeAll
    void start() {
        mesh = LocalMesh.start(dir.resolve("mesh"), "--ssds", "3");
    }

    @AfterAll
    void stop() {
        if (mesh != null) mesh.close();
    }

    @Test
    @Order(1)
    void shouldPutOutADeviceThatHangsAndGoOnWithoutIt() {
        assertEquals("NEW", device(SPARE).path("state").asText());
        mesh.dmg("pool", "create", "tank", "--size", "3GB").orFail();
        try (MeshClient client = MeshClient.open(mesh)) {
            List<KeyValue> stores = stores(client);
            for (int n = 0; n < VALUES; n++) put(stores, n);
            mesh.mesh("device", "2", "ssd0", "hang").orFail();

            for (long endNs = System.nanoTime() + OUT_MAX.toNanos(); !isRebuilt(client); written++) {
                assertTrue(System.nanoTime() < endNs, () -> "the device is not out: " + mesh.logs());
                check(stores, written - VALUES);
                put(stores, written);
            }

            mesh.mesh("device", "2", "ssd0", "clear").orFail();
            for (int n = 0; n < written; n++) check(stores, n);
        }
        assertEquals("EVICTED", device(OLD).path("state").asText());
        assertEquals("NORMAL", device("node2/nvme/ssd1").path("state").asText());
        assertEquals(
                1,
                events("device_set_faulty", "no answer to"),
                () -> mesh.dmg("system", "events").out());
    }

    @Test
    @Order(2)
    void shouldMakeAPoolWithoutTheTargetsOfAnEvictedDevice() {
        mesh.dmg("pool", "create", "late", "--size", "600MB").orFail();

        assertEquals(
                1,
                mesh.pool("late").path("disabled_targets").asInt(),
                () -> mesh.pool("late").toString());
        assertEquals(0, mesh.dmg("pool", "query", "late").status());
    }

    /** Killed as soon as the tables have changed: what is left to do is done by itself. */
    @Test
    @Order(3)
    void shouldPutAnotherDeviceInItsPlace() throws IOException {
        String old = device(OLD).path("uuid").asText();
        String spare = device(SPARE).path("uuid").asText();
        Path tables = mesh.dir().resolve("node2/scm/engine0/smd");
        FileTime before = Files.getLastModifiedTime(tables);
        CompletableFuture<LocalMesh.Outcome> asked = CompletableFuture.supplyAsync(() -> replace(old, spare));
        LocalMesh.await(
                "the tables change",
                STEP_MAX,
                () -> !Files.getLastModifiedTime(tables).equals(before),
                () -> asked.isDone() ? asked.join().err() : "");
        mesh.kill(2);
        asked.join();
        mesh.startNode(2);

        awaitWhole();

        assertEquals("NORMAL", device(SPARE).path("state").asText());
        assertEquals("EVICTED", device(OLD).path("state").asText());
        assertEquals(0, device(OLD).path("tgt_ids").size());
        assertEquals("OFF", device(OLD).path("led").asText());
    }

    @Test
    @Order(4)
    void shouldUseAnEvictedDeviceAgain() {
        String device = device(AGAIN).path("uuid").asText();
        mesh.dmg("storage", "set", "nvme-faulty", "--uuid", device, "--force").orFail();
        LocalMesh.await(
                "it is out",
                OUT_MAX,
                () -> mesh.pool("tank").path("disabled_targets").asInt() == 1);
        assertEquals("ON", device(AGAIN).path("led").asText());
        mesh.dmg("storage", "led", "identify", device, "--reset").orFail();
        assertEquals("ON", device(AGAIN).path("led").asText());

        LocalMesh.await("it serves again", OUT_MAX, () -> {
            LocalMesh.Outcome o = replace(device, device);
            assertTrue(o.err().contains("NOTICE: Attempting to reuse a previously set FAULTY device!"), o.err());
            return o.status() == 0;
        });
        awaitWhole();

        assertEquals("NORMAL", device(AGAIN).path("state").asText());
        assertEquals("OFF", device(AGAIN).path("led").asText());
        assertEquals(1, events("device_replace", "Replaced device: " + device + " with device: " + device + "]"));
    }

    @Test
    @Order(5)
    void shouldTakeInADeviceThatIsPluggedIn() {
        String place = "node3/nvme/ssd9";
        assertTrue(device(place).isMissingNode());
        mesh.mesh("device", "3", "ssd9", "plug").orFail();
        String address = mesh.dir().resolve(place).toString();
        String host = member(3).path("addr").asText();
        assertTrue(mesh.dmg("storage", "scan", "--verbose").orFail().out().contains(address));

        mesh.dmg("storage", "nvme-add-device", "-l", host, "-a", address, "-e", "0")
                .orFail();

        String added = device(place).path("uuid").asText();
        assertEquals("NEW", device(place).path("state").asText());
        mesh.mesh("device", "3", "ssd9", "wear", "100").orFail();
        LocalMesh.await(
                "it is worn",
                STEP_MAX,
                () -> mesh.dmg("storage", "query", "device-health", "--uuid", added)
                        .orFail()
                        .out()
                        .contains("Device Reliability: WARNING"));
        mesh.mesh("device", "3", "ssd9", "pull").orFail();
        awaitState(place, "UNPLUGGED");
        mesh.mesh("device", "3", "ssd9", "plug").orFail();
        awaitState(place, "NEW");
        assertEquals(added, device(place).path("uuid").asText());
    }

    /** What only the two devices hold besides is with a node that is gone. */
    @Test
    @Order(6)
    void shouldHoldEverythingOnTheDevicesThatCameIn() {
        mesh.kill(1);

        try (MeshClient client = MeshClient.open(mesh)) {
            List<KeyValue> stores = stores(client);
            for (int n = 0; n < written; n++) check(stores, n);
        }
    }

    /** The last: the node that is gone comes back on new storage. */
    @Test
    @Order(7)
    void shouldTakeItsRankOnNewStorage() throws IOException {
        JsonNode before = member(1);
        for (String lost : List.of("scm", "nvme"))
            delete(mesh.dir().resolve("node1").resolve(lost));
        mesh.startNode(1);
        String host = before.path("addr").asText();

        mesh.dmg("storage", "format", "--replace", "-l", host).orFail();
        LocalMesh.await(
                "it has its rank again",
                OUT_MAX,
                () -> member(1).path("state").asText().equalsIgnoreCase("joined")
                        && !member(1).path("uuid").equals(before.path("uuid")),
                () -> mesh.dmg("system", "query", "-v").out() + mesh.logs());
        assertEquals(before.path("rank"), member(1).path("rank"));
        assertEquals(3, mesh.dmgJson("system", "query").path("members").size());
        for (String pool : List.of("tank", "late"))
            mesh.dmg("pool", "reintegrate", pool, "--ranks", before.path("rank").asText())
                    .orFail();
        awaitWhole();

        mesh.kill(2);
        try (MeshClient client = MeshClient.open(mesh)) {
            List<KeyValue> stores = stores(client);
            for (int n = 0; n < written; n++) check(stores, n);
        }
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path f : files.sorted(Comparator.reverseOrder()).toList()) Files.delete(f);
        }
    }

    private JsonNode member(int node) {
        for (JsonNode m : mesh.dmgJson("system", "query").path("members"))
            if (m.path("fault_domain").asText().endsWith("node" + node)) return m;
        return MissingNode.getInstance();
    }

    private void awaitState(String place, String state) {
        LocalMesh.await(
                place + " is " + state,
                STEP_MAX,
                () -> device(place).path("state").asText().equals(state),
                mesh::logs);
    }

    private void awaitWhole() {
        for (String pool : List.of("tank", "late"))
            LocalMesh.await(
                    pool + " is whole",
                    OUT_MAX,
                    () -> {
                        JsonNode q = mesh.pool(pool);
                        return q.path("disabled_targets").asInt() == 0
                                && q.path("state").asText().equals("Ready");
                    },
                    () -> mesh.pool(pool) + mesh.logs());
    }

    private LocalMesh.Outcome replace(String old, String next) {
        return mesh.dmg("storage", "replace", "nvme", "--old-uuid", old, "--new-uuid", next);
    }

    private long events(String id, String text) {
        return mesh.dmg("system", "events")
                .orFail()
                .out()
                .lines()
                .filter(l -> l.contains(id) && l.contains(text))
                .count();
    }

    private static boolean isRebuilt(MeshClient client) {
        PoolMap map =
                PoolMap.fromWire(MeshClient.await(client.pool("tank").query()).getMap());
        return map.disabledCount() == 1 && !map.needsRebuild();
    }

    /** What dmg says of the device with this end of its address; missing while its node does not answer. */
    private JsonNode device(String address) {
        for (JsonNode host : mesh.dmgJson("storage", "query", "list-devices").path("hosts"))
            for (JsonNode d : host.path("devices"))
                if (d.path("tr_addr").asText().endsWith(address)) return d;
        return MissingNode.getInstance();
    }
}
