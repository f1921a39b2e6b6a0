package io.daosmesh.engine.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.DtxId;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.placement.Placement;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.ValueMessage;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import reactor.core.publisher.Flux;

@Timeout(60)
class ReplicationTest {
    private final MiniMesh mesh = new MiniMesh(3, 2);
    private final ObjectId oid = mesh.oid(ObjectClass.RP_3, 2, 5);

    @AfterEach
    void close() {
        mesh.close();
        mesh.storages.forEach(s -> assertEquals(0, s.buffers().usedBytes()));
    }

    private static byte[] key(int i) {
        return ("k" + i).getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] bytes(long seed, int length) {
        byte[] b = new byte[length];
        new Random(seed).nextBytes(b);
        return b;
    }

    @Test
    void shouldReadBackWhatWasWrittenSmallAndLarge() {
        int[] sizes = {0, 1, 100, 4095, 4096, 5000, 70_000, 1 << 20};
        for (int i = 0; i < sizes.length; i++) mesh.put(oid, key(i), bytes(i, sizes[i]));

        for (int i = 0; i < sizes.length; i++)
            assertArrayEquals(bytes(i, sizes[i]), mesh.get(oid, key(i)).orElseThrow());
        assertEquals(Optional.empty(), mesh.get(oid, key(99)));
        Set<String> listed = Set.copyOf(Flux.range(0, 2)
                .flatMapIterable(g -> mesh.enumerate(oid, g, 0, new byte[0]).getKeysList())
                .map(k -> k.toStringUtf8())
                .collectList()
                .block());
        assertEquals(sizes.length, listed.size());
        assertEquals(0, mesh.retries.get());
    }

    @Test
    void shouldAssembleArraysFromExtents() {
        byte[] model = new byte[300_000];
        Random random = new Random(3);
        int end = 0;
        for (int i = 0; i < 60; i++) {
            int offset = random.nextInt(200_000);
            byte[] part = bytes(i, 1 + random.nextInt(60_000));
            mesh.update(oid, key(0), MiniMesh.value("a", 1, offset, part), part);
            System.arraycopy(part, 0, model, offset, part.length);
            end = Math.max(end, offset + part.length);
        }

        for (int[] range : new int[][] {{0, 300_000}, {1000, 5000}, {32768, 32768}, {end - 10, 100}}) {
            MiniMesh.Got got = mesh.fetch(oid, key(0), "a", 1, range[0], range[1]);
            int length = Math.min(range[1], end - range[0]);
            assertEquals(length, got.bytes().length);
            assertArrayEquals(java.util.Arrays.copyOfRange(model, range[0], range[0] + length), got.bytes());
        }
    }

    @Test
    void shouldHidePunchedKeysOnEveryReplica() {
        mesh.put(oid, key(1), bytes(1, 10));
        mesh.put(oid, key(2), bytes(2, 5000));
        mesh.punch(oid, 1, key(1));

        assertEquals(Optional.empty(), mesh.get(oid, key(1)));
        mesh.push(mesh.map.withStates(
                mesh.map.ofRank(mesh.leader(oid, key(1)).rank()).stream()
                        .map(PoolTarget::id)
                        .collect(Collectors.toSet()),
                TargetState.DOWN));
        assertEquals(Optional.empty(), mesh.get(oid, key(1)));
        assertArrayEquals(bytes(2, 5000), mesh.get(oid, key(2)).orElseThrow());
    }

    @Test
    void shouldAnswerAResendWithTheFirstEpoch() {
        byte[] b = bytes(1, 100);
        ValueMessage v = MiniMesh.value("v", 0, 0, b);
        DtxId id = mesh.dtx();

        Long first = mesh.tryUpdate(oid, key(1), v, b, new WriteOp.Dtx(id, 0, 0, false))
                .block();
        long later = mesh.put(oid, key(1), bytes(2, 50));
        long again = mesh.retrying(x -> mesh.tryUpdate(oid, key(1), v, b, new WriteOp.Dtx(id, 0, 0, true)));

        assertEquals(first, again);
        assertTrue(later > again);
        assertArrayEquals(bytes(2, 50), mesh.get(oid, key(1)).orElseThrow());
    }

    @Test
    void shouldAbortEverywhereWhenAMemberDoesNotAnswer() {
        mesh.put(oid, key(1), bytes(1, 5000));
        int leader = mesh.leader(oid, key(1)).rank();
        int lost = (leader + 1) % 3;
        mesh.wire.losesRequest = (r, m) -> r == lost && m == RpcMethod.SHARD_UPDATE;
        byte[] b = bytes(2, 6000);
        DtxId id = mesh.dtx();

        FaultException e = assertThrows(
                FaultException.class,
                () -> mesh.tryUpdate(oid, key(1), MiniMesh.value("v", 0, 0, b), b, new WriteOp.Dtx(id, 0, 0, false))
                        .block());

        assertEquals(FaultCode.AGAIN, e.code());
        assertArrayEquals(bytes(1, 5000), mesh.get(oid, key(1)).orElseThrow());
        mesh.wire.losesRequest = (r, m) -> false;
        mesh.retrying(
                x -> mesh.tryUpdate(oid, key(1), MiniMesh.value("v", 0, 0, b), b, new WriteOp.Dtx(id, 0, 0, true)));
        assertArrayEquals(b, mesh.get(oid, key(1)).orElseThrow());
        mesh.push(down(leader));
        assertArrayEquals(b, mesh.get(oid, key(1)).orElseThrow());
    }

    private io.daosmesh.model.pool.PoolMap down(int rank) {
        return mesh.map.withStates(
                mesh.map.ofRank(rank).stream().map(PoolTarget::id).collect(Collectors.toSet()), TargetState.DOWN);
    }

    @Test
    void shouldKeepAcknowledgedWritesWhenTheLeaderDiesBeforeItsCommits() {
        mesh.wire.losesRequest = (r, m) -> m == RpcMethod.DTX_COMMIT;
        Map<Integer, byte[]> acknowledged = new HashMap<>();
        for (int i = 0; i < 40; i++) {
            byte[] b = bytes(i, i % 2 == 0 ? 200 : 9000);
            mesh.put(oid, key(i), b);
            acknowledged.put(i, b);
        }
        int dead = mesh.leader(oid, key(0)).rank();
        mesh.stop(dead, true);

        mesh.push(down(dead));

        acknowledged.forEach(
                (i, b) -> assertArrayEquals(b, mesh.get(oid, key(i)).orElseThrow()));
    }

    @Test
    void shouldRefuseOldMapsAndFetchNewerOnes() {
        mesh.put(oid, key(1), bytes(1, 10));
        PoolTarget leader = mesh.leader(oid, key(1));
        ValueMessage v = MiniMesh.value("v", 0, 0, bytes(1, 10));
        int other = (leader.rank() + 1) % 3;
        io.daosmesh.model.pool.PoolMap old = mesh.map;
        io.daosmesh.model.pool.PoolMap next = new io.daosmesh.model.pool.PoolMap(mesh.pool, 2, old.targets());
        // one engine learns of the map only by asking for it
        for (int r = 0; r < 3; r++) {
            if (r == other) mesh.maps.get(r).newest = next;
            else mesh.maps.get(r).push(next);
        }

        FaultException e = assertThrows(
                FaultException.class,
                () -> mesh.tryFetch(leader, oid, key(1), v, 0).block());
        assertEquals(FaultCode.STALE, e.code());
        assertEquals("2", e.fault().argument("need").orElseThrow());
        mesh.map = next;
        mesh.put(oid, key(1), bytes(7, 70));
        assertEquals(0, mesh.retries.get());
        assertArrayEquals(bytes(7, 70), mesh.get(oid, key(1)).orElseThrow());
    }

    @Test
    void shouldLetOneOfManyInsertsWin() {
        int wins = Flux.range(0, 16)
                .flatMap(i -> {
                    byte[] b = bytes(i, 50);
                    return mesh.tryUpdate(
                                    oid,
                                    key(1),
                                    MiniMesh.value("v", 0, 0, b),
                                    b,
                                    new WriteOp.Dtx(mesh.dtx(), 0, 1, false))
                            .map(x -> 1)
                            .onErrorResume(FaultException.class, x -> {
                                assertEquals(FaultCode.EXIST, x.code());
                                return reactor.core.publisher.Mono.just(0);
                            });
                })
                .reduce(Integer::sum)
                .block();

        assertEquals(1, wins);
    }

    @Test
    void shouldSurviveRestartsOfEveryEngineUnderLoad() throws Exception {
        Map<Integer, byte[]> acknowledged = new ConcurrentHashMap<>();
        CountDownLatch done = new CountDownLatch(1);
        Thread writer = new Thread(() -> {
            for (int i = 0; i < 300; i++) {
                byte[] b = bytes(i, 100 + (i % 3) * 4000);
                mesh.put(oid, key(i % 50), b);
                acknowledged.put(i % 50, b);
            }
            done.countDown();
        });
        writer.start();
        for (int r = 0; r < 3; r++) {
            while (acknowledged.size() < 10 * (r + 1) && done.getCount() > 0) Thread.onSpinWait();
            mesh.stop(r, r == 1);
            mesh.start(r);
        }
        writer.join();

        acknowledged.forEach(
                (i, b) -> assertArrayEquals(b, mesh.get(oid, key(i)).orElseThrow()));
        for (int r = 0; r < 3; r++) {
            mesh.stop(r, true);
            mesh.start(r);
        }
        acknowledged.forEach(
                (i, b) -> assertArrayEquals(b, mesh.get(oid, key(i)).orElseThrow()));
    }

    @Test
    void shouldNeverReturnDamagedBytes() {
        byte[] b = bytes(1, 8192);
        mesh.put(oid, key(1), b);
        PoolTarget leader = mesh.leader(oid, key(1));
        mesh.storages.get(leader.rank()).target(leader.index()).blob(mesh.pool).damage(10);
        ValueMessage v = MiniMesh.value("v", 0, 0, b);

        FaultException e = assertThrows(
                FaultException.class,
                () -> mesh.tryFetch(leader, oid, key(1), v, 0).block());

        assertEquals(FaultCode.CSUM, e.code());
        assertEquals(1, mesh.storages.get(leader.rank()).checksumErrors.get());
        long epoch = Long.parseLong(e.fault().argument("epoch").orElseThrow());
        List<Integer> settled = Placement.group(mesh.map, oid, key(1)).settled();
        PoolTarget second = mesh.map.target(settled.get(1));
        MiniMesh.Got got = mesh.retrying(x -> mesh.tryFetch(second, oid, key(1), v, epoch));
        assertArrayEquals(b, got.bytes());
    }
}
