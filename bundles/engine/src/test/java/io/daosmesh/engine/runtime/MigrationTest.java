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
import io.daosmesh.model.port.EngineMigration.Change;
import io.daosmesh.model.port.EngineMigration.GroupPart;
import io.daosmesh.model.port.EngineMigration.Held;
import io.daosmesh.model.port.EngineMigration.Since;
import io.daosmesh.model.port.EngineMigration.StoredGroup;
import io.daosmesh.model.wire.KeyChangeMessage;
import io.daosmesh.model.wire.MigratedRecordMessage;
import io.daosmesh.model.wire.ValueMessage;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

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

    private void rebuild(int deadRank) {
        HandRebuild.run(mesh, deadRank);
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
                        .export(
                                mesh.pool,
                                source.index(),
                                new EngineMigration.Wanted(
                                        new GroupPart(group, List.of()), Long.MAX_VALUE, false, true))
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
    void shouldRestoreFullWidthAndKeepWhatAReturningTargetHolds() {
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

        assertEquals(lonelyRank == rank ? Set.of(oid, lonely) : Set.of(oid), kept);
        write(200, 210);
        mesh.stop(rank, true);
        mesh.start(rank);
        check();
    }

    /** For each group that a returned rank has to pull: the dkeys that it misses, or "all". */
    private Map<Integer, Set<String>> missed(int rank, int heldVersion) {
        EngineMigration to = mesh.engines.get(rank).migration();
        Map<Integer, Set<String>> missed = new TreeMap<>();
        for (int g = 0; g < oid.groupCount(); g++) {
            ShardGroup group = Placement.group(mesh.map, oid, g);
            if (!group.missing().contains(mesh.map.ofRank(rank).get(0).id())) continue;
            StoredGroup stored = new StoredGroup(mesh.container, oid, g);
            Held held =
                    to.held(mesh.pool, 0, List.of(stored)).block(MiniMesh.WAIT).get(0);
            assertEquals(new Held(heldVersion, List.of()), held);
            Change c = mesh.engines
                    .get(mesh.map.target(group.leader()).rank())
                    .migration()
                    .changes(mesh.pool, 0, mesh.map.version(), List.of(new Since(stored, held.asOf())))
                    .block(MiniMesh.WAIT)
                    .get(0);
            Set<String> dkeys = c.dkeys().stream().map(ByteString::toStringUtf8).collect(Collectors.toSet());
            missed.put(g, c.isAll() ? Set.of("all") : dkeys);
        }
        return missed;
    }

    @Test
    void shouldTellAReturningTargetWhatItHasMissed() {
        write(0, 60);
        int dead = mesh.leader(oid, key(0)).rank();
        PoolMap before = mesh.map;
        mesh.push(with(dead, TargetState.DOWN));
        write(100, 110);
        mesh.punch(oid, 1, key(7));
        rebuild(dead);
        mesh.push(mesh.map.afterRebuild());
        write(110, 120);
        mesh.push(with(dead, TargetState.UP));
        Set<String> changed = new HashSet<>(Set.of(new String(key(7))));
        for (int i = 100; i < 120; i++) changed.add(new String(key(i)));

        for (int life = 0; life < 2; life++) {
            Map<Integer, Set<String>> missed = missed(dead, before.version());

            assertTrue(!missed.isEmpty());
            missed.forEach((g, dkeys) -> {
                int leader = Placement.group(mesh.map, oid, g).leader();
                boolean hasPulledIt = !Placement.group(before, oid, g).settled().contains(leader);
                Set<String> ofGroup = changed.stream()
                        .filter(k -> Placement.groupOf(oid, k.getBytes()) == g)
                        .collect(Collectors.toSet());
                // and what was settled by the newer map alone
                if (hasPulledIt) assertEquals(Set.of("all"), dkeys);
                else assertTrue(!dkeys.contains("all") && dkeys.containsAll(ofGroup), dkeys::toString);
            });
            for (int r = 0; r < 4; r++) {
                mesh.stop(r, true);
                mesh.start(r);
            }
            for (int r = 0; r < 4; r++)
                mesh.engines
                        .get(r)
                        .migration()
                        .fence(mesh.pool, mesh.map.version())
                        .block(MiniMesh.WAIT);
        }
    }

    @Test
    void shouldKnowAfterARestartWhatItHasPulledAndWhatNot() {
        write(0, 20);
        int group = Placement.groupOf(oid, key(0));
        int dead = mesh.leader(oid, key(0)).rank();
        mesh.push(with(dead, TargetState.DOWN));
        PoolTarget home =
                mesh.map.target(Placement.group(mesh.map, oid, group).missing().get(0));
        StoredGroup stored = new StoredGroup(mesh.container, oid, group);
        GroupPart all = new GroupPart(stored, List.of());
        int version = mesh.map.version();
        EngineMigration m = mesh.engines.get(home.rank()).migration();
        m.fence(mesh.pool, version).block(MiniMesh.WAIT);
        m.clear(mesh.pool, 0, all, version, mesh.hlc.now()).block(MiniMesh.WAIT);
        assertEquals(
                0,
                m.held(mesh.pool, 0, List.of(stored))
                        .block(MiniMesh.WAIT)
                        .get(0)
                        .asOf());
        m.filled(mesh.pool, 0, all, version).block(MiniMesh.WAIT);
        GroupPart one = new GroupPart(stored, List.of(ByteString.copyFrom(key(0))));
        m.clear(mesh.pool, 0, one, version, mesh.hlc.now()).block(MiniMesh.WAIT);

        mesh.stop(home.rank(), true);
        mesh.start(home.rank());
        EngineMigration again = mesh.engines.get(home.rank()).migration();
        again.fence(mesh.pool, version).block(MiniMesh.WAIT);

        assertEquals(
                List.of(new Held(version, one.dkeys())),
                again.held(mesh.pool, 0, List.of(stored)).block(MiniMesh.WAIT));
        again.filled(mesh.pool, 0, one, version).block(MiniMesh.WAIT);
        assertEquals(
                List.of(new Held(version, List.of())),
                again.held(mesh.pool, 0, List.of(stored)).block(MiniMesh.WAIT));
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
                () -> m.clear(mesh.pool, 0, new GroupPart(g, List.of()), settledVersion, mesh.hlc.now())
                        .block(MiniMesh.WAIT));
        assertEquals(1, m.scan(mesh.pool, 0).count().block(MiniMesh.WAIT), "nobody has reclaimed it");

        mesh.push(with(dead, TargetState.DOWN));
        m.clear(mesh.pool, 0, new GroupPart(g, List.of()), mesh.map.version(), mesh.hlc.now())
                .block(MiniMesh.WAIT);

        assertEquals(0, m.scan(mesh.pool, 0).count().block(MiniMesh.WAIT));
        rebuild(dead);
        mesh.push(mesh.map.afterRebuild());
        assertArrayEquals(new byte[9000], mesh.get(oid, key(0)).orElseThrow());
    }
}
