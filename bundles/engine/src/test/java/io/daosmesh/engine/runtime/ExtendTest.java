package io.daosmesh.engine.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.PoolTargetMessage;
import io.daosmesh.model.wire.TargetDestroyRequest;
import io.daosmesh.model.wire.TargetQueryRequest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A rank more for a pool, as its engine sees it. */
@Timeout(60)
class ExtendTest {
    private static final int SPARE = 3;

    private final MiniMesh mesh = new MiniMesh(4, 2, 1);
    private final List<ObjectId> objects = new ArrayList<>();
    private final Map<Integer, byte[]> written = new HashMap<>();

    ExtendTest() {
        for (int i = 0; i < 24; i++) objects.add(mesh.oid(i % 2 == 0 ? ObjectClass.RP_2 : ObjectClass.RP_3, 1, i));
    }

    @AfterEach
    void close() {
        mesh.close();
        mesh.storages.forEach(s -> assertEquals(0, s.buffers().usedBytes()));
    }

    private ObjectId oid(int i) {
        return objects.get(i % objects.size());
    }

    private static byte[] key(int i) {
        return ("k" + i).getBytes(java.nio.charset.StandardCharsets.UTF_8);
    }

    private void write(int from, int to) {
        Random random = new Random(from);
        for (int i = from; i < to; i++) {
            byte[] b = new byte[i % 3 == 0 ? 50_000 : 300];
            random.nextBytes(b);
            mesh.put(oid(i), key(i), b);
            written.put(i, b);
        }
    }

    private void check() {
        written.forEach((i, b) -> assertArrayEquals(b, mesh.get(oid(i), key(i)).orElseThrow()));
    }

    private void extend() {
        List<PoolTargetMessage> added = new ArrayList<>();
        for (int t = 0; t < 2; t++)
            added.add(PoolTargetMessage.newBuilder()
                    .setRank(SPARE)
                    .setIndex(t)
                    .setFaultDomain("/n" + SPARE)
                    .build());
        mesh.push(mesh.map.extended(added));
    }

    private long used(int rank) {
        long bytes = 0;
        for (int t = 0; t < 2; t++)
            bytes += mesh.storages
                    .get(rank)
                    .target(t)
                    .pool(mesh.pool)
                    .blob()
                    .allocator()
                    .usedBytes();
        return bytes;
    }

    @Test
    void shouldServeOnWhileTheNewRankIsFilledAndThenWithoutTheOldOnes() {
        write(0, 96);
        long before = used(0) + used(1) + used(2);
        mesh.createPool(SPARE, 1);
        extend();
        check();
        write(96, 120);
        for (int i = 0; i < 96; i += 5) {
            mesh.punch(oid(i), 1, key(i));
            written.remove(i);
        }
        HandRebuild.run(mesh, -1);
        mesh.push(mesh.map.afterRebuild(2));

        check();
        long after = used(SPARE);
        assertTrue(after > before / 8 && after < before / 2, after + " of " + before);
        Set<Integer> gone = mesh.map.ofRank(0).stream().map(PoolTarget::id).collect(Collectors.toSet());
        mesh.push(mesh.map.withStates(gone, TargetState.DOWN));
        check();
        for (int i = 0; i < 96; i += 5)
            assertTrue(mesh.get(oid(i), key(i)).isEmpty(), "what was punched meanwhile is gone there, too");
    }

    private FaultCode destroy(long term) {
        TargetDestroyRequest r = TargetDestroyRequest.newBuilder()
                .setPool(Ids.bytes(mesh.pool))
                .setTerm(term)
                .build();
        return refusal(RpcMethod.TARGET_DESTROY, r);
    }

    private FaultCode refusal(RpcMethod method, com.google.protobuf.MessageLite r) {
        try {
            mesh.call(SPARE, method, r, RpcMessage.NO_DATA, x -> 1).block(MiniMesh.WAIT);
            return FaultCode.ALREADY;
        } catch (FaultException e) {
            return e.code();
        }
    }

    private FaultCode query() {
        return refusal(
                RpcMethod.TARGET_QUERY,
                TargetQueryRequest.newBuilder().setPool(Ids.bytes(mesh.pool)).build());
    }

    @Test
    void shouldUndoAnExtensionOnlyForWhoBeganItLast() {
        mesh.createPool(SPARE, 4);
        mesh.createPool(SPARE, 5);

        assertEquals(FaultCode.STALE, destroy(4), "a later leader has gone on");
        assertEquals(
                FaultCode.STALE,
                assertThrows(FaultException.class, () -> mesh.createPool(SPARE, 4))
                        .code());
        assertEquals(FaultCode.ALREADY, query());
        assertEquals(FaultCode.ALREADY, destroy(5));
        assertEquals(FaultCode.NONEXIST, query());
        assertEquals(FaultCode.ALREADY, destroy(5), "there is nothing left to undo");

        mesh.createPool(SPARE, 6);
        extend();

        assertEquals(FaultCode.STALE, destroy(6), "the pool counts on it");
        assertEquals(FaultCode.STALE, destroy(7));
        assertEquals(FaultCode.ALREADY, query());
        assertEquals(FaultCode.ALREADY, destroy(0), "the pool is destroyed");
        assertEquals(FaultCode.NONEXIST, query());
    }
}
