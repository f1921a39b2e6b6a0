package io.daosmesh.management.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.port.StorageAdmin;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.EraseNodeRequest;
import io.daosmesh.model.wire.RankResultMessage;
import io.daosmesh.model.wire.SystemActionReply;
import io.daosmesh.model.wire.SystemActionRequest;
import io.daosmesh.model.wire.SystemEraseReply;
import io.daosmesh.model.wire.SystemEraseRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** An erased system is gone on every node, whatever dies on the way, and a new one can be made. */
@Timeout(120)
@Tag("slow")
class EraseTest {
    @TempDir
    Path dir;

    private TestMesh mesh;

    @BeforeEach
    void start() {
        mesh = new TestMesh(dir, 4, 3);
        mesh.startAll();
        mesh.createTank();
    }

    @AfterEach
    void stop() {
        mesh.close();
    }

    private void act(SystemActionRequest.Action action) {
        SystemActionRequest r =
                SystemActionRequest.newBuilder().setAction(action).setAll(true).build();
        SystemActionReply reply = mesh.admin(RpcMethod.SYSTEM_ACTION, r, SystemActionReply.parser());
        assertTrue(reply.getResultsList().stream().noneMatch(RankResultMessage::getErrored), reply.toString());
    }

    private SystemEraseReply erase() {
        return mesh.admin(RpcMethod.SYSTEM_ERASE, SystemEraseRequest.getDefaultInstance(), SystemEraseReply.parser());
    }

    /** Asked of one node alone. */
    private SystemEraseReply eraseAt(TestMesh.Node n) {
        SystemEraseReply reply = mesh.net
                .rpc("", Role.ADMIN)
                .call(
                        Endpoint.node(n.address),
                        RpcMethod.SYSTEM_ERASE,
                        RpcMessage.of(SystemEraseRequest.getDefaultInstance()),
                        TestMesh.LONG,
                        r -> SystemEraseReply.parseFrom(r.body()))
                .block(TestMesh.LONG);
        if (reply == null) throw new AssertionError("no reply");
        return reply;
    }

    private Path raft(TestMesh.Node n) {
        return dir.resolve("node" + (mesh.nodes.indexOf(n) + 1)).resolve("raft");
    }

    private Path mark(TestMesh.Node n) {
        return raft(n).resolveSibling("erase");
    }

    private boolean isErased(TestMesh.Node n) {
        return n.storage.state == StorageAdmin.State.AWAIT_FORMAT && !Files.exists(raft(n)) && !Files.exists(mark(n));
    }

    private void awaitErased() {
        for (TestMesh.Node n : mesh.nodes) TestMesh.await("erased " + n.address, () -> isErased(n));
    }

    private void makeAnew() {
        for (TestMesh.Node n : mesh.nodes)
            n.storage.format("daos_server", false).block();
        for (TestMesh.Node n : mesh.nodes) TestMesh.await("joined", () -> TestMesh.joined(n) == mesh.nodes.size());
        Set<Integer> ranks = mesh.nodes.stream().map(TestMesh.Node::rank).collect(Collectors.toSet());
        assertEquals(Set.of(0, 1, 2, 3), ranks);
        List<?> pools = mesh.systemLeader().management.system().replica().read(db -> db.pools());
        assertEquals(List.of(), pools);
    }

    @Test
    void shouldRefuseWhileRanksServeAndLoseNothing() {
        FaultException refused = assertThrows(FaultException.class, this::erase);

        assertEquals(FaultCode.OP_CANCELED, refused.code());
        assertTrue(refused.fault().message().contains("are not stopped"), refused.getMessage());
        assertTrue(mesh.nodes.stream().noneMatch(n -> Files.exists(mark(n))));
    }

    @Test
    void shouldLeaveNothingAndLetANewSystemBeMade() {
        act(SystemActionRequest.Action.STOP);

        SystemEraseReply reply = erase();

        assertEquals(4, reply.getNodesCount());
        assertEquals(0, reply.getAbsentNodesCount());
        awaitErased();
        makeAnew();
    }

    @Test
    void shouldCallItOffWhenANodeDoesNotAnswer() {
        act(SystemActionRequest.Action.STOP);
        TestMesh.Node lost = mesh.nodes.get(3);
        lost.kill();

        FaultException refused = assertThrows(FaultException.class, this::erase);

        assertTrue(refused.fault().message().contains(lost.address), refused.getMessage());
        for (TestMesh.Node n : mesh.nodes.subList(0, 3))
            TestMesh.await("called off " + n.address, () -> !n.management.isErasing() && !Files.exists(mark(n)));
        assertTrue(
                mesh.nodes.subList(0, 3).stream().noneMatch(n -> mesh.stateOf(n, n.rank()) == MemberState.JOINED),
                "they stay stopped");
        lost.start();
        TestMesh.await("leads", () -> mesh.nodes.stream().anyMatch(TestMesh.Node::leadsSystem));
        act(SystemActionRequest.Action.START);
        TestMesh.await(
                "all serve",
                () -> mesh.nodes.stream()
                        .allMatch(n -> mesh.stateOf(mesh.nodes.get(0), n.rank()) == MemberState.JOINED));
        int pools = mesh.systemLeader()
                .management
                .system()
                .replica()
                .read(db -> db.pools().size());
        assertEquals(1, pools);
    }

    /** All are prepared, one is wiped already, and then everything stops: nobody leads any more. */
    @Test
    void shouldBeFinishedByAnyReplicaAfterACrashInTheMiddle() {
        act(SystemActionRequest.Action.STOP);
        EraseNodeRequest plan = mesh.systemLeader()
                .management
                .system()
                .replica()
                .read(db -> io.daosmesh.management.system.ErasePlan.of(
                        db.groupMap(), mesh.addresses().subList(0, 3), new java.util.UUID(5, 6)));
        for (TestMesh.Node n : mesh.nodes) tell(n, plan, EraseNodeRequest.Phase.PREPARE);
        TestMesh.Node wiped = mesh.nodes.get(0);
        tell(wiped, plan, EraseNodeRequest.Phase.COMMIT);
        TestMesh.await("erased", () -> isErased(wiped));
        for (TestMesh.Node n : mesh.nodes.subList(1, 4)) {
            n.management.close();
            n.start();
        }
        assertFalse(Files.exists(raft(wiped)));
        assertTrue(mesh.nodes.subList(1, 4).stream().allMatch(n -> n.management.isErasing()));

        eraseAt(mesh.nodes.get(2));

        awaitErased();
        makeAnew();
    }

    /** Committed, and killed before it was wiped. */
    @Test
    void shouldWipeAtTheNextStartWhatWasCommitted() {
        act(SystemActionRequest.Action.STOP);
        TestMesh.Node slow = mesh.nodes.get(1);
        slow.management.onRestart(() -> {});

        erase();

        TestMesh.await("others", () -> mesh.nodes.stream().allMatch(n -> n == slow || isErased(n)));
        assertFalse(isErased(slow));
        slow.management.close();
        slow.start();
        awaitErased();
        makeAnew();
    }

    @Test
    void shouldTakeTheWordOfReplicasOnly() {
        act(SystemActionRequest.Action.STOP);
        TestMesh.Node other = mesh.nodes.get(3);

        FaultException refused = assertThrows(
                FaultException.class,
                () -> mesh.net
                        .rpc(other.address, Role.SERVER)
                        .call(
                                Endpoint.node(mesh.nodes.get(0).address),
                                RpcMethod.ERASE_NODE,
                                RpcMessage.of(EraseRequests.ALL.get(RpcMethod.ERASE_NODE)),
                                TestMesh.LONG,
                                r -> 1)
                        .block(TestMesh.LONG));

        assertEquals(FaultCode.NO_PERM, refused.code());
    }

    private void tell(TestMesh.Node n, EraseNodeRequest plan, EraseNodeRequest.Phase phase) {
        mesh.net
                .rpc(mesh.nodes.get(0).address, Role.SERVER)
                .call(
                        Endpoint.node(n.address),
                        RpcMethod.ERASE_NODE,
                        RpcMessage.of(plan.toBuilder().setPhase(phase).build()),
                        TestMesh.LONG,
                        r -> 1)
                .block(TestMesh.LONG);
    }
}
