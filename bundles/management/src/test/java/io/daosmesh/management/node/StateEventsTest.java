package io.daosmesh.management.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.management.pool.Departure;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.ras.RasId;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.PoolDestroyRequest;
import io.daosmesh.model.wire.RasEventMessage;
import io.daosmesh.model.wire.SystemActionReply;
import io.daosmesh.model.wire.SystemActionRequest;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Events that change states: they reach the leader, and it acts on each once. */
@Timeout(120)
class StateEventsTest {
    @TempDir
    Path dir;

    private TestMesh mesh;
    private TestMesh.Node hurt;

    @BeforeEach
    void start() {
        mesh = new TestMesh(dir, 3, 1);
        mesh.startAll();
        hurt = mesh.nodes.get(2);
    }

    @AfterEach
    void stop() {
        mesh.close();
    }

    private GroupMap map() {
        return mesh.systemLeader().management.maps().groupMap();
    }

    private Member member() {
        return map().member(hurt.rank()).orElseThrow();
    }

    private RasEventMessage died(long incarnation) {
        return RasEventMessage.newBuilder()
                .setId("engine_died")
                .setMessage("DAOS engine 0 exited unexpectedly: out of luck")
                .putFields("rank", String.valueOf(hurt.rank()))
                .putFields("inc", Long.toHexString(incarnation))
                .putFields("data", "out of luck")
                .build();
    }

    private FaultCode tell(TestMesh.Node from, RasEventMessage event) {
        try {
            mesh.net
                    .rpc(from.address, Role.SERVER)
                    .call(
                            Endpoint.node(mesh.systemLeader().address),
                            RpcMethod.STATE_EVENT,
                            RpcMessage.of(event),
                            TestMesh.LONG,
                            r -> 1)
                    .block(TestMesh.LONG);
            return FaultCode.ALREADY;
        } catch (FaultException e) {
            return e.code();
        }
    }

    @Test
    void shouldBeActedOnOnceByTheLeader() {
        RasEventMessage event = died(member().incarnation());

        hurt.management.stateEvents().onStateChange(event);
        TestMesh.await("errored", () -> member().state() == MemberState.ERRORED);
        TestMesh.await("stopped", () -> mesh.stateOf(hurt, hurt.rank()) == MemberState.ERRORED);

        assertEquals(Departure.DIED + "out of luck", member().info());
        int version = map().version();
        assertEquals(FaultCode.ALREADY, tell(hurt, event));
        assertEquals(version, map().version());
        SystemActionReply started = mesh.admin(
                RpcMethod.SYSTEM_ACTION,
                SystemActionRequest.newBuilder()
                        .setAction(SystemActionRequest.Action.START)
                        .addRanks(hurt.rank())
                        .build(),
                SystemActionReply.parser());
        assertTrue(!started.getResults(0).getErrored(), started.toString());
        assertEquals(MemberState.JOINED, member().state());
        assertEquals(FaultCode.ALREADY, tell(hurt, event));
        assertEquals(MemberState.JOINED, member().state());
    }

    @Test
    void shouldNotBeHeededFromAnybodyElse() {
        long incarnation = member().incarnation();

        assertEquals(FaultCode.NO_PERM, tell(mesh.nodes.get(1), died(incarnation)));
        assertEquals(
                FaultCode.INVAL,
                tell(hurt, RasEventMessage.newBuilder().setId("engine_died").build()));

        assertEquals(MemberState.JOINED, member().state());
    }

    @Test
    void shouldTellThatARankFreesItsPartOfAPoolLater() {
        mesh.createTank();
        TestMesh.Node leader = mesh.systemLeader();
        mesh.net.cut(hurt.address);

        mesh.admin(
                RpcMethod.POOL_DESTROY,
                PoolDestroyRequest.newBuilder()
                        .setPool("tank")
                        .setRequestId("r2")
                        .setForce(true)
                        .build(),
                Empty.parser());

        assertTrue(leader.events.contains(RasId.POOL_DESTROY_DEFERRED));
    }
}
