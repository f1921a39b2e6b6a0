package io.daosmesh.management.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.ras.RasId;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.ContainerCreateRequest;
import io.daosmesh.model.wire.ContainerListReply;
import io.daosmesh.model.wire.ContainerMessage;
import io.daosmesh.model.wire.PoolCreateReply;
import io.daosmesh.model.wire.PoolCreateRequest;
import io.daosmesh.model.wire.PoolFindReply;
import io.daosmesh.model.wire.PoolRef;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Six nodes: the first is the management service and never dies, a pool's three replicas are on whatever lives. */
@Timeout(180)
@Tag("slow")
class ReplicaMoveTest {
    @TempDir
    Path dir;

    private TestMesh mesh;
    private UUID pool = new UUID(0, 0);

    @BeforeEach
    void start() {
        mesh = new TestMesh(dir, 6, 1);
        mesh.startAll();
        PoolCreateReply made = mesh.admin(
                RpcMethod.POOL_CREATE,
                PoolCreateRequest.newBuilder()
                        .setLabel("tank")
                        .setRequestId("r1")
                        .addAllRanks(mesh.nodes.stream()
                                .skip(1)
                                .map(TestMesh.Node::rank)
                                .sorted()
                                .toList())
                        .setScmBytesTotal(60L << 20)
                        .putProperties("rd_fac", "2")
                        .build(),
                PoolCreateReply.parser());
        pool = Ids.uuid(made.getPool());
    }

    @AfterEach
    void stop() {
        mesh.close();
    }

    private TestMesh.Node ofRank(int rank) {
        return mesh.nodes.stream().filter(n -> n.rank() == rank).findFirst().orElseThrow();
    }

    private List<Integer> serviceRanks() {
        return mesh.admin(
                        RpcMethod.POOL_FIND,
                        PoolRef.newBuilder().setPool("tank").build(),
                        PoolFindReply.parser())
                .getEntry()
                .getServiceRanksList();
    }

    /** Kills the node and has the system notice. */
    private void lose(TestMesh.Node dead) {
        TestMesh.Node first = mesh.nodes.get(0);
        Member m = first.management.maps().groupMap().member(dead.rank()).orElseThrow();
        dead.kill();
        first.management.deaths().onDead(dead.rank(), m.incarnation(), "silent");
        TestMesh.await("excluded", () -> mesh.stateOf(first, dead.rank()) == MemberState.EXCLUDED);
    }

    private void createContainer(String label) {
        mesh.admin(
                mesh.addresses(),
                RpcMethod.CONTAINER_CREATE,
                ContainerCreateRequest.newBuilder()
                        .setPool(pool.toString())
                        .setRequestId(label)
                        .setContainer(ContainerMessage.newBuilder().setLabel(label))
                        .build(),
                ContainerMessage.parser());
    }

    private long containerCount() {
        return mesh.admin(
                        mesh.addresses(),
                        RpcMethod.CONTAINER_LIST,
                        PoolRef.newBuilder().setPool(pool.toString()).build(),
                        ContainerListReply.parser())
                .getContainersCount();
    }

    @Test
    void shouldOutliveTheLossOfEveryFirstReplicaOneAfterTheOther() {
        List<Integer> first = serviceRanks();
        int containers = 0;

        for (int rank : first.subList(0, 2)) {
            createContainer("before-" + ++containers);
            lose(ofRank(rank));
            TestMesh.await("moved off rank " + rank, () -> {
                List<Integer> now = serviceRanks();
                return now.size() == 3 && !now.contains(rank);
            });
        }

        assertEquals(containers, containerCount());
        assertTrue(mesh.nodes.stream().anyMatch(n -> n.events.contains(RasId.POOL_REPLICAS_UPDATED)));
        assertEquals(
                1,
                new TreeSet<>(first).stream().filter(serviceRanks()::contains).count());
        // With the replicas of the start only, this is the third of three: no majority would be left.
        int third = first.get(2);
        lose(ofRank(third));
        createContainer("after");
        assertEquals(containers + 1, containerCount());
    }

    @Test
    void shouldDropTheOldReplicaWhenTheLostNodeComesBack() {
        int rank = serviceRanks().get(0);
        TestMesh.Node dead = ofRank(rank);
        lose(dead);
        TestMesh.await("moved", () -> !serviceRanks().contains(rank));

        dead.start();

        TestMesh.await("joined", () -> mesh.stateOf(mesh.nodes.get(0), rank) == MemberState.JOINED);
        TestMesh.await(
                "old replica gone", () -> dead.management.pools().service(pool).isEmpty());
        TestMesh.await(
                "nothing retired",
                () -> mesh.poolLeader(pool)
                        .management
                        .pools()
                        .service("tank")
                        .replica()
                        .read(db -> db.retiredRanks())
                        .isEmpty());
        TestMesh.await(
                "its map is kept", () -> dead.management.maps().poolMap(pool).isPresent());
        assertFalse(serviceRanks().contains(rank));
        assertTrue(dead.storage.pools.contains(pool), "its targets are another matter");
    }
}
