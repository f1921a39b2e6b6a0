package io.daosmesh.management.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.ras.RasId;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.JoinRequest;
import io.daosmesh.model.wire.PoolQueryReply;
import io.daosmesh.model.wire.PoolRef;
import io.daosmesh.model.wire.PoolTargetsReply;
import io.daosmesh.model.wire.PoolTargetsRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A node that has lost its storage takes its old rank again. */
@Timeout(120)
class ReplaceRankTest {
    @TempDir
    Path dir;

    private TestMesh mesh;
    private UUID pool;

    @BeforeEach
    void start() {
        mesh = new TestMesh(dir, 3, 1);
        mesh.startAll();
        pool = mesh.createTank();
        TestMesh.await(
                "a service of three",
                () -> mesh.nodes.stream()
                        .allMatch(n -> n.management.pools().service(pool).isPresent()));
    }

    @AfterEach
    void stop() {
        mesh.close();
    }

    /** Not the one with the management service. */
    private TestMesh.Node lost() {
        return mesh.nodes.get(2);
    }

    private TestMesh.Node first() {
        return mesh.nodes.get(0);
    }

    private Member member(int rank) {
        return first().management.maps().groupMap().member(rank).orElseThrow();
    }

    private PoolMap map() {
        PoolRef ref = PoolRef.newBuilder().setPool(pool.toString()).build();
        List<String> alive = mesh.addresses().subList(0, 2);
        return PoolMap.fromWire(mesh.admin(alive, RpcMethod.POOL_QUERY, ref, PoolQueryReply.parser())
                .getMap());
    }

    private void loseItsStorage() throws IOException {
        lost().kill();
        try (Stream<Path> files = Files.walk(dir.resolve("node3"))) {
            for (Path f : files.sorted(Comparator.reverseOrder()).toList()) Files.delete(f);
        }
    }

    private void tellThatItIsDead(int rank) {
        Member m = member(rank);
        for (TestMesh.Node n : mesh.nodes.subList(0, 2)) n.management.deaths().onDead(rank, m.incarnation(), "silent");
    }

    @Test
    void shouldTakeTheRankOfTheLostEngineOnceThePoolsHaveLetGoOfIt() throws IOException {
        int rank = lost().rank();
        UUID before = member(rank).uuid();
        loseItsStorage();

        lost().storage.formatToReplace("daos_server").block(TestMesh.LONG);
        lost().start();
        tellThatItIsDead(rank);

        TestMesh.await("its rank", () -> lost().storage.rank().equals(java.util.Optional.of(rank)));
        TestMesh.await("joined", () -> member(rank).state() == MemberState.JOINED);
        Member after = member(rank);
        assertNotEquals(before, after.uuid());
        assertEquals("took the place of engine " + before, after.info());
        assertEquals(3, first().management.maps().groupMap().members().size(), "no other rank");
        assertTrue(map().disabledRanks().contains(rank), "it has nothing yet");

        mesh.admin(
                mesh.addresses().subList(0, 2),
                RpcMethod.POOL_TARGETS,
                PoolTargetsRequest.newBuilder()
                        .setPool(pool.toString())
                        .setOp(PoolTargetsRequest.Op.REINTEGRATE)
                        .addRanks(rank)
                        .setRequestId("back")
                        .build(),
                PoolTargetsReply.parser());

        assertTrue(lost().storage.pools.contains(pool), "its part is made before the map counts on it");
        assertTrue(map().disabledRanks().isEmpty());
        TestMesh.await(
                "its replica of the service",
                () -> lost().management
                        .pools()
                        .service(pool)
                        .filter(s ->
                                s.replica().read(db -> db.isMade() && db.entry().getServiceRanksCount() == 3))
                        .isPresent());
    }

    private String refusal() {
        JoinRequest join = JoinRequest.newBuilder()
                .setSystem("daos_server")
                .setUuid(Ids.bytes(lost().storage.engineUuid().orElseThrow()))
                .setWantedRank(-1)
                .setAddress(lost().address)
                .setFaultDomain("/node3")
                .setIncarnation(1)
                .setTargetCount(2)
                .setReplace(true)
                .build();
        try {
            mesh.net
                    .rpc(lost().address, Role.SERVER)
                    .call(Endpoint.node(first().address), RpcMethod.JOIN, RpcMessage.of(join), TestMesh.LONG, r -> 1)
                    .block(TestMesh.LONG);
            return "";
        } catch (FaultException e) {
            return e.fault().message();
        }
    }

    /** The service of the pool has one replica of three: nobody can say whether it counts on the rank. */
    @Test
    void shouldSayWhichPoolDoesNotTellAndTakeTheRankOnceItDoes() throws IOException {
        int rank = lost().rank();
        UUID before = member(rank).uuid();
        TestMesh.Node second = mesh.nodes.get(1);
        second.kill();
        loseItsStorage();
        lost().storage.formatToReplace("daos_server").block(TestMesh.LONG);
        lost().start();

        TestMesh.await(
                "it is said", () -> refusal().contains("pools [tank] do not say whether they count on rank " + rank));
        assertEquals(before, member(rank).uuid(), "nothing is half done");
        assertTrue(lost().storage.rank().isEmpty());

        second.start();
        tellThatItIsDead(rank);
        TestMesh.await("its rank", () -> lost().storage.rank().equals(java.util.Optional.of(rank)));
        TestMesh.await("another engine", () -> !before.equals(member(rank).uuid()));
    }

    @Test
    void shouldTellWhenThereIsNoRankToReplace() throws IOException {
        int rank = lost().rank();
        loseItsStorage();
        tellThatItIsDead(rank);
        TestMesh.await("excluded", () -> member(rank).state() == MemberState.EXCLUDED);
        TestMesh.Node other = mesh.add(dir);
        other.storage.formatToReplace("daos_server").block(TestMesh.LONG);

        other.start();

        TestMesh.await("it is told", () -> other.events.contains(RasId.ENGINE_JOIN_FAILED));
        assertTrue(other.storage.rank().isEmpty());
        assertEquals(3, first().management.maps().groupMap().members().size());
    }
}
