package io.daosmesh.management.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.port.PoolServices;
import io.daosmesh.model.ras.RasId;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.PoolTargetsReply;
import io.daosmesh.model.wire.PoolTargetsRequest;
import io.daosmesh.model.wire.PropertiesReply;
import io.daosmesh.model.wire.PropertiesRequest;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the system does by itself is what self_heal of the system and of the pool allow. The last node dies. */
@Timeout(120)
@Tag("slow")
class SelfHealTest {
    @TempDir
    Path dir;

    private TestMesh mesh;
    private UUID pool = new UUID(0, 0);

    @BeforeEach
    void start() {
        mesh = new TestMesh(dir, 4, 1);
        mesh.startAll();
        pool = mesh.createTank();
    }

    @AfterEach
    void stop() {
        mesh.close();
    }

    private Map<String, String> system(String selfHeal) {
        PropertiesRequest r = PropertiesRequest.newBuilder()
                .putSet("self_heal", selfHeal)
                .setRequestId("s-" + selfHeal)
                .build();
        return mesh.admin(RpcMethod.SYSTEM_PROPERTIES, r, PropertiesReply.parser())
                .getValuesMap();
    }

    private Map<String, String> poolProperties(Map<String, String> set) {
        PropertiesRequest r = PropertiesRequest.newBuilder()
                .setPool(pool.toString())
                .putAllSet(set)
                .build();
        return mesh.admin(mesh.addresses(), RpcMethod.POOL_PROPERTIES, r, PropertiesReply.parser())
                .getValuesMap();
    }

    private TestMesh.Node dead() {
        return mesh.nodes.get(3);
    }

    private TestMesh.Node first() {
        return mesh.nodes.get(0);
    }

    private void lose() {
        Member m = first().management.maps().groupMap().member(dead().rank()).orElseThrow();
        dead().kill();
        first().management.deaths().onDead(dead().rank(), m.incarnation(), "silent");
    }

    private int version() {
        return mesh.poolLeader(pool)
                .management
                .pools()
                .service("tank")
                .replica()
                .read(db -> db.map().version());
    }

    private boolean isSeen(String policy) {
        return mesh.nodes.stream()
                .allMatch(n -> n == dead()
                        || policy.equals(n.management.maps().systemProperties().get("self_heal")));
    }

    @Test
    void shouldExcludeDeadRankOnlyOnceTheSystemAllowsIt() {
        assertEquals("none", system("none").get("self_heal"));
        lose();
        TestMesh.await("known", () -> isSeen("none"));
        // A second report after the first: what was refused is asked again, not forgotten.
        system("pool_exclude");
        TestMesh.await("known", () -> isSeen("pool_exclude"));
        assertEquals(MemberState.JOINED, mesh.stateOf(first(), dead().rank()));

        system("exclude");
        TestMesh.await("excluded", () -> mesh.stateOf(first(), dead().rank()) == MemberState.EXCLUDED);
        TestMesh.await("known", () -> isSeen("exclude"));
        assertEquals(1, version(), "pool_exclude is off");

        system("exclude;pool_exclude");
        TestMesh.await("out of the pool", () -> version() == 2);
    }

    @Test
    void shouldRebuildOnlyWhenSystemAndPoolAllowIt() {
        Set<Integer> told = ConcurrentHashMap.newKeySet();
        mesh.nodes.forEach(n -> n.management.poolServices().listen(new PoolServices.LeaderListener() {
            @Override
            public void onLeading(PoolMap map, long term) {
                told.add(map.version());
            }

            @Override
            public void onNotLeading(UUID gone) {}
        }));
        poolProperties(Map.of("self_heal", "exclude;delay_rebuild"));
        system("exclude;pool_exclude");
        TestMesh.await("known", () -> isSeen("exclude;pool_exclude"));
        lose();
        TestMesh.await("out of the pool", () -> version() == 2);

        poolProperties(Map.of("self_heal", "exclude;rebuild"));
        mesh.poolLeader(pool).management.pools().service("tank").reviewSoon();
        assertTrue(!told.contains(2), "pool_rebuild is off");
        system("exclude;pool_exclude;pool_rebuild");

        TestMesh.await("rebuild may begin", () -> told.contains(2));
    }

    @Test
    void shouldBringARankBackOnlyWhereRebuildIsAllowed() {
        poolProperties(Map.of("self_heal", "exclude"));
        lose();
        TestMesh.await("out of the pool", () -> version() == 2);
        dead().start();
        TestMesh.await("joined", () -> mesh.stateOf(first(), dead().rank()) == MemberState.JOINED);
        assertEquals(2, version(), "rebuild is off");

        poolProperties(Map.of("self_heal", "exclude;rebuild"));

        TestMesh.await("back in the pool", () -> version() == 3);
        TestMesh.await("event", () -> isTold(RasId.POOL_RANK_RETURNED));
    }

    private boolean isTold(RasId id) {
        return mesh.poolLeader(pool).events.contains(id);
    }

    private boolean isOut() {
        return mesh.poolLeader(pool)
                .management
                .pools()
                .service("tank")
                .replica()
                .read(db -> db.map().disabledRanks().contains(dead().rank()));
    }

    /** As a process that was halted and goes on: it learns of its own death and joins anew. */
    private void halt() {
        Member m = first().management.maps().groupMap().member(dead().rank()).orElseThrow();
        for (TestMesh.Node n : mesh.nodes.subList(0, 2))
            n.management.deaths().onDead(dead().rank(), m.incarnation(), "silent");
        TestMesh.await("out of the pool", this::isOut);
        TestMesh.await("joined", () -> mesh.stateOf(first(), dead().rank()) == MemberState.JOINED);
    }

    @Test
    void shouldDelayTheReturnOfARankThatFallsSilentAgainAndAgain() {
        for (int i = 0; i < 2; i++) {
            halt();
            TestMesh.await("back in the pool", () -> !isOut());
        }
        assertTrue(!isTold(RasId.POOL_RETURN_DELAYED));

        halt();

        TestMesh.await("delayed", () -> isTold(RasId.POOL_RETURN_DELAYED));
        assertTrue(isOut());
        PoolTargetsRequest byHand = PoolTargetsRequest.newBuilder()
                .setPool(pool.toString())
                .setOpValue(1)
                .addRanks(dead().rank())
                .setRequestId("i1")
                .build();
        mesh.admin(mesh.addresses(), RpcMethod.POOL_TARGETS, byHand, PoolTargetsReply.parser());
        assertTrue(!isOut(), "a person need not wait");
    }

    @Test
    void shouldHoldEnginesToThePolicyAndPeopleNot() {
        poolProperties(Map.of("self_heal", "none"));
        TestMesh.Node leader = mesh.poolLeader(pool);
        PoolTargetsRequest exclude = PoolTargetsRequest.newBuilder()
                .setPool(pool.toString())
                .addRanks(first().rank())
                .addTargetIndexes(1)
                .setRequestId("x1")
                .build();

        FaultException refused = assertThrows(
                FaultException.class,
                () -> mesh.net
                        .rpc(leader.address, Role.SERVER)
                        .call(
                                Endpoint.node(leader.address),
                                RpcMethod.POOL_TARGETS,
                                RpcMessage.of(exclude),
                                TestMesh.LONG,
                                r -> true)
                        .block(TestMesh.LONG));

        assertEquals(FaultCode.NO_PERM, refused.code());
        assertEquals(
                2,
                mesh.admin(mesh.addresses(), RpcMethod.POOL_TARGETS, exclude, PoolTargetsReply.parser())
                        .getMapVersion());
    }
}
