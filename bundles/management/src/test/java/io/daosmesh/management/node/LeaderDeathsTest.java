package io.daosmesh.management.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.management.loop.Timing;
import io.daosmesh.management.pool.PoolDb;
import io.daosmesh.management.pool.service.PoolService;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.ras.RasId;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.ContainerCreateRequest;
import io.daosmesh.model.wire.ContainerListReply;
import io.daosmesh.model.wire.ContainerMessage;
import io.daosmesh.model.wire.LogCommand;
import io.daosmesh.model.wire.PoolCreateReply;
import io.daosmesh.model.wire.PoolCreateRequest;
import io.daosmesh.model.wire.PoolMapRequest;
import io.daosmesh.model.wire.PoolRef;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import reactor.core.publisher.Mono;

/** Reports of dead nodes, true and false, about the leaders of Raft groups. */
@Timeout(180)
@Tag("slow")
class LeaderDeathsTest {
    /** What happens within this was not started by an election timeout. */
    private static final Duration SOON = Duration.ofSeconds(8);

    @TempDir
    Path dir;

    private TestMesh mesh;

    @AfterEach
    void stop() {
        mesh.close();
    }

    private void start(Timing timing) {
        mesh = new TestMesh(dir, 3, 3, timing);
        mesh.startAll();
    }

    private UUID createPool() {
        return createPool(mesh.nodes);
    }

    private UUID createPool(List<TestMesh.Node> on) {
        return Ids.uuid(mesh.admin(
                        RpcMethod.POOL_CREATE,
                        PoolCreateRequest.newBuilder()
                                .setLabel("tank")
                                .setRequestId("r1")
                                .addAllRanks(on.stream()
                                        .map(TestMesh.Node::rank)
                                        .sorted()
                                        .toList())
                                .setScmBytesTotal(60L << 20)
                                .build(),
                        PoolCreateReply.parser())
                .getPool());
    }

    private List<TestMesh.Node> without(TestMesh.Node one) {
        return mesh.nodes.stream()
                .filter(n -> n != one)
                .sorted(Comparator.comparing(n -> n.address))
                .toList();
    }

    private void tell(List<TestMesh.Node> nodes, TestMesh.Node dead) {
        for (TestMesh.Node n : nodes) {
            Member m = n.management.maps().groupMap().member(dead.rank()).orElseThrow();
            n.management.deaths().onDead(dead.rank(), m.incarnation(), "connection refused");
        }
    }

    private PoolService service(TestMesh.Node n, UUID pool) {
        return n.management.pools().service(pool).orElseThrow();
    }

    /** Who lags behind is refused, and then only the timeout helps. */
    private void awaitLog(TestMesh.Node n, UUID pool) {
        TestMesh.await(
                "its log holds the pool", () -> service(n, pool).replica().read(PoolDb::isMade));
    }

    @Test
    void shouldLeadTheSystemAtOnceWhenTheLeadersNodeIsDead() {
        start(TestMesh.PATIENT);
        TestMesh.Node dead = mesh.systemLeader();
        TestMesh.Node first = without(dead).get(0);
        long term = dead.management.system().term();
        TestMesh.await(
                "its leader is known",
                () -> without(dead).stream().allMatch(n -> n.management.system().term() == term));
        dead.kill();

        tell(without(dead), dead);

        TestMesh.await(SOON, "the first survivor leads", first::leadsSystem);
        assertEquals(term + 1, first.management.system().term(), "nobody else has asked");
        TestMesh.await(SOON, "excluded", () -> mesh.stateOf(first, dead.rank()) == MemberState.EXCLUDED);
    }

    @Test
    void shouldLeadAPoolAtOnceWhenTheLeadersNodeIsDead() {
        start(TestMesh.PATIENT);
        UUID pool = createPool();
        TestMesh.Node dead = mesh.poolLeader(pool);
        TestMesh.Node first = without(dead).get(0);
        long term = service(dead, pool).term();
        awaitLog(first, pool);
        dead.kill();

        tell(without(dead), dead);

        TestMesh.await(SOON, "the first survivor leads", () -> first.leads(pool));
        assertEquals(term + 1, service(first, pool).term(), "nobody else has asked");
    }

    /** Whoever waits for the rank of a frozen leader can tell only those who follow it. */
    @Test
    void shouldLeadAPoolInsteadOfALeaderThatAnswersNobodyAndGoOnWithoutItsRank() {
        start(TestMesh.PATIENT);
        UUID pool = createPool();
        TestMesh.Node frozen = mesh.poolLeader(pool);
        TestMesh.Node told = without(frozen).get(1);
        awaitLog(told, pool);
        long term = service(frozen, pool).term();
        waitInVain(told, pool, frozen);
        mesh.net.freeze(frozen.address);

        TestMesh.await(SOON, "who was told leads", () -> {
            waitInVain(told, pool, frozen);
            return told.leads(pool);
        });

        assertEquals(term + 1, service(told, pool).term(), "one election, and none while the leader answered");
        TestMesh.await(SOON, "goes on without it", () -> told.events.contains(RasId.POOL_RANK_SILENT));
    }

    private void waitInVain(TestMesh.Node told, UUID pool, TestMesh.Node forRankOf) {
        PoolMapRequest question = PoolMapRequest.newBuilder()
                .setPool(Ids.bytes(pool))
                .addSilent(forRankOf.rank())
                .build();
        mesh.net
                .rpc("", Role.ADMIN)
                .call(
                        Endpoint.node(told.address),
                        RpcMethod.POOL_MAP,
                        RpcMessage.of(question),
                        TestMesh.LONG,
                        r -> true)
                .onErrorReturn(FaultException.class, false)
                .block(TestMesh.LONG);
    }

    @Test
    void shouldLeadAPoolAtOnceWhenTheMapSaysThatItsLeaderIsExcluded() {
        mesh = new TestMesh(dir, 4, 1, TestMesh.PATIENT);
        mesh.startAll();
        TestMesh.Node system = mesh.nodes.get(0);
        UUID pool = createPool(mesh.nodes.subList(1, 4));
        TestMesh.Node dead = mesh.poolLeader(pool);
        TestMesh.Node first =
                without(dead).stream().filter(n -> n != system).findFirst().orElseThrow();
        awaitLog(first, pool);
        dead.kill();

        tell(List.of(system), dead);

        TestMesh.await(SOON, "the first survivor leads", () -> first.leads(pool));
    }

    @Test
    void shouldLoseNothingAndReadNothingOldWhileALivingLeaderIsTakenForDead() {
        start(TestMesh.USUAL);
        UUID pool = createPool();
        Set<String> acknowledged = new TreeSet<>();
        Set<Long> terms = new TreeSet<>();

        for (int i = 0; i < 12; i++) {
            String label = "c" + i;
            CompletableFuture<ContainerMessage> made = CompletableFuture.supplyAsync(() -> create(pool, label));
            if (i % 3 == 1) {
                TestMesh.Node alive = mesh.poolLeader(pool);
                tell(without(alive), alive);
            }
            acknowledged.add(made.join().getLabel());
            assertEquals(acknowledged, labels(pool));
            terms.add(service(mesh.nodes.get(0), pool).term());
        }

        assertTrue(terms.size() > 1, "elections: " + terms);
        TestMesh.await(
                "one leader",
                () -> mesh.nodes.stream().filter(n -> n.leads(pool)).count() == 1);
        // with each other and not with a state of this moment: exclusions that are still under way change containers
        TestMesh.await(
                "all replicas agree",
                () -> mesh.nodes.stream().map(n -> snapshot(n, pool)).distinct().count() == 1);
        assertEquals(acknowledged, labels(pool));
    }

    private String snapshot(TestMesh.Node n, UUID pool) {
        return service(n, pool).replica().read(PoolDb::containers).toString();
    }

    private ContainerMessage create(UUID pool, String label) {
        ContainerCreateRequest r = ContainerCreateRequest.newBuilder()
                .setPool(pool.toString())
                .setRequestId(label)
                .setContainer(ContainerMessage.newBuilder().setLabel(label))
                .build();
        return mesh.admin(RpcMethod.CONTAINER_CREATE, r, ContainerMessage.parser());
    }

    private Set<String> labels(UUID pool) {
        PoolRef ref = PoolRef.newBuilder().setPool(pool.toString()).build();
        return mesh.admin(RpcMethod.CONTAINER_LIST, ref, ContainerListReply.parser()).getContainersList().stream()
                .map(ContainerMessage::getLabel)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    @Test
    void shouldNotReadTheOldStateAtALeaderThatIsCutOffAndReplacedAtOnce() {
        start(TestMesh.USUAL);
        UUID pool = createPool();
        create(pool, "before");
        TestMesh.Node cut = mesh.poolLeader(pool);
        // So that the leader has had this state confirmed once.
        assertEquals(Set.of("before"), labels(pool));
        mesh.net.freeze(cut.address);

        tell(without(cut), cut);
        TestMesh.Node next = TestMesh.awaitOne("replaced", without(cut), n -> n.leads(pool));
        service(next, pool)
                .propose(LogCommand.newBuilder()
                        .setRequestId("during")
                        .setContainerCreate(ContainerMessage.newBuilder()
                                .setUuid(Ids.bytes(new UUID(1, 1)))
                                .setLabel("during")))
                .block(TestMesh.LONG);
        // Still leads as far as it knows.
        CompletableFuture<Object> read = service(cut, pool)
                .read(db -> (Object) db.containers().size())
                .onErrorResume(e -> Mono.just(FaultException.faultOf(e).code()))
                .toFuture();
        mesh.net.thaw(cut.address);

        Object seen = read.join();
        assertTrue(Set.of(2, FaultCode.NOTLEADER, FaultCode.TIMEDOUT).contains(seen), "containers: " + seen);
    }
}
