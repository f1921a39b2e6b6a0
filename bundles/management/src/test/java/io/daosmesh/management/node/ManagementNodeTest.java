package io.daosmesh.management.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.management.pool.PoolDb;
import io.daosmesh.management.pool.service.PoolService;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.ContainerCreateRequest;
import io.daosmesh.model.wire.ContainerListReply;
import io.daosmesh.model.wire.ContainerMessage;
import io.daosmesh.model.wire.ContainerRef;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.LeaderQueryReply;
import io.daosmesh.model.wire.OidRangeReply;
import io.daosmesh.model.wire.OidRangeRequest;
import io.daosmesh.model.wire.PoolCreateReply;
import io.daosmesh.model.wire.PoolCreateRequest;
import io.daosmesh.model.wire.PoolDestroyRequest;
import io.daosmesh.model.wire.PoolListReply;
import io.daosmesh.model.wire.PoolQueryReply;
import io.daosmesh.model.wire.PoolRef;
import io.daosmesh.model.wire.PoolTargetsReply;
import io.daosmesh.model.wire.PoolTargetsRequest;
import io.daosmesh.model.wire.SystemQueryReply;
import io.daosmesh.model.wire.SystemQueryRequest;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(180)
class ManagementNodeTest {
    @TempDir
    Path dir;

    private TestMesh mesh;

    @BeforeEach
    void start() {
        mesh = new TestMesh(dir, 3, 3);
        mesh.startAll();
    }

    @AfterEach
    void stop() {
        mesh.close();
    }

    private UUID createPool(String label, String requestId) {
        PoolCreateReply r = mesh.admin(
                RpcMethod.POOL_CREATE,
                PoolCreateRequest.newBuilder()
                        .setLabel(label)
                        .setRequestId(requestId)
                        .setScmBytesTotal(60L << 20)
                        .setNvmeBytesTotal(600L << 20)
                        .build(),
                PoolCreateReply.parser());
        assertEquals(3, r.getServiceRanksCount());
        return Ids.uuid(r.getPool());
    }

    private static PoolRef ref(String pool) {
        return PoolRef.newBuilder().setPool(pool).build();
    }

    private PoolQueryReply query(UUID pool) {
        return mesh.admin(mesh.addresses(), RpcMethod.POOL_QUERY, ref(pool.toString()), PoolQueryReply.parser());
    }

    private int createContainer(UUID pool, String label, String requestId) {
        return mesh.admin(
                        mesh.addresses(),
                        RpcMethod.CONTAINER_CREATE,
                        ContainerCreateRequest.newBuilder()
                                .setPool(pool.toString())
                                .setRequestId(requestId)
                                .setContainer(ContainerMessage.newBuilder().setLabel(label))
                                .build(),
                        ContainerMessage.parser())
                .getSerializedSize();
    }

    private List<ContainerMessage> containers(UUID pool) {
        return mesh.admin(mesh.addresses(), RpcMethod.CONTAINER_LIST, ref(pool.toString()), ContainerListReply.parser())
                .getContainersList();
    }

    private static PoolMap map(TestMesh.Node n, UUID pool) {
        return n.management.maps().poolMap(pool).orElseThrow();
    }

    @Test
    void shouldGiveEachEngineARankWhenNodesStart() {
        Set<Integer> ranks = mesh.nodes.stream().map(TestMesh.Node::rank).collect(Collectors.toSet());

        assertEquals(Set.of(0, 1, 2), ranks);
        LeaderQueryReply leader =
                mesh.admin(RpcMethod.LEADER_QUERY, Empty.getDefaultInstance(), LeaderQueryReply.parser());
        assertEquals(3, leader.getReplicasCount());
        assertEquals(mesh.systemLeader().address, leader.getLeader());
    }

    @Test
    void shouldPassQuestionsOfToolsOnToTheLeaderAndThoseOfServersBack() {
        TestMesh.Node leader = mesh.systemLeader();
        TestMesh.Node other =
                mesh.nodes.stream().filter(n -> n != leader).findFirst().orElseThrow();

        SystemQueryReply told = members(Role.ADMIN, other.address);
        FaultException refused = assertThrows(FaultException.class, () -> members(Role.SERVER, other.address));

        assertEquals(3, told.getGroupMap().getMembersCount());
        assertEquals(FaultCode.NOTLEADER, refused.code());
        assertEquals(Optional.of(leader.address), refused.fault().argument("leader"));
    }

    private SystemQueryReply members(Role as, String at) {
        return mesh.net
                .rpc(as == Role.SERVER ? at : "", as)
                .call(
                        Endpoint.node(at),
                        RpcMethod.SYSTEM_QUERY,
                        RpcMessage.of(SystemQueryRequest.getDefaultInstance()),
                        TestMesh.LONG,
                        reply -> SystemQueryReply.parseFrom(reply.body()))
                .block(TestMesh.LONG);
    }

    @Test
    void shouldCreateQueryListAndDestroyPool() {
        UUID pool = createPool("tank", "r1");

        PoolQueryReply q = query(pool);
        assertEquals(6, q.getMap().getTargetsCount());
        assertEquals(600, q.getTiers(0).getTotal());
        assertEquals(240, q.getTiers(0).getFree());
        assertEquals(pool, createPool("tank", "r1"), "a resend gets the first outcome");
        FaultException twice = assertThrows(FaultException.class, () -> createPool("tank", "r2"));
        assertEquals(FaultCode.EXIST, twice.code());
        assertTrue(mesh.nodes.stream().allMatch(n -> n.storage.pools.contains(pool)));

        createContainer(pool, "c1", "k1");
        FaultException full = assertThrows(FaultException.class, () -> destroy(pool, "d1", false));
        assertEquals("618", full.fault().argument("fault").orElse(""));
        destroy(pool, "d2", true);
        destroy(pool, "d2", true);

        assertEquals(
                0,
                mesh.admin(RpcMethod.POOL_LIST, Empty.getDefaultInstance(), PoolListReply.parser())
                        .getPoolsCount());
        assertTrue(mesh.nodes.stream().noneMatch(n -> n.storage.pools.contains(pool)));
        FaultException gone = assertThrows(FaultException.class, () -> destroy(pool, "d3", true));
        assertEquals(FaultCode.NONEXIST, gone.code());
    }

    private void destroy(UUID pool, String requestId, boolean recursive) {
        mesh.admin(
                RpcMethod.POOL_DESTROY,
                PoolDestroyRequest.newBuilder()
                        .setPool(pool.toString())
                        .setRequestId(requestId)
                        .setRecursive(recursive)
                        .build(),
                Empty.parser());
    }

    @Test
    void shouldUndoEverythingWhenOneRankRefusesThePool() {
        mesh.nodes.get(2).fullDisk = true;

        FaultException e = assertThrows(FaultException.class, () -> createPool("tank", "r1"));

        assertEquals(FaultCode.NOSPACE, e.code());
        assertTrue(e.fault().text().startsWith("rank " + mesh.nodes.get(2).rank()));
        assertTrue(mesh.nodes.stream().allMatch(n -> n.storage.pools.isEmpty()));
        assertTrue(mesh.nodes.stream()
                .allMatch(n -> n.management.pools().services().isEmpty()));
        mesh.nodes.get(2).fullDisk = false;
        assertThrows(FaultException.class, () -> createPool("tank", "r1"), "the outcome of r1 stays");
        createPool("tank", "r2");
    }

    @Test
    void shouldExcludeDeadRankAndTakeItBackWhenItReturns() {
        UUID pool = createPool("tank", "r1");
        TestMesh.Node dead = mesh.nodes.get(2);
        TestMesh.Node other = mesh.nodes.get(0);
        Member life = other.management.maps().groupMap().member(dead.rank()).orElseThrow();
        dead.kill();

        other.management.deaths().onDead(dead.rank(), life.incarnation(), "silent");
        mesh.nodes.get(1).management.deaths().onDead(dead.rank(), life.incarnation(), "silent");

        TestMesh.await("excluded", () -> mesh.stateOf(other, dead.rank()) == MemberState.EXCLUDED);
        TestMesh.await("targets down", () -> map(other, pool).disabledRanks().contains(dead.rank()));
        PoolMap down = map(other, pool);
        assertEquals(2, down.version());
        assertTrue(down.needsRebuild());
        FaultException early = assertThrows(FaultException.class, () -> reintegrate(pool, dead.rank(), "i0"));
        assertTrue(early.fault().text().contains("cannot be reintegrated: it is Excluded"), early.getMessage());
        PoolMap out = mesh.poolLeader(pool)
                .management
                .poolServices()
                .completeRebuild(pool, 2)
                .block(TestMesh.LONG);
        assertEquals(TargetState.DOWNOUT, out.ofRank(dead.rank()).get(0).state());

        dead.start();
        TestMesh.await("joined again", () -> mesh.stateOf(other, dead.rank()) == MemberState.JOINED);
        TestMesh.await(
                "back by itself",
                () -> map(other, pool).ofRank(dead.rank()).get(0).state() == TargetState.UP);
        assertEquals(4, reintegrate(pool, dead.rank(), "i1"), "who asks for it is told that it is so");
        assertEquals(4, reintegrate(pool, dead.rank(), "i1"), "a resend changes nothing");
        TestMesh.await(
                "map on the returned node",
                () -> dead.management
                        .maps()
                        .poolMap(pool)
                        .filter(m -> m.version() == 4)
                        .isPresent());
        assertEquals(TargetState.UP, map(dead, pool).ofRank(dead.rank()).get(0).state());
    }

    private int reintegrate(UUID pool, int rank, String requestId) {
        return mesh.admin(
                        mesh.addresses(),
                        RpcMethod.POOL_TARGETS,
                        PoolTargetsRequest.newBuilder()
                                .setPool(pool.toString())
                                .setOpValue(1)
                                .addRanks(rank)
                                .setRequestId(requestId)
                                .build(),
                        PoolTargetsReply.parser())
                .getMapVersion();
    }

    @Test
    @Tag("slow")
    void shouldApplyEachCommandOnceWhenLeadersDieDuringAStream() {
        UUID pool = createPool("tank", "r1");
        createContainer(pool, "ids", "ids");
        Set<Long> firsts = new HashSet<>();
        for (int i = 0; i < 60; i++) {
            if (i == 20) {
                TestMesh.Node leader = mesh.poolLeader(pool);
                leader.kill();
                leader.start();
            }
            if (i == 40) {
                TestMesh.Node leader = mesh.systemLeader();
                leader.kill();
                leader.start();
            }
            createContainer(pool, "c" + i, "req" + i);
            // As a tool does that did not hear the answer.
            createContainer(pool, "c" + i, "req" + i);
            long first = mesh.admin(
                            mesh.addresses(),
                            RpcMethod.OID_RANGE,
                            OidRangeRequest.newBuilder()
                                    .setPool("tank")
                                    .setContainer("ids")
                                    .setCount(10)
                                    .build(),
                            OidRangeReply.parser())
                    .getFirst();
            assertTrue(firsts.add(first), "range handed out twice");
        }

        List<String> labels =
                containers(pool).stream().map(ContainerMessage::getLabel).toList();
        assertEquals(61, labels.size());
        assertEquals(61, new TreeSet<>(labels).size());
    }

    @Test
    @Tag("slow")
    void shouldKnowEverythingAgainWhenAllNodesRestart() {
        UUID pool = createPool("tank", "r1");
        createContainer(pool, "c1", "k1");
        List<Integer> ranks = mesh.nodes.stream().map(TestMesh.Node::rank).toList();
        mesh.nodes.forEach(TestMesh.Node::kill);

        mesh.startAll();

        assertEquals(ranks, mesh.nodes.stream().map(TestMesh.Node::rank).toList());
        assertEquals("c1", containers(pool).get(0).getLabel());
        assertEquals(1, query(pool).getMap().getVersion());
        assertEquals(
                1,
                mesh.admin(RpcMethod.POOL_LIST, Empty.getDefaultInstance(), PoolListReply.parser())
                        .getPoolsCount());
        TestMesh.await(
                "maps everywhere",
                () -> mesh.nodes.stream()
                        .allMatch(n -> n.management.maps().poolMap(pool).isPresent()));
    }

    @Test
    @Tag("slow")
    void shouldMakePoolAllTheSameWhenTheLeaderDiesInTheMiddle() {
        TestMesh.Node leader = mesh.systemLeader();
        TestMesh.Node slow =
                mesh.nodes.stream().filter(n -> n != leader).findFirst().orElseThrow();
        mesh.net.freeze(slow.address);
        PoolCreateRequest request = PoolCreateRequest.newBuilder()
                .setLabel("tank")
                .setRequestId("r1")
                .setScmBytesTotal(60L << 20)
                .build();
        var running = java.util.concurrent.CompletableFuture.supplyAsync(
                () -> mesh.admin(RpcMethod.POOL_CREATE, request, PoolCreateReply.parser()));
        TestMesh.await("half made", () -> leader.storage.pools.size() == 1);
        leader.kill();
        mesh.net.thaw(slow.address);
        leader.start();

        UUID pool = Ids.uuid(running.join().getPool());

        TestMesh.await(
                "one pool everywhere", () -> mesh.nodes.stream().allMatch(n -> n.storage.pools.equals(Set.of(pool))));
        assertEquals(6, query(pool).getMap().getTargetsCount());
    }

    @Test
    void shouldDropDestroyedContainerWhenEveryTargetHasDroppedIt() {
        UUID pool = createPool("tank", "r1");
        createContainer(pool, "c1", "k1");
        ContainerRef c1 = ContainerRef.newBuilder()
                .setPool("tank")
                .setContainer("c1")
                .setRequestId("k2")
                .build();

        mesh.admin(mesh.addresses(), RpcMethod.CONTAINER_DESTROY, c1, Empty.parser());
        mesh.admin(mesh.addresses(), RpcMethod.CONTAINER_DESTROY, c1, Empty.parser());

        assertTrue(containers(pool).isEmpty());
        PoolService service = mesh.poolLeader(pool).management.pools().service("tank");
        TestMesh.await(
                "no leftovers",
                () -> service.replica().read(db -> db.doomedContainers()).isEmpty());
    }

    @Test
    @Tag("slow")
    void shouldDropContainerOnExcludedRankWhenItReturns() {
        UUID pool = createPool("tank", "r1");
        createContainer(pool, "c1", "k1");
        UUID c1 = Ids.uuid(containers(pool).get(0).getUuid());
        TestMesh.Node away = mesh.nodes.get(2);
        TestMesh.Node other = mesh.nodes.get(0);
        Member life = other.management.maps().groupMap().member(away.rank()).orElseThrow();
        away.kill();
        other.management.deaths().onDead(away.rank(), life.incarnation(), "silent");
        TestMesh.await("targets down", () -> map(other, pool).disabledRanks().contains(away.rank()));
        ContainerRef ref =
                ContainerRef.newBuilder().setPool("tank").setContainer("c1").build();
        mesh.admin(mesh.addresses(), RpcMethod.CONTAINER_DESTROY, ref, Empty.parser());
        TestMesh.await(
                "dropped where it can be",
                () -> mesh.nodes.stream().filter(n -> n != away).allMatch(n -> n.dropped.contains(c1)));
        PoolService before = mesh.poolLeader(pool).management.pools().service("tank");
        TestMesh.await(
                "one rank is waited for",
                () -> Set.of(away.rank())
                        .equals(before.replica().read(PoolDb::heldContainers).get(c1)));
        FaultException again = assertThrows(FaultException.class, () -> createAs(pool, c1, "c2"));
        assertEquals(
                "container " + c1 + " was destroyed and is still being cleared away",
                again.fault().text());

        away.start();

        TestMesh.await("dropped by the rank that was away", () -> away.dropped.contains(c1));
        PoolService after = mesh.poolLeader(pool).management.pools().service("tank");
        TestMesh.await(
                "no leftovers",
                () -> after.replica().read(db -> db.doomedContainers()).isEmpty());
        createAs(pool, c1, "c2");
    }

    private void createAs(UUID pool, UUID container, String label) {
        mesh.admin(
                mesh.addresses(),
                RpcMethod.CONTAINER_CREATE,
                ContainerCreateRequest.newBuilder()
                        .setPool(pool.toString())
                        .setContainer(ContainerMessage.newBuilder()
                                .setUuid(Ids.bytes(container))
                                .setLabel(label))
                        .build(),
                ContainerMessage.parser());
    }

    @Test
    @Tag("slow")
    void shouldClearLeftoversWhenPoolWasDestroyedDuringANodesAbsence() {
        UUID pool = createPool("tank", "r1");
        TestMesh.Node away =
                mesh.nodes.stream().filter(n -> !n.leadsSystem()).findFirst().orElseThrow();
        away.kill();
        destroy(pool, "d1", true);
        assertTrue(away.storage.pools.contains(pool));

        away.start();

        TestMesh.await(
                "cleared",
                () -> away.storage.pools.isEmpty()
                        && away.management.pools().services().isEmpty());
    }
}
