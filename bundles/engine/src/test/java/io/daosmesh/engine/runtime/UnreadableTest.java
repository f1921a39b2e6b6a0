package io.daosmesh.engine.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.engine.fake.MemoryBlob;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.placement.Placement;
import io.daosmesh.model.placement.ShardGroup;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.port.EngineMigration;
import io.daosmesh.model.port.EngineMigration.GroupPart;
import io.daosmesh.model.port.EngineMigration.StoredGroup;
import io.daosmesh.model.port.EngineMigration.Wanted;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.TargetQueryReply;
import io.daosmesh.model.wire.TargetQueryRequest;
import io.daosmesh.model.wire.TargetSpaceMessage;
import io.daosmesh.model.wire.UnreadableObjectMessage;
import io.daosmesh.model.wire.ValueMessage;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Stored bytes that cannot be read: fetched from another replica, or set aside and told of, never absent. */
@Timeout(60)
class UnreadableTest {
    private static final int VALUES = 12;
    private static final int BYTES = 8192;

    private final MiniMesh mesh = new MiniMesh(4, 1);

    @AfterEach
    void close() {
        mesh.close();
        mesh.storages.forEach(s -> assertEquals(0, s.buffers().usedBytes()));
    }

    private static byte[] key(int i) {
        return ("k" + i).getBytes();
    }

    private static byte[] bytes(int i) {
        byte[] b = new byte[BYTES];
        Arrays.fill(b, (byte) (i + 1));
        return b;
    }

    /** Value i lies at {@code i * BYTES} of each holder's device: the object has one group, and nothing else is written. */
    private ObjectId written(ObjectClass c) {
        ObjectId oid = mesh.oid(c, 1, 5);
        for (int i = 0; i < VALUES; i++) mesh.put(oid, key(i), bytes(i));
        return oid;
    }

    private void damage(int rank, int value) {
        ((MemoryBlob) mesh.storages.get(rank).target(0).pool(mesh.pool).blob()).damage(value * BYTES + 100);
    }

    private List<Integer> holders(ObjectId oid) {
        return Placement.group(mesh.map, oid, 0).settled().stream()
                .map(t -> mesh.map.target(t).rank())
                .toList();
    }

    private void putOut(int rank) {
        Set<Integer> targets =
                mesh.map.ofRank(rank).stream().map(PoolTarget::id).collect(Collectors.toSet());
        mesh.push(mesh.map.withStates(targets, TargetState.DOWN));
    }

    /** What a rebuild pulls for the one new home of the group. */
    private void pull(ObjectId oid, int fromRank, boolean isSalvage) {
        PoolMap map = mesh.map;
        ShardGroup group = Placement.group(map, oid, 0);
        long stable = IntStream.range(0, 4)
                .filter(r -> map.ofRank(r).stream().noneMatch(t -> t.state() == TargetState.DOWN))
                .mapToLong(r -> mesh.engines
                        .get(r)
                        .migration()
                        .fence(mesh.pool, map.version())
                        .block(MiniMesh.WAIT))
                .max()
                .orElseThrow();
        EngineMigration to =
                mesh.engines.get(map.target(group.missing().get(0)).rank()).migration();
        mesh.engines
                .get(fromRank)
                .migration()
                .export(
                        mesh.pool,
                        0,
                        new Wanted(
                                new GroupPart(new StoredGroup(mesh.container, oid, 0), List.of()),
                                stable,
                                isSalvage,
                                true))
                .concatMap(b -> {
                    ByteBuffer copy = ByteBuffer.allocateDirect(b.data().remaining());
                    copy.put(b.data().duplicate()).flip();
                    b.onDone().run();
                    return to.importBatch(mesh.pool, 0, mesh.container, oid, b.records(), copy);
                })
                .blockLast(MiniMesh.WAIT);
    }

    private FaultCode codeOf(ObjectId oid, int i) {
        ValueMessage v = ValueMessage.newBuilder()
                .setAkey(com.google.protobuf.ByteString.copyFromUtf8("v"))
                .build();
        return assertThrows(
                        FaultException.class,
                        () -> mesh.tryFetch(mesh.leader(oid, key(i)), oid, key(i), v, 0)
                                .block(MiniMesh.WAIT))
                .code();
    }

    private List<TargetSpaceMessage> told() {
        return IntStream.range(0, 4)
                .mapToObj(r -> mesh.call(
                                r,
                                RpcMethod.TARGET_QUERY,
                                TargetQueryRequest.newBuilder()
                                        .setPool(Ids.bytes(mesh.pool))
                                        .build(),
                                RpcMessage.NO_DATA,
                                x -> TargetQueryReply.parseFrom(x.body()).getTargets(0))
                        .block(MiniMesh.WAIT))
                .toList();
    }

    private long unreadable() {
        return told().stream()
                .mapToLong(TargetSpaceMessage::getUnreadableRecords)
                .sum();
    }

    private static void await(BooleanSupplier condition, String what) {
        long deadline = System.nanoTime() + MiniMesh.WAIT.toNanos();
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < deadline, what);
            LockSupport.parkNanos(20_000_000);
        }
    }

    private boolean isReadAtLeader(ObjectId oid, int i) {
        try {
            return Arrays.equals(
                    bytes(i),
                    mesh.tryFetch(
                                    mesh.leader(oid, key(i)),
                                    oid,
                                    key(i),
                                    ValueMessage.newBuilder()
                                            .setAkey(com.google.protobuf.ByteString.copyFromUtf8("v"))
                                            .build(),
                                    0)
                            .block(MiniMesh.WAIT)
                            .bytes());
        } catch (FaultException e) {
            return false;
        }
    }

    @Test
    void shouldRepairACopyInPlaceFromAnother() {
        ObjectId oid = written(ObjectClass.RP_2);
        int leader = holders(oid).get(0);
        damage(leader, 3);
        long used = usedBytes(leader);

        assertEquals(FaultCode.CSUM, codeOf(oid, 3));
        await(() -> isReadAtLeader(oid, 3), "the leader has its copy again");

        // the extent of the damaged one is free, once nobody can read it any more
        await(() -> usedBytes(leader) == used, "no space is lost");
        await(() -> unreadable() == 0, "nothing is unreadable");
        mesh.stop(leader, true);
        mesh.start(leader);
        for (int i = 0; i < VALUES; i++)
            assertArrayEquals(bytes(i), mesh.get(oid, key(i)).orElseThrow());
    }

    private long usedBytes(int rank) {
        return mesh.storages
                .get(rank)
                .target(0)
                .pool(mesh.pool)
                .blob()
                .allocator()
                .usedBytes();
    }

    @Test
    void shouldSetAsideWhatNobodyCanReadAndRebuildTheRest() {
        ObjectId oid = written(ObjectClass.RP_2);
        int survivor = holders(oid).get(1);
        damage(survivor, 3);
        damage(survivor, 4);
        putOut(holders(oid).get(0));

        FaultException whole = assertThrows(FaultException.class, () -> pull(oid, survivor, false));
        assertEquals(FaultCode.CSUM, whole.code());
        pull(oid, survivor, true);
        mesh.push(mesh.map.afterRebuild());

        await(() -> unreadable() == 2, "both are told of");
        UnreadableObjectMessage told = told().stream()
                .flatMap(t -> t.getUnreadableObjectsList().stream())
                .findFirst()
                .orElseThrow();
        assertEquals(oid, new ObjectId(told.getOidHigh(), told.getOidLow()));
        assertEquals(2, told.getRecords());
        checkAllBut34(oid);
        // the new home alone knows what it has not got
        putOut(survivor);
        checkAllBut34(oid);
        int home = holders(oid).get(0);
        mesh.stop(home, true);
        mesh.start(home);
        await(() -> unreadable() == 2, "after a restart as well");
        checkAllBut34(oid);

        mesh.put(oid, key(3), bytes(3));
        mesh.punch(oid, 1, key(4));
        await(() -> unreadable() == 0, "overwritten and deleted");
        assertArrayEquals(bytes(3), mesh.get(oid, key(3)).orElseThrow());
        assertTrue(mesh.get(oid, key(4)).isEmpty());
    }

    private void checkAllBut34(ObjectId oid) {
        for (int i = 0; i < VALUES; i++) {
            if (i == 3 || i == 4) assertEquals(FaultCode.CSUM, codeOf(oid, i), "never absent");
            else assertArrayEquals(bytes(i), mesh.get(oid, key(i)).orElseThrow());
        }
    }

    @Test
    void shouldForgetWhatCanBeReadAgain() {
        ObjectId oid = written(ObjectClass.SINGLE);
        int holder = holders(oid).get(0);
        damage(holder, 3);
        assertEquals(FaultCode.CSUM, codeOf(oid, 3));
        await(() -> unreadable() == 1, "it is told of");

        damage(holder, 3);

        await(() -> unreadable() == 0, "the bit is back");
        assertTrue(isReadAtLeader(oid, 3));
    }

    @Test
    void shouldLoseNothingThatOneOfTheHoldersCanRead() {
        ObjectId oid = written(ObjectClass.RP_3);
        List<Integer> all = holders(oid);
        damage(all.get(1), 3);
        damage(all.get(2), 4);
        putOut(all.get(0));

        for (int holder : all.subList(1, 3)) assertThrows(FaultException.class, () -> pull(oid, holder, false));
        for (int holder : all.subList(1, 3)) pull(oid, holder, true);
        mesh.push(mesh.map.afterRebuild());
        for (int holder : all.subList(1, 3)) putOut(holder);

        for (int i = 0; i < VALUES; i++)
            assertArrayEquals(bytes(i), mesh.get(oid, key(i)).orElseThrow());
        await(() -> unreadable() == 0, "nothing is unreadable");
    }
}
