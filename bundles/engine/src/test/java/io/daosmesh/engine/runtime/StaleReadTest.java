package io.daosmesh.engine.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.daosmesh.engine.shard.ShardAddress;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.placement.Placement;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.FetchRequest;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolFindReply;
import io.daosmesh.model.wire.ValueMessage;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import reactor.core.publisher.Mono;

/** A leader or another replica that lives but is cut off from the others, and a client that still reaches it. */
@Timeout(60)
class StaleReadTest {
    private static final byte[] KEY = {'k'};
    private static final byte[] OLD = {1};
    private static final byte[] NEW = {2, 2};

    private final MiniMesh mesh = new MiniMesh(3, 1);
    private final ObjectId oid = mesh.oid(ObjectClass.RP_3, 1, 5);
    private final PoolMap first = mesh.map;
    private final PoolTarget former = mesh.leader(oid, KEY);
    private final PoolTarget follower =
            first.target(Placement.group(first, oid, KEY).settled().get(1));
    private final AtomicBoolean isStopped = new AtomicBoolean();

    private record Read(long startNs, int length) {}

    @AfterEach
    void close() {
        isStopped.set(true);
        mesh.close();
        mesh.storages.forEach(s -> assertEquals(0, s.buffers().usedBytes()));
    }

    /** Reads there with the first map, as a client does that has not heard of another. */
    private List<Read> readOld(PoolTarget at, int inFlight) {
        List<Read> reads = Collections.synchronizedList(new ArrayList<>());
        FetchRequest r = FetchRequest.newBuilder()
                .setAddress(mesh.wire(new ShardAddress(mesh.pool, mesh.container, oid, 0, first.version()), at.index()))
                .setDkey(ByteString.copyFrom(KEY))
                .addValues(ValueMessage.newBuilder().setAkey(ByteString.copyFromUtf8("v")))
                .setAnyReplica(at != former)
                .build();
        for (int i = 0; i < inFlight; i++) again(at.rank(), r, reads);
        return reads;
    }

    private void again(int rank, FetchRequest r, List<Read> reads) {
        if (isStopped.get()) return;
        long start = System.nanoTime();
        mesh.call(
                        rank,
                        RpcMethod.OBJECT_FETCH,
                        r,
                        RpcMessage.NO_DATA,
                        x -> x.data().remaining())
                .subscribe(
                        length -> {
                            reads.add(new Read(start, length));
                            again(rank, r, reads);
                        },
                        e -> {
                            LockSupport.parkNanos(2_000_000);
                            again(rank, r, reads);
                        });
    }

    private static void await(java.util.function.BooleanSupplier condition) {
        long end = System.nanoTime() + 10_000_000_000L;
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < end, "in time");
            LockSupport.parkNanos(5_000_000);
        }
    }

    /** Everybody but the rank learns that it is out. */
    private void cutOffAndExclude(int rank) {
        mesh.wire.cuts = (from, to) -> from >= 0 && to >= 0 && (from == rank) != (to == rank);
        PoolMap second = first.withStates(
                first.ofRank(rank).stream().map(PoolTarget::id).collect(Collectors.toSet()), TargetState.DOWN);
        mesh.map = second;
        for (int r = 0; r < 3; r++) if (r != rank) mesh.maps.get(r).push(second);
    }

    private void checkThatNoReadIsStale(PoolTarget at, Runnable meanwhile) {
        mesh.put(oid, KEY, OLD);
        assertArrayEquals(OLD, mesh.get(oid, KEY).orElseThrow());
        List<Read> reads = readOld(at, 2);
        await(() -> reads.size() > 50);
        long cut = System.nanoTime();
        cutOffAndExclude(at.rank());
        meanwhile.run();
        long begun = System.nanoTime();

        mesh.put(oid, KEY, NEW);

        long acknowledged = System.nanoTime();
        assertTrue(acknowledged - begun < 1_500_000_000L, "ms: " + (acknowledged - begun) / 1_000_000);
        assertArrayEquals(NEW, mesh.get(oid, KEY).orElseThrow());
        LockSupport.parkNanos(300_000_000L);
        synchronized (reads) {
            if (at == former)
                assertTrue(reads.stream().anyMatch(r -> r.startNs > cut), "it went on reading for a while");
            for (Read r : reads) {
                boolean isAfter = r.startNs - acknowledged > 0;
                assertTrue(!isAfter, "stale by ms: " + (r.startNs - acknowledged) / 1_000_000);
            }
        }
    }

    @Test
    void shouldNotReadAtAFormerLeaderWhatTheNewOneHasOverwritten() {
        checkThatNoReadIsStale(former, () -> {});
    }

    @Test
    void shouldWaitForTheFormerLeaderEvenAfterARestart() {
        checkThatNoReadIsStale(former, () -> {
            for (int r = 0; r < 3; r++) {
                if (r == former.rank()) continue;
                mesh.stop(r, true);
                mesh.start(r);
            }
        });
    }

    @Test
    void shouldNotReadAtAReplicaThatIsOutWhatOthersHaveOverwritten() {
        startService();

        checkThatNoReadIsStale(follower, () -> {});
    }

    /** Nothing but the leader's silence: neither an exclusion nor a lease that ends. */
    @Test
    void shouldReadAtAReplicaWhileTheLeaderIsSilent() {
        startService();
        mesh.put(oid, KEY, OLD);
        List<Read> reads = readOld(follower, 1);
        await(() -> reads.size() > 10);
        mesh.wire.cuts = (from, to) -> from == former.rank() || to == former.rank();

        int before = reads.size();
        await(() -> reads.size() > before + 50);
        isStopped.set(true);

        synchronized (reads) {
            assertTrue(reads.stream().allMatch(r -> r.length == OLD.length), "the value that was acknowledged");
        }
    }

    private void startService() {
        mesh.wire
                .server()
                .register(
                        Endpoint.NODE,
                        RpcMethod.POOL_FIND,
                        call -> Mono.just(RpcMessage.of(PoolFindReply.newBuilder()
                                .setEntry(PoolEntryMessage.newBuilder().addServiceRanks(0))
                                .setGroupMap(mesh.maps.get(0).groupMap().toWire())
                                .build())));
        mesh.wire
                .server()
                .register(Endpoint.NODE, RpcMethod.POOL_MAP, call -> Mono.just(RpcMessage.of(mesh.map.toWire())));
    }

    @Test
    void shouldReadWithTheWordOfThePoolServiceWhileAMemberIsSilent() {
        startService();
        mesh.put(oid, KEY, OLD);
        int silent = mesh.map
                .target(Placement.group(mesh.map, oid, KEY).settled().get(2))
                .rank();
        mesh.wire.cuts = (from, to) -> from == silent || to == silent;
        LockSupport.parkNanos(1_000_000_000L);

        long begun = System.nanoTime();
        for (int i = 0; i < 5; i++) assertArrayEquals(OLD, mesh.get(oid, KEY).orElseThrow());

        assertTrue(System.nanoTime() - begun < 1_500_000_000L, "ms: " + (System.nanoTime() - begun) / 1_000_000);
        assertEquals(0, mesh.retries.get());
    }
}
