package io.daosmesh.management.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.ras.RasId;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.LogCommand;
import io.daosmesh.model.wire.PoolCreateReply;
import io.daosmesh.model.wire.PoolCreateRequest;
import io.daosmesh.model.wire.PoolDestroyRequest;
import io.daosmesh.model.wire.PoolFindReply;
import io.daosmesh.model.wire.PoolQueryReply;
import io.daosmesh.model.wire.PoolRef;
import io.daosmesh.model.wire.PoolTargetsReply;
import io.daosmesh.model.wire.PoolTargetsRequest;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A pool gets more ranks: space first, then the map, and nothing is left of what fails. */
@Timeout(120)
class ExtendTest {
    @TempDir
    Path dir;

    private TestMesh mesh;
    private UUID pool;
    /** Not in the pool. */
    private List<TestMesh.Node> spare;

    @BeforeEach
    void start() {
        mesh = new TestMesh(dir, 4, 1);
        mesh.startAll();
        spare = mesh.nodes.subList(2, 4);
        PoolCreateReply made = mesh.admin(
                RpcMethod.POOL_CREATE,
                PoolCreateRequest.newBuilder()
                        .setLabel("tank")
                        .setRequestId("r1")
                        .addRanks(mesh.nodes.get(0).rank())
                        .addRanks(mesh.nodes.get(1).rank())
                        .setScmBytesTotal(60L << 20)
                        .build(),
                PoolCreateReply.parser());
        pool = Ids.uuid(made.getPool());
    }

    @AfterEach
    void stop() {
        mesh.close();
    }

    private int extend(String requestId, int... ranks) {
        PoolTargetsRequest.Builder r = PoolTargetsRequest.newBuilder()
                .setPool(pool.toString())
                .setOp(PoolTargetsRequest.Op.EXTEND)
                .setRequestId(requestId);
        for (int rank : ranks) r.addRanks(rank);
        return mesh.admin(mesh.addresses(), RpcMethod.POOL_TARGETS, r.build(), PoolTargetsReply.parser())
                .getMapVersion();
    }

    private PoolQueryReply query() {
        PoolRef ref = PoolRef.newBuilder().setPool(pool.toString()).build();
        return mesh.admin(mesh.addresses(), RpcMethod.POOL_QUERY, ref, PoolQueryReply.parser());
    }

    private Set<Integer> ranksInTheSystem() {
        PoolRef ref = PoolRef.newBuilder().setPool("tank").build();
        return new TreeSet<>(mesh.admin(RpcMethod.POOL_FIND, ref, PoolFindReply.parser())
                .getEntry()
                .getRanksList());
    }

    private void destroy() {
        mesh.admin(
                RpcMethod.POOL_DESTROY,
                PoolDestroyRequest.newBuilder()
                        .setPool(pool.toString())
                        .setRequestId("d1")
                        .build(),
                Empty.parser());
    }

    private List<Integer> serviceRanks() {
        PoolRef ref = PoolRef.newBuilder().setPool("tank").build();
        return mesh.admin(RpcMethod.POOL_FIND, ref, PoolFindReply.parser())
                .getEntry()
                .getServiceRanksList();
    }

    /** Two ranks have room for one replica, since two replicas would survive no more than one. */
    @Test
    void shouldGetTheReplicasOfItsServiceThatItHadNoRanksFor() {
        assertEquals(1, serviceRanks().size());

        extend("x1", spare.get(0).rank());

        // a rank that is being filled gets none
        mesh.poolLeader(pool)
                .management
                .pools()
                .service("tank")
                .propose(LogCommand.newBuilder().setRebuildDone(2))
                .block(TestMesh.LONG);
        TestMesh.await("three replicas", () -> serviceRanks().size() == 3);
        assertTrue(mesh.nodes.stream().anyMatch(n -> n.events.contains(RasId.POOL_REPLICAS_UPDATED)));
        // two of three go on without the last one
        mesh.nodes.stream()
                .filter(n -> n.rank() == serviceRanks().get(2))
                .findFirst()
                .orElseThrow()
                .kill();
        assertEquals(4, extend("x2", spare.get(1).rank()));
    }

    @Test
    void shouldCountInWhoHasMadeItsSpaceAndDestroyItThereToo() {
        int rank = spare.get(0).rank();

        int version = extend("x1", rank);

        assertEquals(2, version);
        assertEquals(2, extend("x1", rank), "a resend gets the first outcome");
        assertTrue(spare.get(0).storage.pools.contains(pool));
        PoolQueryReply q = query();
        PoolMap map = PoolMap.fromWire(q.getMap());
        assertEquals(6, map.targets().size());
        assertTrue(map.ofRank(rank).stream().allMatch(PoolTarget::isBeingAdded));
        assertEquals(600, q.getTiers(0).getTotal());
        FaultException again = assertThrows(FaultException.class, () -> extend("x2", rank));
        assertEquals(FaultCode.ALREADY, again.code());
        PoolMap filled = mesh.poolLeader(pool)
                .management
                .poolServices()
                .completeRebuild(pool, version)
                .block(TestMesh.LONG);
        assertEquals(TargetState.UPIN, filled.ofRank(rank).get(0).state());
        TestMesh.await("the system knows", () -> ranksInTheSystem().equals(filled.ranks()));
        destroy();
        assertFalse(spare.get(0).storage.pools.contains(pool));
    }

    @Test
    void shouldLeaveNothingWhenOneOfTheRanksHasNoRoom() {
        spare.get(1).fullDisk = true;

        FaultException full = assertThrows(
                FaultException.class,
                () -> extend("x1", spare.get(0).rank(), spare.get(1).rank()));

        assertEquals(FaultCode.NOSPACE, full.code());
        assertTrue(full.fault().text().startsWith("rank " + spare.get(1).rank()), full.getMessage());
        assertEquals(1, query().getMap().getVersion());
        assertTrue(spare.stream().noneMatch(n -> n.storage.pools.contains(pool)));
        spare.get(1).fullDisk = false;
        assertEquals(2, extend("x1", spare.get(0).rank(), spare.get(1).rank()), "a refusal is not kept");
    }

    @Test
    void shouldTakeWhatALeaderThatDiedHasLeftOnARank() {
        TestMesh.Node half = spare.get(0);
        half.storage.pools.add(pool);

        assertEquals(2, extend("x1", half.rank()));
        assertEquals(Set.of(half.rank()), added());
    }

    private Set<Integer> added() {
        Set<Integer> ranks = new TreeSet<>();
        for (PoolTarget t : PoolMap.fromWire(query().getMap()).targets()) if (t.isBeingAdded()) ranks.add(t.rank());
        return ranks;
    }

    @Test
    void shouldChangeNothingForRanksThatCannotBeTaken() {
        long commands = commands();
        assertRefused(FaultCode.INVAL);
        assertRefused(FaultCode.INVAL, spare.get(0).rank(), spare.get(0).rank());
        assertRefused(FaultCode.NONEXIST, 77);
        assertRefused(FaultCode.NONEXIST, -1);
        assertRefused(FaultCode.ALREADY, mesh.nodes.get(0).rank(), spare.get(0).rank());
        assertEquals(commands, commands(), "nothing of it gets into the log");
        assertTrue(spare.stream().noneMatch(n -> n.storage.pools.contains(pool)));
        assertEquals(1, query().getMap().getVersion());
    }

    private long commands() {
        return mesh.poolLeader(pool)
                .management
                .pools()
                .service(pool)
                .orElseThrow()
                .commandCount();
    }

    private void assertRefused(FaultCode code, int... ranks) {
        assertEquals(
                code,
                assertThrows(FaultException.class, () -> extend("", ranks)).code());
    }
}
