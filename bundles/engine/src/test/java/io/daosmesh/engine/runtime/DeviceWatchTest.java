package io.daosmesh.engine.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.placement.Placement;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolFindReply;
import io.daosmesh.model.wire.PoolTargetsReply;
import io.daosmesh.model.wire.PoolTargetsRequest;
import io.daosmesh.model.wire.TargetCreateReply;
import io.daosmesh.model.wire.TargetCreateRequest;
import io.daosmesh.model.wire.ValueMessage;
import io.daosmesh.storage.DeviceState;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;

/** Rank 1 of three loses its device; the test plays the pool service. */
@Tag("slow")
class DeviceWatchTest {
    private static final int RANK = 1;
    private static final long WAIT_NS = 15_000_000_000L;

    private final List<PoolTargetsRequest> asked = new CopyOnWriteArrayList<>();
    private volatile FaultCode refusal;
    private volatile boolean losesAnswer;
    private volatile PoolMap late;
    private MiniMesh mesh;

    @BeforeEach
    void open() {
        mesh = new MiniMesh(3, 2);
        mesh.wire
                .server()
                .register(
                        Endpoint.NODE,
                        RpcMethod.POOL_FIND,
                        call -> Mono.just(RpcMessage.of(PoolFindReply.newBuilder()
                                .setEntry(PoolEntryMessage.newBuilder().addServiceRanks(0))
                                .setGroupMap(mesh.maps.get(0).groupMap().toWire())
                                .build())));
        mesh.wire.server().register(Endpoint.NODE, RpcMethod.POOL_TARGETS, call -> {
            try {
                return change(PoolTargetsRequest.parseFrom(call.body()));
            } catch (com.google.protobuf.InvalidProtocolBufferException e) {
                return Mono.error(e);
            }
        });
    }

    @AfterEach
    void close() {
        mesh.close();
    }

    private Mono<RpcMessage> change(PoolTargetsRequest r) {
        asked.add(r);
        FaultCode code = refusal;
        if (code != null) return Mono.error(Fault.of(code).asException());
        Set<Integer> ids = mesh.map.ofRank(r.getRanks(0)).stream()
                .filter(t -> r.getTargetIndexesList().contains(t.index()))
                .map(PoolTarget::id)
                .collect(Collectors.toSet());
        PoolMap next = mesh.map.withStates(ids, r.getOpValue() == 0 ? TargetState.DOWN : TargetState.UP);
        if (losesAnswer) {
            losesAnswer = false;
            late = next;
            return Mono.error(Fault.of(FaultCode.TIMEDOUT).asException());
        }
        mesh.push(next);
        return Mono.just(RpcMessage.of(
                PoolTargetsReply.newBuilder().setMapVersion(mesh.map.version()).build()));
    }

    private void device(DeviceState state) {
        mesh.storages.get(RANK).become(state);
    }

    private boolean allAre(TargetState state) {
        return mesh.map.ofRank(RANK).stream().allMatch(t -> t.state() == state);
    }

    private static void await(BooleanSupplier condition) {
        long end = System.nanoTime() + WAIT_NS;
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < end, "in time");
            LockSupport.parkNanos(5_000_000);
        }
    }

    @Test
    void shouldExcludeWithALostDeviceAndReintegrateWithIt() {
        device(DeviceState.UNPLUGGED);
        await(() -> allAre(TargetState.DOWN));
        device(DeviceState.NORMAL);
        await(() -> allAre(TargetState.UP));

        assertEquals(2, asked.size(), asked.toString());
        assertEquals(List.of(0, 1), asked.get(0).getTargetIndexesList());
        assertEquals(List.of(RANK), asked.get(0).getRanksList());
        assertEquals(0, mesh.storages.get(RANK).tornDown.get());
    }

    @Test
    void shouldBringBackWhatTheEngineBeforeTookOut() {
        device(DeviceState.UNPLUGGED);
        await(() -> allAre(TargetState.DOWN));
        mesh.stop(RANK, false);
        mesh.start(RANK);

        device(DeviceState.NORMAL);

        await(() -> allAre(TargetState.UP));
    }

    /** A pool is made while a device does not serve: it begins without its targets, and gets them with the device. */
    @Test
    void shouldTellWhichTargetsOfANewPoolAreOutAndBringThemIn() {
        refusal = FaultCode.BUSY;
        device(DeviceState.OUT);
        UUID pool = new UUID(5, 5);
        PoolMap made = new PoolMap(pool, 1, mesh.map.targets());
        TargetCreateRequest r = TargetCreateRequest.newBuilder()
                .setPool(Ids.bytes(pool))
                .setScmBytesPerTarget(1 << 20)
                .setNvmeBytesPerTarget(1 << 20)
                .setMap(made.toWire())
                .build();

        assertEquals(List.of(0, 1), create(RANK, r).getOutIndexesList());
        assertEquals(List.of(), create(0, r).getOutIndexesList());
        assertEquals(List.of(0, 1), create(RANK, r).getOutIndexesList(), "again");

        PoolMap begun = made.withStates(
                        made.ofRank(RANK).stream().map(PoolTarget::id).collect(Collectors.toSet()), TargetState.DOWN)
                .afterRebuild();
        mesh.maps.forEach(m -> m.push(begun));
        device(DeviceState.NORMAL);
        await(() -> asked.stream()
                .anyMatch(a -> a.getOp() == PoolTargetsRequest.Op.REINTEGRATE
                        && a.getTargetIndexesList().equals(List.of(0, 1))));
    }

    private TargetCreateReply create(int rank, TargetCreateRequest r) {
        return mesh.call(
                        rank,
                        RpcMethod.TARGET_CREATE,
                        r,
                        RpcMessage.NO_DATA,
                        x -> TargetCreateReply.parseFrom(x.body()))
                .block(Duration.ofSeconds(10));
    }

    @Test
    void shouldTearAFaultyDeviceDownOnceItsTargetsAreOut() {
        device(DeviceState.FAULTY);

        await(() -> mesh.storages.get(RANK).tornDown.get() == 1);

        assertTrue(allAre(TargetState.DOWN));
    }

    @Test
    void shouldAskAgainTheSameAfterALostAnswerAndRarelyAfterARefusal() {
        refusal = FaultCode.TIMEDOUT;
        device(DeviceState.UNPLUGGED);
        await(() -> asked.size() >= 3);
        assertEquals(
                1,
                asked.stream().map(PoolTargetsRequest::getRequestId).distinct().count());
        refusal = FaultCode.RF;
        int before = asked.size();
        await(() -> asked.size() > before);
        int refused = asked.size();
        LockSupport.parkNanos(1_000_000_000L);
        assertTrue(asked.size() <= refused + 1, "no busy loop");

        // a newer map may allow it
        refusal = null;
        mesh.push(mesh.map.withStates(Set.of(0), TargetState.DOWN));

        await(() -> allAre(TargetState.DOWN));
    }

    @Test
    void shouldStopAndExcludeATargetWhoseIndexFails() {
        ObjectId oid = mesh.oid(ObjectClass.RP_3, 1, 5);
        byte[] key = {'k'};
        mesh.put(oid, key, new byte[] {1});
        PoolTarget leader = mesh.leader(oid, key);
        refusal = FaultCode.TIMEDOUT;

        mesh.storages.get(leader.rank()).target(leader.index()).fillUp();
        byte[] next = {2, 2};
        FaultException e = assertThrows(
                FaultException.class,
                () -> mesh.tryUpdate(
                                oid,
                                key,
                                MiniMesh.value("v", 0, 0, next),
                                next,
                                new WriteOp.Dtx(mesh.dtx(), 0, 0, false))
                        .block());
        assertEquals(FaultCode.AGAIN, e.code(), "another target leads soon: " + e.getMessage());
        ValueMessage v = MiniMesh.value("v", 0, 0, next);
        e = assertThrows(
                FaultException.class,
                () -> mesh.tryFetch(leader, oid, key, v, 0).block());
        assertEquals(FaultCode.AGAIN, e.code(), "it has stopped");
        refusal = null;
        mesh.put(oid, key, next);

        assertEquals(TargetState.DOWN, mesh.map.target(leader.id()).state());
        assertEquals(1, mesh.map.disabledCount(), "the other target of the rank serves");
        assertEquals(List.of(leader.index()), asked.get(0).getTargetIndexesList());
        assertArrayEquals(next, mesh.get(oid, key).orElseThrow());
    }

    @Test
    void shouldStopAMemberWhoseIndexFailsWithoutFailingTheWriter() {
        ObjectId oid = mesh.oid(ObjectClass.RP_3, 1, 5);
        byte[] key = {'k'};
        mesh.put(oid, key, new byte[] {1});
        PoolTarget member =
                mesh.map.target(Placement.group(mesh.map, oid, key).settled().get(1));

        mesh.storages.get(member.rank()).target(member.index()).fillUp();
        mesh.put(oid, key, new byte[] {2, 2});

        assertEquals(TargetState.DOWN, mesh.map.target(member.id()).state());
        assertArrayEquals(new byte[] {2, 2}, mesh.get(oid, key).orElseThrow());
    }

    /** The exclusion is done, its answer and the map are late, and the device is back before both. */
    @Test
    void shouldBringBackWhatALostAnswerHasTakenOut() {
        losesAnswer = true;
        device(DeviceState.UNPLUGGED);
        await(() -> late != null);
        device(DeviceState.NORMAL);
        LockSupport.parkNanos(500_000_000L);

        mesh.push(late);

        await(() -> allAre(TargetState.UP));
    }

    @Test
    void shouldExcludeATargetWhoseIndexIsFoundDamagedAtTheStart() {
        ObjectId oid = mesh.oid(ObjectClass.RP_3, 1, 5);
        byte[] key = {'k'};
        mesh.put(oid, key, new byte[] {1});
        PoolTarget leader = mesh.leader(oid, key);
        mesh.stop(leader.rank(), true);
        mesh.storages.get(leader.rank()).target(leader.index()).damageIndex(Keys.records(mesh.pool));

        mesh.start(leader.rank());

        await(() -> mesh.map.target(leader.id()).state() == TargetState.DOWN);
        assertEquals(1, asked.get(0).getUpdatedVersion(), "the engine before may have served by the map that there is");
        assertEquals(1, asked.get(0).getJoinedVersion());
        assertEquals(1, mesh.map.disabledCount(), "the other target of the rank serves");
        assertArrayEquals(new byte[] {1}, mesh.get(oid, key).orElseThrow());
        mesh.put(oid, key, new byte[] {2, 2});
        assertArrayEquals(new byte[] {2, 2}, mesh.get(oid, key).orElseThrow());
    }

    @Test
    void shouldTellNothingOfATargetThatMayStillTakeUpdates() {
        device(DeviceState.UNPLUGGED);
        await(() -> allAre(TargetState.DOWN));

        assertEquals(0, asked.get(0).getJoinedVersion());
    }

    /** It knows nothing any more: it must not answer that there is nothing. */
    @Test
    void shouldExcludeATargetWhoseIndexIsLostAtTheStart() {
        ObjectId oid = mesh.oid(ObjectClass.RP_3, 1, 5);
        byte[] key = {'k'};
        mesh.put(oid, key, new byte[] {1});
        PoolTarget leader = mesh.leader(oid, key);
        refusal = FaultCode.TIMEDOUT;
        mesh.stop(leader.rank(), true);
        mesh.storages.get(leader.rank()).target(leader.index()).loseIndex();

        mesh.start(leader.rank());
        await(() -> !asked.isEmpty());
        ValueMessage v = MiniMesh.value("v", 0, 0, new byte[0]);
        for (int i = 0; i < 20; i++) {
            FaultException e = assertThrows(
                    FaultException.class,
                    () -> mesh.tryFetch(leader, oid, key, v, 0).block());
            assertEquals(FaultCode.AGAIN, e.code(), "while the map has it: " + e.getMessage());
        }
        refusal = null;

        await(() -> mesh.map.target(leader.id()).state() == TargetState.DOWN);
        assertEquals(1, mesh.map.disabledCount(), "the other target of the rank serves");
        assertArrayEquals(new byte[] {1}, mesh.get(oid, key).orElseThrow());
        mesh.put(oid, key, new byte[] {2, 2});
        assertArrayEquals(new byte[] {2, 2}, mesh.get(oid, key).orElseThrow());

        // brought back by hand without an index it is put out again
        mesh.push(mesh.map.withStates(Set.of(leader.id()), TargetState.UP));
        await(() -> mesh.map.target(leader.id()).state() == TargetState.DOWN);
        assertArrayEquals(new byte[] {2, 2}, mesh.get(oid, key).orElseThrow());
    }

    @Test
    void shouldStopAndExcludeATargetWhoseIndexCannotBeReadAnyMore() {
        ObjectId oid = mesh.oid(ObjectClass.RP_3, 1, 5);
        byte[] key = {'k'};
        mesh.put(oid, key, new byte[] {1});
        PoolTarget leader = mesh.leader(oid, key);

        mesh.storages.get(leader.rank()).target(leader.index()).loseIndex();

        assertArrayEquals(new byte[] {1}, mesh.get(oid, key).orElseThrow(), "another one leads soon");
        assertEquals(TargetState.DOWN, mesh.map.target(leader.id()).state());
        assertEquals(1, asked.get(0).getUpdatedVersion(), "it took an update by the first map");
        assertEquals(1, asked.get(0).getJoinedVersion());
        assertEquals(1, mesh.map.disabledCount(), "the other target of the rank serves");
    }
}
