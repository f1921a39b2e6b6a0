package io.daosmesh.management.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.daosmesh.model.access.User;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.AclMessage;
import io.daosmesh.model.wire.AclReply;
import io.daosmesh.model.wire.AclRequest;
import io.daosmesh.model.wire.ContainerCloseRequest;
import io.daosmesh.model.wire.ContainerCreateRequest;
import io.daosmesh.model.wire.ContainerListReply;
import io.daosmesh.model.wire.ContainerMessage;
import io.daosmesh.model.wire.ContainerOpenReply;
import io.daosmesh.model.wire.ContainerOpenRequest;
import io.daosmesh.model.wire.ContainerPropertiesRequest;
import io.daosmesh.model.wire.ContainerRef;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.HandleCheckReply;
import io.daosmesh.model.wire.HandleCheckRequest;
import io.daosmesh.model.wire.HandleMessage;
import io.daosmesh.model.wire.HandlesGoneRequest;
import io.daosmesh.model.wire.OidRangeReply;
import io.daosmesh.model.wire.OidRangeRequest;
import io.daosmesh.model.wire.OwnerRequest;
import io.daosmesh.model.wire.PoolConnectReply;
import io.daosmesh.model.wire.PoolConnectRequest;
import io.daosmesh.model.wire.PoolCreateReply;
import io.daosmesh.model.wire.PoolCreateRequest;
import io.daosmesh.model.wire.PoolDestroyRequest;
import io.daosmesh.model.wire.PoolDisconnectRequest;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolEvictReply;
import io.daosmesh.model.wire.PoolEvictRequest;
import io.daosmesh.model.wire.PoolFindReply;
import io.daosmesh.model.wire.PoolListReply;
import io.daosmesh.model.wire.PoolMapMessage;
import io.daosmesh.model.wire.PoolMapRequest;
import io.daosmesh.model.wire.PoolQueryReply;
import io.daosmesh.model.wire.PoolRef;
import io.daosmesh.model.wire.PropertiesReply;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What users, agents, engines and administrators get from a pool's service, over the network of three nodes. */
@Timeout(180)
class AccessHandlersTest {
    private static final User ADA = TestNet.ADA;
    private static final User BOB = new User("bob@", "users@", List.of(), "node1");
    private static final User EVE = new User("eve@", "users@", List.of(), "node1");

    @TempDir
    Path dir;

    private TestMesh mesh;
    private UUID pool;

    @BeforeEach
    void start() {
        mesh = new TestMesh(dir, 3, 3);
        mesh.startAll();
        pool = createPool("tank", "A::OWNER@:rw", "A::bob@:r");
    }

    @AfterEach
    void stop() {
        mesh.close();
    }

    private UUID createPool(String label, String... acl) {
        PoolCreateRequest r = PoolCreateRequest.newBuilder()
                .setLabel(label)
                .setScmBytesTotal(60L << 20)
                .setUser("ada@")
                .setGroup("labs@")
                .setAcl(AclMessage.newBuilder().addAllEntries(List.of(acl)))
                .build();
        return Ids.uuid(
                mesh.admin(RpcMethod.POOL_CREATE, r, PoolCreateReply.parser()).getPool());
    }

    private ByteString connect(User u, int flags) {
        return mesh.client(
                        u,
                        RpcMethod.POOL_CONNECT,
                        PoolConnectRequest.newBuilder()
                                .setPool("tank")
                                .setFlags(flags)
                                .build(),
                        PoolConnectReply.parser())
                .getHandle();
    }

    private ContainerMessage create(User u, ByteString handle, String label) {
        return mesh.client(
                u,
                RpcMethod.CONTAINER_CREATE,
                ContainerCreateRequest.newBuilder()
                        .setPool("tank")
                        .setPoolHandle(handle)
                        .setContainer(ContainerMessage.newBuilder().setLabel(label))
                        .build(),
                ContainerMessage.parser());
    }

    private ByteString open(User u, ByteString handle, String container, int flags) {
        return mesh.client(
                        u,
                        RpcMethod.CONTAINER_OPEN,
                        ContainerOpenRequest.newBuilder()
                                .setPool(Ids.bytes(pool))
                                .setPoolHandle(handle)
                                .setContainer(container)
                                .setFlags(flags)
                                .build(),
                        ContainerOpenReply.parser())
                .getHandle();
    }

    private List<HandleMessage> check(ByteString... handles) {
        TestMesh.Node leader = mesh.poolLeader(pool);
        HandleCheckRequest r = HandleCheckRequest.newBuilder()
                .setPool(Ids.bytes(pool))
                .addAllHandles(List.of(handles))
                .build();
        HandleCheckReply reply = mesh.net
                .rpc(leader.address, Role.SERVER)
                .call(
                        Endpoint.node(leader.address),
                        RpcMethod.HANDLE_CHECK,
                        RpcMessage.of(r),
                        TestMesh.LONG,
                        b -> HandleCheckReply.parseFrom(b.body()))
                .block(TestMesh.LONG);
        return reply == null ? List.of() : reply.getHandlesList();
    }

    private PoolRef ref(ByteString handle) {
        return PoolRef.newBuilder().setPool("tank").setPoolHandle(handle).build();
    }

    private static void refuses(FaultCode code, org.junit.jupiter.api.function.Executable what) {
        assertEquals(code, assertThrows(FaultException.class, what).code());
    }

    @Test
    void shouldLetTheOwnerWorkAndTellEnginesWhatTheHandleIsGoodFor() {
        ByteString handle = connect(ADA, 2);
        ContainerMessage c = create(ADA, handle, "c");
        ByteString open = open(ADA, handle, "c", 2);

        List<HandleMessage> known = check(open, handle, Ids.bytes(UUID.randomUUID()));

        assertEquals("ada@", c.getOwner());
        assertEquals("labs@", c.getGroup());
        assertEquals(
                List.of(HandleMessage.newBuilder()
                        .setHandle(open)
                        .setContainer(c.getUuid())
                        .setRights(3)
                        .setUser("ada@")
                        .setMachine("node1")
                        .build()),
                known);
        OidRangeRequest oids = OidRangeRequest.newBuilder()
                .setPool("tank")
                .setContainer("c")
                .setCount(10)
                .setHandle(open)
                .build();
        assertEquals(
                1,
                mesh.client(ADA, RpcMethod.OID_RANGE, oids, OidRangeReply.parser())
                        .getFirst());
        close(open);
        disconnect(handle);
        refuses(FaultCode.NO_HDL, () -> mesh.client(ADA, RpcMethod.OID_RANGE, oids, OidRangeReply.parser()));
        refuses(FaultCode.NO_HDL, () -> create(ADA, handle, "d"));
        assertEquals(List.of(), check(open));
    }

    private void close(ByteString open) {
        mesh.client(
                ADA,
                RpcMethod.CONTAINER_CLOSE,
                ContainerCloseRequest.newBuilder()
                        .setPool(Ids.bytes(pool))
                        .setHandle(open)
                        .build(),
                Empty.parser());
    }

    private void disconnect(ByteString handle) {
        mesh.client(
                ADA,
                RpcMethod.POOL_DISCONNECT,
                PoolDisconnectRequest.newBuilder()
                        .setPool(Ids.bytes(pool))
                        .setHandle(handle)
                        .build(),
                Empty.parser());
    }

    @Test
    void shouldRefuseClientsWhatNobodyHasAllowed() {
        ByteString adas = connect(ADA, 2);
        create(ADA, adas, "c");
        ByteString bobs = connect(BOB, 1);
        ContainerRef c = ContainerRef.newBuilder()
                .setPool("tank")
                .setContainer("c")
                .setPoolHandle(bobs)
                .build();

        refuses(FaultCode.NO_PERM, () -> connect(EVE, 1));
        refuses(FaultCode.NO_PERM, () -> connect(BOB, 2));
        refuses(FaultCode.NO_PERM, () -> create(BOB, bobs, "d"));
        refuses(FaultCode.NO_HDL, () -> create(BOB, adas, "d"));
        refuses(FaultCode.NO_HDL, () -> create(BOB, ByteString.EMPTY, "d"));
        refuses(FaultCode.NO_PERM, () -> open(BOB, bobs, "c", 1));
        refuses(FaultCode.NO_PERM, () -> mesh.client(BOB, RpcMethod.CONTAINER_QUERY, c, ContainerMessage.parser()));
        refuses(FaultCode.NO_PERM, () -> mesh.client(BOB, RpcMethod.CONTAINER_DESTROY, c, Empty.parser()));
        refuses(FaultCode.NO_PERM, () -> properties(BOB, bobs, false));
        refuses(FaultCode.NO_PERM, () -> properties(BOB, bobs, true));
        refuses(FaultCode.NO_HDL, () -> properties(EVE, bobs, false));
        refuses(
                FaultCode.NO_PERM,
                () -> mesh.client(
                        EVE,
                        RpcMethod.POOL_MAP,
                        PoolMapRequest.newBuilder().setPool(Ids.bytes(pool)).build(),
                        PoolMapMessage.parser()));
        refuses(
                FaultCode.NO_HDL,
                () -> mesh.client(EVE, RpcMethod.CONTAINER_LIST, ref(bobs), ContainerListReply.parser()));
        refuses(
                FaultCode.NO_HDL,
                () -> mesh.client(EVE, RpcMethod.POOL_QUERY, ref(ByteString.EMPTY), PoolQueryReply.parser()));
        assertEquals(
                1,
                mesh.client(BOB, RpcMethod.CONTAINER_LIST, ref(bobs), ContainerListReply.parser())
                        .getContainersCount());
        PoolEntryMessage seen = mesh.client(BOB, RpcMethod.POOL_QUERY, ref(bobs), PoolQueryReply.parser())
                .getEntry();
        assertEquals("", seen.getRequestId());
        assertEquals(false, seen.hasAcl());
    }

    private PropertiesReply properties(User u, ByteString handle, boolean isSet) {
        ContainerPropertiesRequest.Builder r = ContainerPropertiesRequest.newBuilder()
                .setPool("tank")
                .setContainer("c")
                .setPoolHandle(handle);
        if (isSet) r.putSet("status", "healthy");
        return mesh.client(u, RpcMethod.CONTAINER_PROPERTIES, r.build(), PropertiesReply.parser());
    }

    private AclReply containerAcl(User u, ByteString handle, int op, String principal, String... entries) {
        return mesh.client(
                u,
                RpcMethod.CONTAINER_ACL,
                AclRequest.newBuilder()
                        .setPool("tank")
                        .setPoolHandle(handle)
                        .setContainer("c")
                        .setOpValue(op)
                        .setPrincipal(principal)
                        .addAllEntries(List.of(entries))
                        .build(),
                AclReply.parser());
    }

    @Test
    void shouldLetTheOwnerShareAndGiveAwayAContainer() {
        ByteString adas = connect(ADA, 2);
        create(ADA, adas, "c");
        ByteString bobs = connect(BOB, 1);
        refuses(FaultCode.NO_PERM, () -> containerAcl(BOB, bobs, 0, ""));
        refuses(FaultCode.NO_PERM, () -> containerAcl(BOB, bobs, 2, "", "A::bob@:rw"));

        AclReply shared = containerAcl(ADA, adas, 2, "", "A::bob@:rw");

        assertEquals(List.of("A::OWNER@:rwdtTaAo", "A::bob@:rw", "A:G:GROUP@:rwtT"), shared.getEntriesList());
        assertEquals("ada@", shared.getOwner());
        assertEquals(3, check(open(BOB, bobs, "c", 2)).get(0).getRights());
        refuses(FaultCode.INVAL, () -> containerAcl(ADA, adas, 2, "", "A::bob@:c"));
        refuses(FaultCode.INVAL, () -> containerAcl(ADA, adas, 2, "", "nonsense"));
        refuses(FaultCode.INVAL, () -> containerAcl(ADA, adas, 7, "", "A::bob@:r"));
        refuses(FaultCode.NONEXIST, () -> containerAcl(ADA, adas, 3, "u:eve@"));
        refuses(FaultCode.NO_PERM, () -> owner(BOB, bobs, "bob@", "r1"));
        owner(ADA, adas, "bob@", "r2");
        owner(ADA, adas, "bob@", "r2");
        assertEquals("bob@", containerAcl(BOB, bobs, 0, "").getOwner());
        refuses(FaultCode.NO_PERM, () -> containerAcl(ADA, adas, 3, "u:bob@"));
    }

    private void owner(User u, ByteString handle, String user, String requestId) {
        mesh.client(
                u,
                RpcMethod.CONTAINER_OWNER,
                OwnerRequest.newBuilder()
                        .setPool("tank")
                        .setPoolHandle(handle)
                        .setContainer("c")
                        .setUser(user)
                        .setRequestId(requestId)
                        .build(),
                Empty.parser());
    }

    @Test
    void shouldShowAUserOnlyThePoolsThatLetHimIn() {
        createPool("other", "A::OWNER@:rw");

        assertEquals(List.of("tank", "other"), labels(ADA));
        assertEquals(List.of("tank"), labels(BOB));
        assertEquals(List.of(), labels(EVE));
        mesh.admin(
                mesh.addresses(),
                RpcMethod.POOL_ACL,
                AclRequest.newBuilder()
                        .setPool("tank")
                        .setOpValue(2)
                        .addEntries("A::eve@:r")
                        .addEntries("A::bob@:")
                        .build(),
                AclReply.parser());
        TestMesh.await("the list of the system has followed", () -> labels(EVE).equals(List.of("tank")));
        assertEquals(List.of(), labels(BOB));
        PoolEntryMessage found = mesh.client(BOB, RpcMethod.POOL_FIND, ref(ByteString.EMPTY), PoolFindReply.parser())
                .getEntry();
        assertEquals(false, found.hasAcl());
    }

    private List<String> labels(User u) {
        return mesh
                .client(u, RpcMethod.POOL_LIST, Empty.getDefaultInstance(), PoolListReply.parser())
                .getPoolsList()
                .stream()
                .map(PoolEntryMessage::getLabel)
                .toList();
    }

    private PoolEvictReply evict() {
        return mesh.admin(
                mesh.addresses(),
                RpcMethod.POOL_EVICT,
                PoolEvictRequest.newBuilder().setPool("tank").build(),
                PoolEvictReply.parser());
    }

    /** A new leader has every rank ask about each handle, those that ended before it led among them. */
    private static boolean wasTold(TestMesh.Node n, ByteString handle) {
        return n.handlesGone.stream()
                .anyMatch(g -> g.getAll() || g.getHandlesList().contains(handle));
    }

    private void forgetWhatWasTold() {
        mesh.nodes.forEach(n -> n.handlesGone.clear());
    }

    @Test
    void shouldAnswerAnEvictionWhenEveryRankThatIsUpKnows() {
        ByteString handle = connect(ADA, 2);
        create(ADA, handle, "c");
        ByteString open = open(ADA, handle, "c", 2);
        TestMesh.await(
                "each rank has asked again once",
                () -> mesh.nodes.stream().allMatch(n -> n.handlesGone.stream().anyMatch(HandlesGoneRequest::getAll)));

        forgetWhatWasTold();

        PoolEvictReply first = evict();

        assertEquals(1, first.getCount());
        assertEquals(List.of(), first.getUnconfirmedRanksList());
        for (TestMesh.Node n : mesh.nodes) assertTrue(wasTold(n, open), n.address);
        ByteString again = open(ADA, connect(ADA, 2), "c", 2);
        mesh.nodes.get(1).deaf = true;
        PoolEvictReply second = evict();
        assertEquals(List.of(mesh.nodes.get(1).rank()), second.getUnconfirmedRanksList());
        forgetWhatWasTold();
        mesh.nodes.get(1).deaf = false;
        TestMesh.await("the deaf one hears of it later", () -> wasTold(mesh.nodes.get(1), again));
        assertEquals(0, evict().getCount());
    }

    @Test
    void shouldHaveEveryRankAskAgainWhenAnotherLeads() {
        ByteString handle = connect(ADA, 2);
        create(ADA, handle, "c");
        ByteString open = open(ADA, handle, "c", 2);
        TestMesh.Node dead = mesh.poolLeader(pool);
        TestMesh.await(
                "each rank has asked again once",
                () -> mesh.nodes.stream().allMatch(n -> n.handlesGone.stream().anyMatch(HandlesGoneRequest::getAll)));
        mesh.nodes.forEach(n -> n.handlesGone.clear());

        dead.kill();
        mesh.nodes.remove(dead);

        TestMesh.await(
                "each living rank asks again",
                () -> mesh.nodes.stream().allMatch(n -> n.handlesGone.stream().anyMatch(HandlesGoneRequest::getAll)));
        assertEquals(1, check(open).size());
    }

    @Test
    void shouldLetAgentsEndOnlyWhatTheyName() {
        ByteString adas = connect(ADA, 2);
        ByteString bobs = connect(BOB, 1);
        PoolEvictRequest all = PoolEvictRequest.newBuilder().setPool("tank").build();
        PoolEvictRequest machine = all.toBuilder().setMachine("node1").build();
        PoolEvictRequest named = all.toBuilder().addHandles(bobs).build();

        refuses(FaultCode.NO_PERM, () -> mesh.client(ADA, RpcMethod.POOL_EVICT, all, PoolEvictReply.parser()));
        refuses(FaultCode.NO_PERM, () -> mesh.client(ADA, RpcMethod.POOL_EVICT, machine, PoolEvictReply.parser()));
        refuses(FaultCode.NO_PERM, () -> mesh.client(ADA, RpcMethod.POOL_EVICT, named, PoolEvictReply.parser()));
        refuses(FaultCode.NO_PERM, () -> agent(RpcMethod.POOL_EVICT, all));
        agent(RpcMethod.POOL_EVICT, named);
        refuses(
                FaultCode.NO_HDL,
                () -> mesh.client(BOB, RpcMethod.CONTAINER_LIST, ref(bobs), ContainerListReply.parser()));
        mesh.client(ADA, RpcMethod.CONTAINER_LIST, ref(adas), ContainerListReply.parser());
        agent(RpcMethod.POOL_EVICT, machine);
        refuses(
                FaultCode.NO_HDL,
                () -> mesh.client(ADA, RpcMethod.CONTAINER_LIST, ref(adas), ContainerListReply.parser()));
        refuses(
                FaultCode.NO_PERM,
                () -> agent(
                        RpcMethod.POOL_CONNECT,
                        PoolConnectRequest.newBuilder()
                                .setPool("tank")
                                .setFlags(1)
                                .build()));
    }

    /** An agent that stands for itself. */
    private void agent(RpcMethod method, com.google.protobuf.MessageLite body) {
        String leader = mesh.poolLeader(pool).address;
        mesh.net
                .rpc("", Role.AGENT, Optional.empty())
                .call(Endpoint.node(leader), method, RpcMessage.of(body), TestMesh.LONG, r -> true)
                .block(TestMesh.LONG);
    }

    @Test
    void shouldEndHandlesWithTheirPool() {
        connect(ADA, 2);
        mesh.nodes.forEach(n -> n.handlesGone.clear());

        mesh.admin(
                RpcMethod.POOL_DESTROY,
                PoolDestroyRequest.newBuilder()
                        .setPool("tank")
                        .setRecursive(true)
                        .build(),
                Empty.parser());

        for (TestMesh.Node n : mesh.nodes)
            assertTrue(n.handlesGone.stream().anyMatch(HandlesGoneRequest::getAll), n.address);
    }

    @Test
    void shouldRefuseToMakeAPoolWithNamesAndListsThatAreNone() {
        for (PoolCreateRequest.Builder r : List.of(
                PoolCreateRequest.newBuilder().setUser("ada"),
                PoolCreateRequest.newBuilder().setGroup("a b@"),
                PoolCreateRequest.newBuilder().setAcl(AclMessage.newBuilder().addEntries("A::ada@:T")))) {
            PoolCreateRequest wrong =
                    r.setLabel("bad").setScmBytesTotal(60L << 20).build();
            refuses(FaultCode.INVAL, () -> mesh.admin(RpcMethod.POOL_CREATE, wrong, PoolCreateReply.parser()));
        }
    }
}
