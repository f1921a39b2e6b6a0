package io.daosmesh.engine.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.daosmesh.engine.shard.KeyChange;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.DtxId;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.KeyChangeMessage;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Atomic changes of several dkeys on three whole engines that lose messages and leaders. */
@Timeout(60)
class AtomicChangeTest {
    private static final byte[] AKEY = {'v'};
    private static final byte[] A = {'a'};
    private static final byte[] B = {'b'};

    private final MiniMesh mesh = new MiniMesh(3, 1);
    private final ObjectId oid = mesh.oid(ObjectClass.RP_3, 1, 5);

    @AfterEach
    void close() {
        mesh.close();
        mesh.storages.forEach(s -> assertEquals(0, s.buffers().usedBytes()));
    }

    private static KeyChange put(byte[] dkey, byte[] bytes, long version) {
        return new KeyChange(
                dkey,
                List.of(MiniMesh.value("v", 0, 0, bytes)),
                false,
                KeyChangeMessage.Condition.VERSION,
                AKEY,
                version);
    }

    private static KeyChange punch(byte[] dkey, long version) {
        return new KeyChange(dkey, List.of(), true, KeyChangeMessage.Condition.VERSION, AKEY, version);
    }

    private long version(byte[] dkey) {
        return mesh.fetch(oid, dkey, "v", 0, 0, 0).value().getVersion();
    }

    private PoolMap without(int rank) {
        return mesh.map.withStates(
                mesh.map.ofRank(rank).stream().map(PoolTarget::id).collect(Collectors.toSet()), TargetState.DOWN);
    }

    @Test
    void shouldMoveAValueFromOneKeyToAnother() {
        long first = mesh.change(oid, List.of(put(A, new byte[] {1}, 0)), new byte[] {1});
        assertEquals(first, version(A));

        long second = mesh.change(oid, List.of(punch(A, first), put(B, new byte[5000], 0)), new byte[5000]);

        assertEquals(Optional.empty(), mesh.get(oid, A));
        assertArrayEquals(new byte[5000], mesh.get(oid, B).orElseThrow());
        assertEquals(second, version(B));
        FaultException e = assertThrows(
                FaultException.class,
                () -> mesh.change(oid, List.of(punch(B, first), put(A, new byte[1], 0)), new byte[1]));
        assertEquals(FaultCode.TX_RESTART, e.code());
        assertEquals(0, mesh.retries.get());
        mesh.push(without(mesh.leader(oid, A).rank()));
        assertEquals(second, version(B));
        assertEquals(0, version(A));
    }

    @Test
    void shouldRecogniseAResendWhoseFirstAnswerWasLost() {
        int leader = mesh.leader(oid, A).rank();
        DtxId id = mesh.dtx();
        List<KeyChange> change = List.of(put(A, new byte[] {1}, 0), put(B, new byte[] {1}, 0));
        long first = mesh.tryChange(oid, change, new byte[] {1, 1}, id, false).block(MiniMesh.WAIT);
        long second = mesh.change(oid, List.of(put(A, new byte[] {2}, first)), new byte[] {2});

        long again = mesh.retrying(x -> mesh.tryChange(oid, change, new byte[] {1, 1}, id, true));
        assertEquals(first, again);
        assertEquals(second, version(A));
        mesh.stop(leader, true);
        mesh.push(without(leader));

        long later = mesh.retrying(x -> mesh.tryChange(oid, change, new byte[] {1, 1}, id, true));
        assertEquals(first, later);
        assertArrayEquals(new byte[] {2}, mesh.get(oid, A).orElseThrow());
    }

    @Test
    void shouldChangeBothKeysOrNoneWhenAMemberIsLostOnTheWay() {
        mesh.change(oid, List.of(put(A, new byte[] {1}, 0), put(B, new byte[] {1}, 0)), new byte[] {1, 1});
        int leader = mesh.leader(oid, A).rank();
        int silent = (leader + 1) % 3;
        mesh.wire.losesRequest = (r, m) -> r == silent && m == RpcMethod.SHARD_CHANGE || m == RpcMethod.DTX_ABORT;
        List<KeyChange> change = List.of(put(A, new byte[] {2}, version(A)), put(B, new byte[] {2}, version(B)));
        FaultException e = assertThrows(
                FaultException.class,
                () -> mesh.tryChange(oid, change, new byte[] {2, 2}, mesh.dtx(), false)
                        .block(MiniMesh.WAIT));
        assertEquals(FaultCode.AGAIN, e.code());

        mesh.stop(leader, true);
        mesh.push(without(leader));

        assertArrayEquals(new byte[] {1}, mesh.get(oid, A).orElseThrow());
        assertArrayEquals(new byte[] {1}, mesh.get(oid, B).orElseThrow());
    }

    /** Both counters rise together or not at all; each acknowledged rise counts once, whatever is lost. */
    @Test
    void shouldNotLoseARiseOfTwoCountersWhenAnswersAndALeaderAreLost() throws Exception {
        byte[] zero = counter(0);
        mesh.change(oid, List.of(put(A, zero, 0), put(B, zero, 0)), twice(zero));
        Random random = new Random(4);
        mesh.wire.losesReply = (r, m) -> {
            synchronized (random) {
                return (m == RpcMethod.OBJECT_CHANGE || m == RpcMethod.SHARD_CHANGE) && random.nextInt(20) == 0;
            }
        };
        AtomicInteger rises = new AtomicInteger();
        ExecutorService threads = Executors.newFixedThreadPool(3);
        List<Future<?>> all = java.util.stream.IntStream.range(0, 3)
                .<Future<?>>mapToObj(i -> threads.submit(() -> riseOften(rises)))
                .toList();
        while (rises.get() < 10) Thread.onSpinWait();
        int leader = mesh.leader(oid, A).rank();
        mesh.stop(leader, true);
        mesh.push(without(leader));
        for (Future<?> f : all) f.get();
        threads.shutdown();
        mesh.wire.losesReply = (r, m) -> false;

        long a = ByteBuffer.wrap(mesh.get(oid, A).orElseThrow()).getLong();
        assertArrayEquals(counter(a), mesh.get(oid, B).orElseThrow());
        assertEquals(version(A), version(B));
        assertEquals(rises.get(), a);
    }

    private void riseOften(AtomicInteger rises) {
        for (int i = 0; i < 12; i++) {
            MiniMesh.Got a = mesh.fetch(oid, A, "v", 0, 0, 0);
            MiniMesh.Got b = mesh.fetch(oid, B, "v", 0, 0, 0);
            // read one after the other, so only the condition makes them one state
            byte[] next = counter(ByteBuffer.wrap(a.bytes()).getLong() + 1);
            List<KeyChange> change = List.of(
                    put(A, next, a.value().getVersion()), put(B, next, b.value().getVersion()));
            try {
                mesh.change(oid, change, twice(next));
                rises.incrementAndGet();
            } catch (FaultException e) {
                assertEquals(FaultCode.TX_RESTART, e.code());
            }
        }
    }

    private static byte[] counter(long n) {
        return ByteBuffer.allocate(8).putLong(n).array();
    }

    private static byte[] twice(byte[] bytes) {
        return ByteBuffer.allocate(2 * bytes.length).put(bytes).put(bytes).array();
    }
}
