package io.daosmesh.itests.mesh;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.client.ContainerSpec;
import io.daosmesh.client.KeyValue;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.PoolMap;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.ResourceLock;

/** Nodes that were killed, halted or stopped come back into the pool by themselves, under load: nobody types reintegrate. */
@Timeout(180)
@ExtendWith(SharedMesh.class)
@ResourceLock(SharedMesh.LOCK)
class ReturnIT {
    private static final Duration CHANGE_MAX = Duration.ofSeconds(60);
    private static final int VALUES = 60;

    private static final System.Logger LOG = System.getLogger(ReturnIT.class.getName());

    private static LocalMesh mesh;

    private MeshClient client;
    private Workload load;

    @BeforeAll
    static void createPool() {
        mesh = SharedMesh.mesh();
        mesh.dmg("pool", "create", "tank", "--size", "4GB").orFail();
        try (MeshClient c = MeshClient.open(mesh)) {
            c.container("tank", ContainerSpec.of("load").withClass("RP_3GX"));
        }
    }

    @AfterAll
    static void destroyPool() {
        SharedMesh.destroy("tank");
    }

    @BeforeEach
    void startLoad() {
        client = MeshClient.open(mesh);
        KeyValue kv = MeshClient.await(
                client.container("tank", ContainerSpec.of("load").withClass("RP_3GX"))
                        .createKeyValue());
        load = new Workload(kv, "w", 4, 4096);
        LocalMesh.await("the load runs", Duration.ofSeconds(30), () -> load.operations() > 100);
    }

    @AfterEach
    void stopLoad() {
        load.close();
        client.close();
    }

    private PoolMap map() {
        return PoolMap.fromWire(MeshClient.await(client.pool("tank").query()).getMap());
    }

    private double awaitOut(int rank) {
        return LocalMesh.await(
                "rank " + rank + " is out",
                CHANGE_MAX,
                () -> map().disabledRanks().contains(rank));
    }

    private double awaitNormal(String since) {
        double seconds = LocalMesh.await("redundancy is normal", CHANGE_MAX, () -> {
            PoolMap map = map();
            return !map.needsRebuild() && map.disabledCount() == 0;
        });
        LOG.log(System.Logger.Level.INFO, "redundancy normal {0} s after {1}", seconds, since);
        return seconds;
    }

    private void assertAllRight() throws InterruptedException {
        load.stopAndVerify();
        assertEquals(0, load.wrong(), load.problem());
        assertEquals(0, load.failures(), load.problem());
        String events = mesh.dmg("system", "events").orFail().out();
        String pool = client.pool("tank").uuid().toString();
        assertTrue(events.lines().anyMatch(l -> l.contains("[pool_rank_returned]") && l.contains(pool)), events);
    }

    private static int rankOf(int node) {
        return mesh.nodes().get(node - 1).rank();
    }

    @Test
    void shouldComeBackAfterACrash() throws InterruptedException {
        mesh.kill(2);
        awaitOut(rankOf(2));

        long start = System.nanoTime();
        mesh.startNode(2);
        double launched = (System.nanoTime() - start) / 1e9;
        awaitNormal("the start command, which took " + launched + " s");

        assertAllRight();
    }

    @Test
    void shouldComeBackAfterALongHalt() throws InterruptedException {
        mesh.mesh("pause", "3").orFail();
        awaitOut(rankOf(3));
        mesh.mesh("resume", "3").orFail();
        awaitNormal("SIGCONT");

        assertAllRight();
    }

    /** Null = it is there. */
    private static @Nullable FaultCode read(KeyValue kv, int i) {
        try {
            byte[] found = kv.get("k" + i).block(Duration.ofSeconds(20));
            assertTrue(found != null, "k" + i + " is said to be absent");
            return null;
        } catch (FaultException e) {
            return e.code();
        }
    }

    private int unavailable(KeyValue kv) {
        int count = 0;
        for (int i = 0; i < VALUES; i++) {
            FaultCode code = read(kv, i);
            if (code == null) continue;
            assertEquals(FaultCode.DATA_LOSS, code);
            count++;
        }
        return count;
    }

    private KeyValue filled(String label, String objectClass) {
        KeyValue kv = MeshClient.await(
                client.container("tank", ContainerSpec.of(label).withClass(objectClass))
                        .createKeyValue());
        for (int i = 0; i < VALUES; i++)
            kv.put("k" + i, ("v" + i).getBytes(StandardCharsets.UTF_8)).block(Duration.ofSeconds(60));
        return kv;
    }

    @Test
    void shouldAnswerWhileOneRankIsStoppedAndBeWholeWhenItIsStarted() throws InterruptedException {
        KeyValue single = filled("single", "SX");
        KeyValue pairs = filled("pairs", "RP_2GX");
        String rank = Integer.toString(rankOf(1));

        mesh.dmg("system", "stop", "--ranks", rank).orFail();
        awaitOut(rankOf(1));
        assertEquals(0, unavailable(pairs));
        int unavailable = unavailable(single);
        assertTrue(unavailable > 0 && unavailable < VALUES, "some of the single copies: " + unavailable);
        assertTrue(
                mesh.dmg("pool", "query", "tank").orFail().out().contains("Data redundancy: degraded"),
                "health tells of it");

        mesh.dmg("system", "start", "--ranks", rank).orFail();
        awaitNormal("system start");
        assertEquals(0, unavailable(single));
        assertAllRight();
    }
}
