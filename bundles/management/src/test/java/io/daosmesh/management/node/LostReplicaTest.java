package io.daosmesh.management.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.AttributesRequest;
import io.daosmesh.model.wire.PropertiesReply;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Replicas of the management service and of pools whose logs are lost while their nodes are down. */
@Timeout(180)
@Tag("slow")
class LostReplicaTest {
    /** Many elections long. */
    private static final Duration ELECTIONS = Duration.ofSeconds(5);

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

    private void set(String value) {
        AttributesRequest set = AttributesRequest.newBuilder()
                .setOp(AttributesRequest.Op.SET)
                .putSet("site", value)
                .setRequestId(value)
                .build();
        mesh.admin(RpcMethod.SYSTEM_ATTRIBUTES, set, PropertiesReply.parser());
    }

    private String get() {
        return mesh.admin(RpcMethod.SYSTEM_ATTRIBUTES, AttributesRequest.getDefaultInstance(), PropertiesReply.parser())
                .getValuesOrDefault("site", "");
    }

    private TestMesh.Node other(TestMesh.Node... than) {
        List<TestMesh.Node> not = List.of(than);
        return mesh.nodes.stream().filter(n -> !not.contains(n)).findFirst().orElseThrow();
    }

    private Path folder(TestMesh.Node n, String what) {
        return dir.resolve("node" + (mesh.nodes.indexOf(n) + 1)).resolve(what);
    }

    private static void wipe(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path f : files.sorted(Comparator.reverseOrder()).toList()) Files.delete(f);
        }
    }

    private static void assertNobodyLeads(TestMesh.Node... among) {
        assertThrows(
                AssertionError.class,
                () -> TestMesh.await(
                        ELECTIONS,
                        "a leader that must not be",
                        () -> Stream.of(among).anyMatch(TestMesh.Node::leadsSystem)));
    }

    private void awaitLeader() {
        TestMesh.await("a leader", () -> mesh.nodes.stream().anyMatch(TestMesh.Node::leadsSystem));
    }

    private void awaitWhole(TestMesh.Node n) {
        TestMesh.await(
                "its replica of the management service",
                () -> n.management
                                .system()
                                .replica()
                                .read(db -> db.groupMap().members().size())
                        == mesh.nodes.size());
    }

    private String whyNobodyLeads(TestMesh.Node at) {
        FaultException e = assertThrows(
                FaultException.class,
                () -> mesh.net
                        .rpc("", Role.ADMIN)
                        .call(
                                Endpoint.node(at.address),
                                RpcMethod.SYSTEM_ATTRIBUTES,
                                RpcMessage.of(AttributesRequest.getDefaultInstance()),
                                TestMesh.LONG,
                                r -> 1)
                        .block(TestMesh.LONG));
        assertEquals(FaultCode.NO_SERVICE, e.code());
        return e.fault().message();
    }

    private void awaitReason(TestMesh.Node at, String part) {
        TestMesh.await("is told: " + part, () -> whyNobodyLeads(at).contains(part));
    }

    /** One has it, one lags behind, one has lost it: the last two are a majority that must not decide. */
    @Test
    void shouldNotLetAnEmptiedReplicaElectOneThatLagsBehind() throws IOException {
        set("before");
        TestMesh.Node leader = mesh.systemLeader();
        TestMesh.Node lagging = other(leader);
        TestMesh.Node emptied = other(leader, lagging);
        lagging.kill();
        set("acknowledged");
        leader.kill();
        emptied.kill();
        wipe(folder(emptied, "raft"));

        lagging.start();
        emptied.start();

        assertNobodyLeads(lagging, emptied);
        leader.start();
        awaitLeader();
        assertEquals("acknowledged", get());
        awaitWhole(emptied);
    }

    @Test
    void shouldMakeTheLostReplicaAnewSoThatItCountsAgain() throws IOException {
        set("kept");
        TestMesh.Node leader = mesh.systemLeader();
        TestMesh.Node emptied = other(leader);
        emptied.kill();
        wipe(folder(emptied, "raft"));

        emptied.start();

        awaitWhole(emptied);
        TestMesh.await("votes", () -> leader.management.system().voters().contains(emptied.address));
        other(leader, emptied).kill();
        set("with the new one");
        assertEquals("with the new one", get());
    }

    /** Its file system was not mounted for a while: what it has then is of before its place was given to another one. */
    @Test
    void shouldNotCountTheFormerReplicaWhenItsFolderComesBack() throws IOException {
        set("before");
        TestMesh.Node leader = mesh.systemLeader();
        TestMesh.Node former = other(leader);
        TestMesh.Node third = other(leader, former);
        former.kill();
        Files.move(folder(former, "raft"), folder(former, "unmounted"));
        former.start();
        awaitWhole(former);
        third.kill();
        set("acknowledged by the new one");
        leader.kill();
        former.kill();
        wipe(folder(former, "raft"));
        Files.move(folder(former, "unmounted"), folder(former, "raft"));

        third.start();
        former.start();

        assertNobodyLeads(third, former);
        leader.start();
        awaitLeader();
        assertEquals("acknowledged by the new one", get());
    }

    /** All have lost it: there is nothing, and nobody says that this is a system. */
    @Test
    void shouldNotBeginASystemOnStorageThatHasBeenInOne() throws IOException {
        for (TestMesh.Node n : mesh.nodes) n.kill();
        for (TestMesh.Node n : mesh.nodes) wipe(folder(n, "raft"));

        for (TestMesh.Node n : mesh.nodes) n.start();

        for (TestMesh.Node n : mesh.nodes) awaitReason(n, "is lost");
        assertNobodyLeads(mesh.nodes.toArray(TestMesh.Node[]::new));
    }

    /** Formatted anew it looks as at a first start, and the one that has it all may be down for a moment. */
    @Test
    void shouldNotBeginASystemWhileAnotherAccessPointMayHaveIt() throws IOException {
        set("kept");
        TestMesh.Node first = mesh.nodes.get(0);
        TestMesh.Node second = mesh.nodes.get(1);
        TestMesh.Node third = mesh.nodes.get(2);
        mesh.nodes.forEach(TestMesh.Node::kill);
        for (TestMesh.Node n : List.of(first, second)) {
            wipe(folder(n, "raft"));
            n.storage.format("daos_server", true).block(TestMesh.LONG);
            n.start();
        }

        awaitReason(first, third.address + " has to be formatted and to answer");
        third.start();

        awaitReason(first, "has a replica on " + third.address);
        awaitReason(second, "has not begun here");
        assertNobodyLeads(first, second, third);
    }

    @Test
    void shouldMakeTheReplicaOfAPoolAnewWhoseFolderIsLost() throws IOException {
        UUID pool = mesh.createTank();
        TestMesh.await(
                "a service of three",
                () -> mesh.nodes.stream()
                        .allMatch(n -> n.management.pools().service(pool).isPresent()));
        TestMesh.Node leader = mesh.poolLeader(pool);
        TestMesh.Node emptied = other(leader);
        emptied.kill();
        wipe(folder(emptied, "raft").resolve(pool.toString()));

        emptied.start();

        TestMesh.await(
                "its replica",
                () -> emptied.management
                        .pools()
                        .service(pool)
                        .filter(s -> s.replica().read(db -> db.isMade()))
                        .isPresent());
    }
}
