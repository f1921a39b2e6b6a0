package io.daosmesh.management.node;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.daosmesh.management.loop.Timing;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.ras.RasId;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.PoolMapMessage;
import io.daosmesh.model.wire.PoolMapRequest;
import io.daosmesh.model.wire.PropertiesReply;
import io.daosmesh.model.wire.PropertiesRequest;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Pools go on without a rank that answers nobody, long before gossip gives it up, and take it back when it answers. */
@Timeout(120)
@Tag("slow")
class SilenceTest {
    @TempDir
    Path dir;

    private TestMesh mesh;
    private UUID pool = new UUID(0, 0);
    private TestMesh.Node leader;

    @BeforeEach
    void start() {
        start(TestMesh.USUAL);
    }

    private void start(Timing timing) {
        mesh = new TestMesh(dir, 4, 1, timing);
        mesh.startAll();
        pool = mesh.createTank();
        leader = mesh.poolLeader(pool);
    }

    @AfterEach
    void stop() {
        mesh.close();
    }

    /** Those that neither lead the pool nor the system. */
    private List<TestMesh.Node> followers() {
        return mesh.nodes.stream().skip(1).filter(n -> n != leader).toList();
    }

    private PoolMap map(int silentRank) {
        PoolMapRequest r = PoolMapRequest.newBuilder()
                .setPool(Ids.bytes(pool))
                .addSilent(silentRank)
                .build();
        return PoolMap.fromWire(mesh.admin(List.of(leader.address), RpcMethod.POOL_MAP, r, PoolMapMessage.parser()));
    }

    @Test
    void shouldGoOnWithoutARankThatAnswersNobodyAndTakeItBack() {
        TestMesh.Node frozen = followers().get(0);
        int rank = frozen.rank();
        mesh.net.freeze(frozen.address);

        TestMesh.await("out of the pool", () -> map(rank).disabledRanks().contains(rank));

        assertEquals(MemberState.JOINED, mesh.stateOf(leader, rank), "gossip has not given it up");
        TestMesh.await("told", () -> leader.events.contains(RasId.POOL_RANK_SILENT));
        mesh.net.thaw(frozen.address);
        TestMesh.await("comes back", () -> leader.events.contains(RasId.POOL_RANK_RETURNED));
    }

    /** Nobody tells: who waits for the leader's rank has nobody to tell. */
    @Test
    void shouldGoOnWithoutTheRankOfALeaderThatFallsSilent() {
        TestMesh.Node frozen = leader;
        mesh.net.freeze(frozen.address);

        TestMesh.await(
                "told by another leader",
                () -> mesh.nodes.stream().anyMatch(n -> n != frozen && n.events.contains(RasId.POOL_RANK_SILENT)));

        mesh.net.thaw(frozen.address);
        TestMesh.await(
                "comes back", () -> mesh.nodes.stream().anyMatch(n -> n.events.contains(RasId.POOL_RANK_RETURNED)));
    }

    @Test
    void shouldKeepARankThatAnswers() {
        int rank = followers().get(0).rank();

        for (int i = 0; i < 50; i++) map(rank);

        // asked and answered: one that does not answer is asked for as long
        TestMesh.Node frozen = followers().get(1);
        mesh.net.freeze(frozen.address);
        TestMesh.await(
                "the other is out", () -> map(frozen.rank()).disabledRanks().contains(frozen.rank()));
        assertEquals(1, map(rank).disabledRanks().size());
    }

    /** After a stop of all nodes the first that are up would put out those that are slower, with data that nobody has missed. */
    @Test
    void shouldLeaveToGossipWhoHasJustStarted() {
        mesh.close();
        dir = dir.resolve("other");
        start(TestMesh.timing(Duration.ofMinutes(10)));
        TestMesh.Node frozen = followers().get(0);
        mesh.net.freeze(frozen.address);

        shouldKeep(frozen);
    }

    @Test
    void shouldWaitForASilentRankWhereThePolicySaysSo() {
        PropertiesRequest none = PropertiesRequest.newBuilder()
                .setPool(pool.toString())
                .putSet("self_heal", "none")
                .build();
        mesh.admin(mesh.addresses(), RpcMethod.POOL_PROPERTIES, none, PropertiesReply.parser());
        TestMesh.Node frozen = followers().get(0);
        mesh.net.freeze(frozen.address);

        shouldKeep(frozen);
    }

    private void shouldKeep(TestMesh.Node frozen) {
        long end = System.nanoTime() + 2_000_000_000L;
        while (System.nanoTime() < end) assertEquals(1, map(frozen.rank()).version());
    }
}
