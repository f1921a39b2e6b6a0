package io.daosmesh.management.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.MemberMessage;
import io.daosmesh.model.wire.PoolCreateReply;
import io.daosmesh.model.wire.PoolCreateRequest;
import io.daosmesh.model.wire.PoolQueryReply;
import io.daosmesh.model.wire.PoolRef;
import io.daosmesh.model.wire.SystemActionReply;
import io.daosmesh.model.wire.SystemActionRequest;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Ranks that an administrator stops: pools go on without those that others serve without, and nobody is put out else. */
@Timeout(180)
class StopTest {
    @TempDir
    Path dir;

    private TestMesh mesh;
    private UUID pool = new UUID(0, 0);

    @BeforeEach
    void start() {
        mesh = new TestMesh(dir, 3, 3);
        mesh.startAll();
        PoolCreateRequest create = PoolCreateRequest.newBuilder()
                .setLabel("tank")
                .setRequestId("r1")
                .setScmBytesTotal(60L << 20)
                .build();
        pool = Ids.uuid(mesh.admin(RpcMethod.POOL_CREATE, create, PoolCreateReply.parser())
                .getPool());
    }

    @AfterEach
    void stop() {
        mesh.close();
    }

    private PoolQueryReply query() {
        PoolRef ref = PoolRef.newBuilder().setPool(pool.toString()).build();
        return mesh.admin(mesh.addresses(), RpcMethod.POOL_QUERY, ref, PoolQueryReply.parser());
    }

    private PoolMap map(TestMesh.Node n) {
        return n.management.maps().poolMap(pool).orElseThrow();
    }

    @Test
    void shouldLetGoOfARankThatIsStoppedAloneAndTakeItBack() {
        TestMesh.Node watcher = mesh.nodes.get(0);
        int rank = mesh.nodes.get(1).rank();

        SystemActionReply stopped = act(0, rank);
        Member member = watcher.management.maps().groupMap().member(rank).orElseThrow();
        watcher.management.deaths().onDead(rank, member.incarnation(), "stopped");

        assertEquals(MemberMessage.State.STOPPED, stopped.getResults(0).getState());
        TestMesh.await("stopped", () -> mesh.stateOf(watcher, rank) == MemberState.STOPPED);
        TestMesh.await("others serve", () -> map(watcher).disabledRanks().contains(rank));
        SystemActionReply started = act(1, rank);
        assertEquals(MemberMessage.State.JOINED, started.getResults(0).getState());
        TestMesh.await("back by itself", () -> map(watcher).ofRank(rank).get(0).state() == TargetState.UP);
        FaultException unknown = assertThrows(FaultException.class, () -> act(0, 77));
        assertEquals("invalid rank(s): 77", unknown.fault().text());
    }

    @Test
    void shouldExcludeNobodyWhenTheWholeSystemIsStopped() {
        Integer[] all = mesh.nodes.stream().map(TestMesh.Node::rank).toArray(Integer[]::new);
        TestMesh.Node watcher = mesh.nodes.get(0);

        act(0, all);
        for (int rank : all) TestMesh.await("stopped", () -> mesh.stateOf(watcher, rank) == MemberState.STOPPED);
        act(1, all);

        for (int rank : all) TestMesh.await("joined", () -> mesh.stateOf(watcher, rank) == MemberState.JOINED);
        mesh.poolLeader(pool).management.pools().service("tank").reviewSoon();
        assertEquals(1, map(watcher).version());
    }

    @Test
    void shouldLetGoOfThoseWhoStayStoppedWhileOthersAreStarted() {
        int last = mesh.nodes.get(2).rank();
        act(0);
        TestMesh.await("all are missed", () -> query().getDeadRanksCount() == 3);
        assertEquals(1, query().getMap().getVersion());

        act(1, mesh.nodes.get(0).rank(), mesh.nodes.get(1).rank());
        TestMesh.await("out of the pool", () -> query().getDisabledRanksList().equals(List.of(last)));
        act(1, last);
        TestMesh.await("back in the pool", () -> query().getMap().getVersion() == 3);
    }

    private SystemActionReply act(int action, Integer... ranks) {
        return mesh.admin(
                RpcMethod.SYSTEM_ACTION,
                SystemActionRequest.newBuilder()
                        .setActionValue(action)
                        .addAllRanks(List.of(ranks))
                        .setAll(ranks.length == 0)
                        .build(),
                SystemActionReply.parser());
    }
}
