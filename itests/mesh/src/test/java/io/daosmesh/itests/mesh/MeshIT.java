package io.daosmesh.itests.mesh;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.daosmesh.cli.mesh.MeshRecord;
import io.daosmesh.client.ContainerSpec;
import io.daosmesh.client.KeyValue;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.wire.TierSpaceMessage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;

/**
 * Three real nodes, killed, paused and restarted while clients read and write. One mesh for all tests: each begins
 * with every rank joined and the pool whole, so the order is fixed only to keep reports readable.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@Isolated("a short pause must not look like a long one")
@ExtendWith(SharedMesh.class)
class MeshIT {
    private static final Duration REBUILD_MAX = Duration.ofSeconds(90);
    private static final Duration JOIN_MAX = Duration.ofSeconds(60);

    @TempDir
    private static Path dir;

    private static LocalMesh mesh;

    private MeshClient client;
    private Workload load;

    @BeforeAll
    static void createPool() {
        mesh = SharedMesh.mesh();
        mesh.dmg("pool", "create", "tank", "--size", "12GB").orFail();
    }

    @AfterAll
    static void destroyPool() {
        SharedMesh.destroy("tank");
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
    @Order(1)
    void shouldAnswerTheAdministrator() {
        JsonNode members = mesh.dmgJson("system", "query").path("members");
        assertEquals(3, members.size());
        for (JsonNode m : members) assertEquals("joined", m.path("state").asText());
        assertTrue(mesh.dmg("system", "query").orFail().out().contains("Joined"));
        assertTrue(mesh.dmg("pool", "query", "tank").orFail().out().contains("ntarget=6"));
        assertTrue(mesh.dmg("storage", "query", "usage").orFail().out().contains("NVMe-Total"));
        assertEquals(1, mesh.dmg("pool", "query", "nosuchpool").status());
        assertEquals(1, mesh.dmg("pool", "extend", "tank", "--ranks=1").status());
        LocalMesh.Outcome again = mesh.dmg("storage", "format");
        assertEquals(1, again.status(), again.out());
    }

    @Test
    @Order(2)
    void shouldKeepValuesForScripts() throws IOException {
        Path file = Files.write(dir.resolve("hello"), "hello mesh".getBytes(java.nio.charset.StandardCharsets.UTF_8));
        mesh.daos("container", "create", "tank", "c1").orFail();

        mesh.daos("kv", "put", "tank", "c1", "hello", file.toString()).orFail();

        assertEquals(
                "hello mesh",
                mesh.daos("kv", "get", "tank", "c1", "hello").orFail().out());
        LocalMesh.Outcome absent = mesh.daos("kv", "get", "tank", "c1", "absent");
        assertEquals(1, absent.status());
        assertEquals("", absent.out());
        assertTrue(absent.err().contains("DER_NONEXIST(-1005)"), absent.err());
        assertFalse(absent.err().contains("\tat "), absent.err());
    }

    @Test
    @Order(3)
    void shouldCopyATreeInAndOut() throws IOException {
        Path tree = Path.of(System.getProperty("mesh.root"), "bundles", "model", "src");
        mesh.daos("container", "create", "tank", "tree", "--type", "POSIX").orFail();

        mesh.daos("filesystem", "copy", "--recursive", "--src", tree.toString(), "--dst", "daos://tank/tree/src")
                .orFail();
        mesh.daos(
                        "filesystem",
                        "copy",
                        "--recursive",
                        "--src",
                        "daos://tank/tree/src",
                        "--dst",
                        dir.resolve("src").toString())
                .orFail();

        assertTrue(Tree.of(tree).digests().size() > 20);
        assertEquals(Tree.of(tree), Tree.of(dir.resolve("src")));
    }

    @Test
    @Order(4)
    void shouldKeepTheClassesOfTheAssemblysToolWhenItsFirstCallEnds() throws Exception {
        Path home = Files.createDirectory(dir.resolve("home"));

        assertEquals("", assemblysDmg(home, "version"), "connects nowhere");
        String kept = assemblysDmg(home, "system", "query");

        assertTrue(kept.startsWith("dmg-") && kept.endsWith(".jsa"), kept);
        assertEquals(kept, assemblysDmg(home, "system", "query"));
    }

    /** Names of the files that the call has left in its cache. */
    private static String assemblysDmg(Path home, String... args) throws Exception {
        Path tool = Path.of(System.getProperty("mesh.root"), "karaf-assembly", "target", "assembly", "bin", "dmg");
        List<String> line = new ArrayList<>(List.of(tool.toString()));
        if (args.length > 1)
            line.addAll(List.of("-o", mesh.dir().resolve("daos_control.yml").toString()));
        line.addAll(List.of(args));
        ProcessBuilder b = new ProcessBuilder(line)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.DISCARD);
        b.environment().put("HOME", home.toString());
        b.environment().put("JAVA_HOME", System.getProperty("java.home"));
        b.environment().remove("XDG_CACHE_HOME");
        Process p = b.start();
        assertTrue(p.waitFor(60, TimeUnit.SECONDS), "no end within 60 s");
        assertEquals(0, p.exitValue());
        Path cache = home.resolve(".cache").resolve("daos-mesh");
        try (Stream<Path> files = Files.list(cache)) {
            return files.map(f -> f.getFileName().toString()).collect(Collectors.joining(" "));
        }
    }

    @Test
    @Order(5)
    void shouldRefuseADestroyedContainerThatIsStillOpen() {
        KeyValue open = MeshClient.await(
                client.container("tank", ContainerSpec.of("gone").withClass("RP_3GX"))
                        .createKeyValue());
        open.put("key", new byte[10]).block(Duration.ofSeconds(20));

        mesh.daos("container", "destroy", "tank", "gone").orFail();

        // the ranks hear of it from the pool service, one after the other
        LocalMesh.await("it is refused", Duration.ofSeconds(20), () -> {
            try {
                open.put("key", new byte[10]).block(Duration.ofSeconds(20));
                return false;
            } catch (FaultException e) {
                // its handle has ended with it; before a rank knows that, it may know that the container is gone
                return e.code() == FaultCode.NO_HDL || e.code() == FaultCode.NONEXIST;
            }
        });
    }

    @Test
    @Order(6)
    void shouldMoveAShareOfAPoolToTheRankItIsExtendedBy() {
        mesh.dmg("pool", "create", "pair", "--size", "200MB", "--ranks", "0,1").orFail();
        KeyValue pairs =
                MeshClient.await(client.container("pair", ContainerSpec.of("kv").withClass("RP_2GX"))
                        .createKeyValue());
        for (int i = 0; i < 200; i++) pairs.put("k" + i, new byte[50 + i]).block(Duration.ofSeconds(20));
        long before = totalBytes("pair");

        mesh.dmg("pool", "extend", "pair", "--ranks=2").orFail();
        LocalMesh.await(
                "the new rank is filled", REBUILD_MAX, () -> !poolMap("pair").needsRebuild());

        assertEquals(before / 2 * 3, totalBytes("pair"));
        assertEquals(1, mesh.dmg("pool", "extend", "pair", "--ranks=2").status(), "it is in the pool");
        // each value has one copy left, on an old rank or on the new one
        mesh.dmg("pool", "exclude", "pair", "--ranks", "0").orFail();
        for (int i = 0; i < 200; i++) assertEquals(50 + i, pairs.get("k" + i).block(Duration.ofSeconds(20)).length);
        mesh.dmg("pool", "destroy", "pair", "--recursive").orFail();
    }

    private PoolMap poolMap(String pool) {
        return PoolMap.fromWire(MeshClient.await(client.pool(pool).query()).getMap());
    }

    private long totalBytes(String pool) {
        return MeshClient.await(client.pool(pool).query()).getTiersList().stream()
                .mapToLong(TierSpaceMessage::getTotal)
                .sum();
    }

    @Test
    @Order(7)
    void shouldSurviveTheDeathOfEachNodeInTurn() throws Exception {
        for (MeshRecord.Entry n : mesh.nodes()) {
            mesh.kill(n.number());
            LocalMesh.await("rank " + n.rank() + " is excluded", Duration.ofSeconds(15), () -> isExcluded(n.rank()));
            awaitRebuilt(2);
            mesh.startNode(n.number());
            heal(n);
        }

        load.stopAndVerify();
        assertClean();
    }

    @Test
    @Order(8)
    void shouldExcludeNobodyForAShortPause() throws Exception {
        MeshRecord.Entry n = mesh.nodes().get(1);
        int version = client.newestGroupMap().version();
        mesh.mesh("pause", Integer.toString(n.number())).orFail();
        long resumeNs = System.nanoTime() + Duration.ofSeconds(3).toNanos();
        LocalMesh.await("the pause is over", Duration.ofSeconds(5), () -> System.nanoTime() > resumeNs);

        mesh.mesh("resume", Integer.toString(n.number())).orFail();
        long before = load.operations();
        LocalMesh.await("the load goes on", Duration.ofSeconds(20), () -> load.operations() > before + 200);

        assertEquals(version, client.newestGroupMap().version());
        assertEquals("joined", mesh.state(n.rank()));
        load.stopAndVerify();
        assertClean();
    }

    @Test
    @Order(9)
    void shouldTakeBackANodeThatSleptLong() throws Exception {
        MeshRecord.Entry n = mesh.nodes().get(1);
        mesh.mesh("pause", Integer.toString(n.number())).orFail();
        LocalMesh.await("rank " + n.rank() + " is excluded", Duration.ofSeconds(30), () -> isExcluded(n.rank()));
        awaitRebuilt(2);

        mesh.mesh("resume", Integer.toString(n.number())).orFail();
        awaitRebuilt(0);

        load.stopAndVerify();
        assertClean();
    }

    @Test
    @Order(10)
    void shouldServeWithoutARankThatIsStopped() throws Exception {
        MeshRecord.Entry n = mesh.nodes().get(1);
        mesh.dmg("system", "stop", "--ranks", Integer.toString(n.rank())).orFail();
        awaitRebuilt(2);
        long before = load.operations();
        LocalMesh.await("the load goes on", Duration.ofSeconds(20), () -> load.operations() > before + 200);
        assertEquals("stopped", mesh.state(n.rank()));

        mesh.dmg("system", "start", "--ranks", Integer.toString(n.rank())).orFail();
        awaitRebuilt(0);
        load.stopAndVerify();
        assertClean();
    }

    @Test
    @Order(11)
    void shouldKeepEverythingOverARestartOfAll() throws Exception {
        load.stopAndVerify();
        assertClean();
        mesh.mesh("down").orFail();

        mesh.mesh("up").orFail();

        assertEquals(
                "hello mesh",
                mesh.daos("kv", "get", "tank", "c1", "hello").orFail().out());
        JsonNode pool = mesh.pool("tank");
        assertEquals(0, pool.path("disabled_targets").asInt(), pool.toString());
    }

    private boolean isExcluded(int rank) {
        return stateOf(rank) == MemberState.EXCLUDED;
    }

    private MemberState stateOf(int rank) {
        return client.newestGroupMap().member(rank).orElseThrow().state();
    }

    /** A node that was killed comes back into the pool by itself. */
    private void heal(MeshRecord.Entry n) {
        LocalMesh.await("rank " + n.rank() + " joined", JOIN_MAX, () -> stateOf(n.rank()) == MemberState.JOINED);
        awaitRebuilt(0);
        LocalMesh.await("the rebuild is said to have ended well", Duration.ofSeconds(10), () -> {
            JsonNode rebuild = mesh.pool("tank").path("rebuild");
            return rebuild.path("status").asInt() == 0
                    && !rebuild.path("state").asText().equals("busy");
        });
    }

    /** The map alone says it: the rebuild's own numbers stay with the leader that ran it. */
    private void awaitRebuilt(int disabledCount) {
        java.util.concurrent.atomic.AtomicReference<String> seen =
                new java.util.concurrent.atomic.AtomicReference<>("");
        try {
            LocalMesh.await("the pool is rebuilt", REBUILD_MAX, () -> {
                var reply = MeshClient.await(client.pool("tank").query());
                PoolMap map = PoolMap.fromWire(reply.getMap());
                seen.set(map + " " + reply.getRebuild());
                return !map.needsRebuild() && map.disabledCount() == disabledCount;
            });
        } catch (IllegalStateException e) {
            throw new IllegalStateException(seen.get() + mesh.logs(), e);
        }
    }

    private void assertClean() {
        assertEquals(0, load.wrong(), load.problem());
        assertEquals(0, load.failures(), load.problem());
    }
}
