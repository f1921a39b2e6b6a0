package io.daosmesh.engine.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.daosmesh.engine.shard.KeyChange;
import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.placement.Placement;
import io.daosmesh.model.placement.ShardGroup;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.port.EngineMigration;
import io.daosmesh.model.port.EngineMigration.StoredGroup;
import io.daosmesh.model.wire.KeyChangeMessage;
import io.daosmesh.model.wire.MigratedRecordMessage;
import io.daosmesh.model.wire.ValueMessage;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import reactor.core.publisher.Flux;

@Timeout(60)
class MigrationTest {
    private final MiniMesh mesh = new MiniMesh(4, 1);
    private final ObjectId oid = mesh.oid(ObjectClass.RP_2, 2, 5);
    private final ObjectId lonely = mesh.oid(ObjectClass.SINGLE, 1, 6);
    private final Map<Integer, byte[]> written = new HashMap<>();

    @AfterEach
    void close() {
        mesh.close();
        mesh.storages.forEach(s -> assertEquals(0, s.buffers().usedBytes()));
    }

    private static byte[] key(int i) {
        return ("k" + i).getBytes(java.nio.charset.StandardCharsets.UTF_8);
    }

    private void write(int from, int to) {
        Random random = new Random(from);
        for (int i = from; i < to; i++) {
            byte[] b = new byte[i % 3 == 0 ? 50_000 : 300];
            random.nextBytes(b);
            mesh.put(oid, key(i), b);
            written.put(i, b);
        }
    }

    private void check() {
        written.forEach((i, b) -> assertArrayEquals(b, mesh.get(oid, key(i)).orElseThrow()));
    }

    private PoolMap with(int rank, TargetState state) {
        return mesh.map.withStates(
                mesh.map.ofRank(rank).stream().map(PoolTarget::id).collect(Collectors.toSet()), state);
    }

    /** What the rebuild bundle does, without its network. */
    private void rebuild(int deadRank) {
        PoolMap map = mesh.map;
        long stable = Flux.range(0, 4)
                .filter(r -> r != deadRank)
                .flatMap(r -> mesh.engines.get(r).migration().fence(mesh.pool, map.version()))
                .reduce(0L, Math::max)
                .block(MiniMesh.WAIT);
        for (PoolTarget source : map.targets()) {
            if (source.rank() == deadRank) continue;
            EngineMigration from = mesh.engines.get(source.rank()).migration();
            List<EngineMigration.StoredObject> objects =
                    from.scan(mesh.pool, source.index()).collectList().block(MiniMesh.WAIT);
            for (EngineMigration.StoredObject o : objects) move(from, source, o, stable);
        }
    }

    private void move(EngineMigration from, PoolTarget source, EngineMigration.StoredObject o, long stable) {
        for (int g = 0; g < o.oid().groupCount(); g++) {
            ShardGroup group = Placement.group(mesh.map, o.oid(), g);
            if (!group.isAvailable() || group.leader() != source.id()) continue;
            for (int destination : group.missing()) {
                PoolTarget t = mesh.map.target(destination);
                EngineMigration to = mesh.engines.get(t.rank()).migration();
                for (int again = 0; again < 2; again++)
                    from.export(mesh.pool, source.index(), new StoredGroup(o.container(), o.oid(), g), stable, false)
                            .concatMap(b -> {
                                ByteBuffer copy =
                                        ByteBuffer.allocateDirect(b.data().remaining());
                                copy.put(
                                        0,
                                        b.data(),
                                        b.data().position(),
                                        b.data().remaining());
                                b.onDone().run();
                                return to.importBatch(mesh.pool, t.index(), o.container(), o.oid(), b.records(), copy);
                            })
                            .blockLast(MiniMesh.WAIT);
            }
        }
    }

    @Test
    void shouldKeepNothingUnderANameThatChangedOnItsWay() {
        byte[] value = {1, 2, 3};
        mesh.put(lonely, key(0), value);
        PoolTarget source = mesh.leader(lonely, key(0));
        PoolTarget other = mesh.map.targets().stream()
                .filter(t -> t.rank() != source.rank())
                .findFirst()
                .orElseThrow();
        StoredGroup group = new StoredGroup(mesh.container, lonely, 0);
        EngineMigration to = mesh.engines.get(other.rank()).migration();
        FaultException e = assertThrows(
                FaultException.class,
                () -> mesh.engines
                        .get(source.rank())
                        .migration()
                        .export(mesh.pool, source.index(), group, Long.MAX_VALUE, false)
                        .concatMap(b -> {
                            ByteBuffer copy = ByteBuffer.allocateDirect(b.data().remaining());
                            copy.put(b.data().duplicate()).flip();
                            b.onDone().run();
                            List<MigratedRecordMessage> changed = b.records().stream()
                                    .map(m -> m.toBuilder()
                                            .setDkey(ByteString.copyFromUtf8("other"))
                                            .build())
                                    .toList();
                            return to.importBatch(mesh.pool, other.index(), mesh.container, lonely, changed, copy);
                        })
                        .blockLast(MiniMesh.WAIT));
        assertEquals(FaultCode.CSUM, e.code());
    }

    @Test
    void shouldKnowAnUpdateAtItsNewHomeAloneAlsoAfterARestart() {
        byte[] first = {1};
        WriteOp.Dtx dtx = new WriteOp.Dtx(mesh.dtx(), 0, 0, false);
        Long epoch = mesh.tryUpdate(lonely, key(0), MiniMesh.value("v", 0, 0, first), first, dtx)
                .block(MiniMesh.WAIT);
        byte[] second = {2};
        mesh.put(lonely, key(0), second);

        mesh.push(with(mesh.leader(lonely, key(0)).rank(), TargetState.DRAIN));
        rebuild(-1);
        mesh.push(mesh.map.afterRebuild());

        WriteOp.Dtx again = new WriteOp.Dtx(dtx.id(), 0, 0, true);
        for (int life = 0; life < 2; life++) {
            Long answered =
                    mesh.retrying(x -> mesh.tryUpdate(lonely, key(0), MiniMesh.value("v", 0, 0, first), first, again));
            assertEquals(epoch, answered, "its first try is known");
            assertArrayEquals(second, mesh.get(lonely, key(0)).orElseThrow(), "and is not done again");
            int rank = mesh.leader(lonely, key(0)).rank();
            mesh.stop(rank, true);
            mesh.start(rank);
        }
    }

    @Test
    void shouldRestoreFullWidthAndThenCleanAReturningTarget() {
        write(0, 60);
        mesh.put(lonely, key(0), new byte[] {1, 2, 3});
        mesh.punch(oid, 1, key(7));
        written.remove(7);
        int dead = mesh.leader(oid, key(0)).rank();
        int lonelyRank = mesh.leader(lonely, key(0)).rank();

        mesh.push(with(dead, TargetState.DOWN));
        write(100, 120);
        rebuild(dead);
        mesh.push(mesh.map.afterRebuild());
        check();

        // every other replica must do as well: put the present leader out
        PoolTarget second = mesh.leader(oid, key(0));
        PoolMap full = mesh.map;
        mesh.push(with(second.rank(), TargetState.DOWN));
        written.keySet().removeIf(i -> !isAvailable(i));
        assertTrue(written.size() > 30);
        check();
        assertEquals(Optional.empty(), isAvailable(7) ? mesh.get(oid, key(7)) : Optional.empty());
        assertTrue(full.version() < mesh.map.version());
        comeBack(dead, lonelyRank);
    }

    private boolean isAvailable(int i) {
        return Placement.group(mesh.map, oid, key(i)).isAvailable();
    }

    private void comeBack(int rank, int lonelyRank) {
        mesh.push(with(rank, TargetState.UP));
        EngineMigration m = mesh.engines.get(rank).migration();
        m.fence(mesh.pool, mesh.map.version()).block(MiniMesh.WAIT);
        Set<ObjectId> kept = m.scan(mesh.pool, 0)
                .map(EngineMigration.StoredObject::oid)
                .collect(Collectors.toSet())
                .block(MiniMesh.WAIT);

        assertEquals(lonelyRank == rank ? Set.of(lonely) : Set.of(), kept);
        if (lonelyRank != rank)
            assertEquals(
                    0,
                    mesh.storages
                            .get(rank)
                            .target(0)
                            .pool(mesh.pool)
                            .blob()
                            .allocator()
                            .usedBytes());
        // once for each return: what is written now stays
        write(200, 210);
        mesh.stop(rank, true);
        mesh.start(rank);
        check();
    }

    @Test
    void shouldGiveAllSpaceBackWhenAPoolIsDestroyed() {
        write(0, 30);
        for (int r = 0; r < 4; r++) {
            mesh.call(
                            r,
                            io.daosmesh.model.rpc.RpcMethod.TARGET_DESTROY,
                            io.daosmesh.model.wire.TargetDestroyRequest.newBuilder()
                                    .setPool(io.daosmesh.model.id.Ids.bytes(mesh.pool))
                                    .build(),
                            io.daosmesh.model.rpc.RpcMessage.NO_DATA,
                            x -> 1)
                    .block(MiniMesh.WAIT);
            assertEquals(1, keys(r), "only the layout version is left");
        }
    }

    private int keys(int rank) {
        int n = 0;
        try (var c = mesh.storages.get(rank).target(0).kv().cursor(io.daosmesh.storage.kv.KvRange.all())) {
            while (c.next()) n++;
        }
        return n;
    }

    @Test
    void shouldKeepObjectPunchesAcrossAMove() {
        write(0, 20);
        for (int g = 0; g < 2; g++) {
            int i = 0;
            while (Placement.groupOf(oid, key(i)) != g) i++;
            mesh.punch(oid, 0, key(i));
        }
        written.clear();
        write(30, 35);
        int dead = mesh.leader(oid, key(0)).rank();

        mesh.push(with(dead, TargetState.DOWN));
        rebuild(dead);
        mesh.push(mesh.map.afterRebuild());

        check();
        for (int i = 0; i < 20; i++) assertEquals(Optional.empty(), mesh.get(oid, key(i)));
    }

    @Test
    void shouldRecogniseAResendAtALeaderThatJoinedLater() {
        PoolTarget first = mesh.leader(oid, key(0));
        mesh.push(with(first.rank(), TargetState.DOWN));
        rebuild(first.rank());
        mesh.push(mesh.map.afterRebuild());
        byte[] b = {1};
        io.daosmesh.model.wire.ValueMessage v = MiniMesh.value("v", 0, 0, b);
        io.daosmesh.model.id.DtxId id = mesh.dtx();
        mesh.tryUpdate(oid, key(0), v, b, new WriteOp.Dtx(id, 0, 1, false)).block(MiniMesh.WAIT);
        mesh.push(with(first.rank(), TargetState.UP));
        rebuild(-1);
        mesh.push(mesh.map.afterRebuild());
        assertEquals(first.id(), mesh.leader(oid, key(0)).id());
        mesh.put(oid, key(0), new byte[] {2});

        mesh.retrying(x -> mesh.tryUpdate(oid, key(0), v, b, new WriteOp.Dtx(id, 0, 1, true)));

        assertArrayEquals(new byte[] {2}, mesh.get(oid, key(0)).orElseThrow());
    }

    /** The leader dies before its members have heard that the changes are committed: they are settled, then moved. */
    @Test
    void shouldMoveAtomicChangesWholeAndWithTheirVersions() {
        mesh.wire.losesRequest = (r, m) -> m == io.daosmesh.model.rpc.RpcMethod.DTX_COMMIT;
        ObjectId names = mesh.oid(ObjectClass.RP_2, 1, 9);
        Map<String, Long> versions = new HashMap<>();
        for (int i = 0; i < 20; i++) {
            byte[] b = new byte[i % 2 == 0 ? 100 : 9000];
            KeyChange first = put("a" + i, Arrays.copyOf(b, b.length / 2));
            KeyChange second = put("b" + i, Arrays.copyOf(b, b.length / 2));
            versions.put("b" + i, mesh.change(names, List.of(first, second), b));
        }
        for (int i = 0; i < 20; i += 3) {
            KeyChange gone = new KeyChange(
                    ("a" + i).getBytes(),
                    List.of(),
                    true,
                    KeyChangeMessage.Condition.VERSION,
                    AKEY,
                    versions.get("b" + i));
            mesh.change(names, List.of(gone, put("c" + i, new byte[3])), new byte[3]);
        }
        int dead = mesh.leader(names, key(0)).rank();
        mesh.stop(dead, true);

        mesh.push(with(dead, TargetState.DOWN));
        rebuild(dead);
        mesh.push(mesh.map.afterRebuild());
        mesh.push(with(mesh.leader(names, key(0)).rank(), TargetState.DOWN));

        for (int i = 0; i < 20; i++) {
            boolean isMoved = i % 3 == 0;
            assertEquals(isMoved, mesh.get(names, ("a" + i).getBytes()).isEmpty());
            assertEquals(!isMoved, mesh.get(names, ("c" + i).getBytes()).isEmpty());
            long version = mesh.fetch(names, ("b" + i).getBytes(), "v", 0, 0, 0)
                    .value()
                    .getVersion();
            assertEquals(versions.get("b" + i), version);
        }
    }

    private static final byte[] AKEY = {'v'};

    private static KeyChange put(String dkey, byte[] bytes) {
        List<ValueMessage> values = List.of(MiniMesh.value("v", 0, 0, bytes));
        return new KeyChange(dkey.getBytes(), values, false, KeyChangeMessage.Condition.VERSION, AKEY, 0);
    }

    @Test
    void shouldClearWhatAnEarlierStayHasLeftBeforeAPull() {
        mesh.put(oid, key(0), new byte[9000]);
        int group = Placement.groupOf(oid, key(0));
        int dead = mesh.leader(oid, key(0)).rank();
        mesh.push(with(dead, TargetState.DOWN));
        int lent = Placement.group(mesh.map, oid, group).missing().get(0);
        rebuild(dead);
        mesh.push(mesh.map.afterRebuild());
        mesh.push(with(dead, TargetState.UP));
        rebuild(-1);
        mesh.push(mesh.map.afterRebuild());
        EngineMigration m = mesh.engines.get(mesh.map.target(lent).rank()).migration();
        EngineMigration.StoredGroup g = new EngineMigration.StoredGroup(mesh.container, oid, group);
        int settledVersion = mesh.map.version();
        org.junit.jupiter.api.Assertions.assertThrows(
                io.daosmesh.model.fault.FaultException.class,
                () -> m.clearGroup(mesh.pool, 0, g, settledVersion, mesh.hlc.now())
                        .block(MiniMesh.WAIT));
        assertEquals(1, m.scan(mesh.pool, 0).count().block(MiniMesh.WAIT), "nobody has reclaimed it");

        mesh.push(with(dead, TargetState.DOWN));
        m.clearGroup(mesh.pool, 0, g, mesh.map.version(), mesh.hlc.now()).block(MiniMesh.WAIT);

        assertEquals(0, m.scan(mesh.pool, 0).count().block(MiniMesh.WAIT));
        rebuild(dead);
        mesh.push(mesh.map.afterRebuild());
        assertArrayEquals(new byte[9000], mesh.get(oid, key(0)).orElseThrow());
    }
}
