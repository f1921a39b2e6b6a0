package io.daosmesh.itests.mesh;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.cli.mesh.MeshRecord;
import io.daosmesh.client.ContainerSpec;
import io.daosmesh.client.KeyValue;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.wire.PoolQueryReply;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Drivers and bundles of running nodes are replaced, taken away and brought back while clients read and write. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@Isolated("nobody may be excluded meanwhile")
class HotSwapIT {
    private static final Duration REBUILD_MAX = Duration.ofSeconds(90);
    private static final int NODE = 1;
    private static final String DRIVER = "io.daosmesh.nvme-spdk";

    @TempDir
    private static Path dir;

    private static LocalMesh mesh;

    private MeshClient client;
    private Workload load;

    @BeforeAll
    static void startMesh() {
        mesh = LocalMesh.start(dir.resolve("mesh"), "--data-channel", "clear");
        mesh.dmg("pool", "create", "tank", "--size", "12GB").orFail();
    }

    @AfterAll
    static void stopMesh() {
        if (mesh != null) mesh.close();
    }

    @BeforeEach
    void startLoad(TestInfo test) {
        client = MeshClient.open(mesh);
        KeyValue store = MeshClient.await(
                client.container("tank", ContainerSpec.of("load").withClass("RP_2GX"))
                        .keyValueRoot());
        load = new Workload(store, test.getDisplayName().toLowerCase(Locale.ROOT) + System.nanoTime(), 4, 6000);
        LocalMesh.await("the load runs", Duration.ofSeconds(30), () -> load.operations() > 50);
    }

    @AfterEach
    void stopLoad() {
        load.close();
        client.close();
    }

    @Test
    void shouldReplaceTheDriverUnderLoad() throws Exception {
        int version = poolMap().version();
        for (int i = 0; i < 3; i++) {
            console("bundle:update " + DRIVER);
            awaitOperations(100, Duration.ofSeconds(20));
        }

        assertTrue(
                Metrics.max(Metrics.scrape(node()), "engine_driver_swap_total").orElse(0) >= 3);
        assertEquals(version, poolMap().version());
        assertNothingLost();
    }

    @Test
    void shouldServeFromOtherReplicasWithoutTheDriverAndTakeTheDevicesBack() throws Exception {
        String location = location(DRIVER);

        console("bundle:uninstall " + DRIVER);

        LocalMesh.await("the devices are unplugged", Duration.ofSeconds(30), () -> devicesAre("UNPLUGGED"));
        LocalMesh.await(
                "their targets are excluded",
                Duration.ofSeconds(20),
                () -> poolMap().ofRank(node().rank()).stream()
                        .allMatch(t -> t.state().isDisabled()));
        awaitOperations(300, Duration.ofSeconds(30));
        awaitRebuilt();
        assertEquals("joined", mesh.state(node().rank()));

        console("bundle:install -s " + location);

        LocalMesh.await("the devices serve", Duration.ofSeconds(30), () -> devicesAre("NORMAL"));
        awaitWhole();
        awaitOperations(300, Duration.ofSeconds(30));
        assertNothingLost();
    }

    /** The targets were put out by an engine that is not there any more when the devices come back. */
    @Test
    void shouldTakeTheDevicesBackAfterTheEngineWasReplacedMeanwhile() throws Exception {
        String location = location(DRIVER);
        console("bundle:uninstall " + DRIVER);
        LocalMesh.await(
                "the targets are excluded",
                Duration.ofSeconds(30),
                () -> poolMap().disabledCount() == 2,
                this::notServing);
        console("bundle:update io.daosmesh.engine");

        console("bundle:install -s " + location);

        awaitWhole();
        assertNothingLost();
    }

    @ParameterizedTest
    @ValueSource(strings = {"telemetry", "rebuild", "control", "engine"})
    void shouldReplaceABundleUnderLoad(String bundle) throws Exception {
        int pool = poolMap().version();
        int group = client.newestGroupMap().version();

        console("bundle:update io.daosmesh." + bundle);

        awaitOperations(500, Duration.ofSeconds(40));
        LocalMesh.await("the node answers its tools", Duration.ofSeconds(20), () -> devicesAre("NORMAL"));
        LocalMesh.await(
                "the node answers Prometheus",
                Duration.ofSeconds(20),
                () -> Metrics.scrape(node()).contains("engine_"));
        assertEquals("joined", mesh.state(node().rank()));
        assertEquals(group, client.newestGroupMap().version());
        assertEquals(pool, poolMap().version());
        assertNothingLost();
    }

    /** Last, because an evicted device stays evicted. */
    @Test
    @Order(Integer.MAX_VALUE)
    void shouldRebuildWhatOneFaultyDeviceHeld() throws Exception {
        String uuid = devices()
                .lines()
                .filter(l -> l.contains("UUID:"))
                .map(l -> l.replaceFirst(".*UUID:(\\S+).*", "$1"))
                .findFirst()
                .orElseThrow();

        mesh.dmg("storage", "set", "nvme-faulty", "--force", "--uuid", uuid, "--host", node().control())
                .orFail();

        LocalMesh.await(
                "the device is evicted", Duration.ofSeconds(30), () -> devices().contains("State:EVICTED"));
        LocalMesh.await(
                "its one target is excluded",
                Duration.ofSeconds(20),
                () -> poolMap().disabledCount() == 1,
                this::notServing);
        awaitRebuilt();
        awaitOperations(300, Duration.ofSeconds(30));
        assertEquals("joined", mesh.state(node().rank()));
        assertNothingLost();
    }

    private static MeshRecord.Entry node() {
        return mesh.nodes().get(NODE - 1);
    }

    private static String console(String command) {
        return mesh.mesh("console", Integer.toString(NODE), command).orFail().out();
    }

    /** Where the container has a bundle from. */
    private static String location(String symbolicName) {
        String name = symbolicName.substring(symbolicName.lastIndexOf('.') + 1);
        return console("bundle:list -t 0 -l")
                .lines()
                .filter(l -> l.contains("/" + name + "/"))
                .map(l -> l.substring(l.lastIndexOf('|') + 1).strip())
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("no bundle " + symbolicName));
    }

    private static boolean devicesAre(String state) {
        List<String> states =
                devices().lines().filter(l -> l.contains("State:")).toList();
        return !states.isEmpty() && states.stream().allMatch(l -> l.endsWith("State:" + state));
    }

    /** Empty while the node does not answer. */
    private static String devices() {
        return mesh.dmg("storage", "query", "list-devices", "-l", node().control())
                .out();
    }

    private PoolQueryReply pool() {
        return MeshClient.await(client.pool("tank").query());
    }

    private PoolMap poolMap() {
        return PoolMap.fromWire(pool().getMap());
    }

    private void awaitRebuilt() {
        LocalMesh.await("the pool is rebuilt", REBUILD_MAX, () -> !poolMap().needsRebuild(), this::notServing);
    }

    private void awaitWhole() {
        LocalMesh.await(
                "the pool is whole",
                REBUILD_MAX,
                () -> poolMap().disabledCount() == 0 && !poolMap().needsRebuild(),
                this::notServing);
    }

    /** Which targets are not in, why, and what becomes of their ranks. */
    private String notServing() {
        PoolMap map = poolMap();
        StringBuilder b = new StringBuilder(", version " + map.version());
        for (PoolTarget t : map.targets()) {
            if (t.state() == TargetState.UPIN) continue;
            b.append(", rank ").append(t.rank()).append(" target ").append(t.index());
            b.append(' ').append(t.state().label()).append(" for ").append(t.outage());
        }
        mesh.nodes()
                .forEach(n -> b.append(", rank ").append(n.rank()).append(' ').append(mesh.state(n.rank())));
        System.out.println(b + mesh.logs());
        return b.toString();
    }

    private void awaitOperations(long count, Duration max) {
        long before = load.operations();
        LocalMesh.await("the load goes on", max, () -> load.operations() > before + count);
    }

    private void assertNothingLost() throws InterruptedException {
        load.stopAndVerify();
        System.out.printf(
                Locale.ROOT,
                "%d requests, longest %.0f ms, %d retries%n",
                load.operations(),
                load.takeLongestMs(),
                client.client().stats().retries());
        assertEquals("", load.problem());
        assertEquals(0, load.wrong());
        assertEquals(0, load.failures());
    }
}
