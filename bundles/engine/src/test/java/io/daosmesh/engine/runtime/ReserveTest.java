package io.daosmesh.engine.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.TargetQueryReply;
import io.daosmesh.model.wire.TargetQueryRequest;
import io.daosmesh.model.wire.ValueMessage;
import io.daosmesh.storage.bio.Allocator;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A pool with {@code space_rb}: full for its clients, and with room for rebuild. */
@Timeout(60)
class ReserveTest {
    private static final int BYTES = 256 << 10;
    private static final int RANKS = 4;

    private final MiniMesh mesh = new MiniMesh(RANKS, 1);
    private final List<ObjectId> objects = new ArrayList<>();
    private final List<Integer> written = new ArrayList<>();
    private int next;

    ReserveTest() {
        for (int i = 0; i < 64; i++) objects.add(mesh.oid(ObjectClass.RP_2, 1, i));
        for (var m : mesh.maps) m.properties(mesh.pool, Map.of("space_rb", "40"));
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

    private static byte[] bytes(int i) {
        byte[] b = new byte[BYTES];
        java.util.Arrays.fill(b, (byte) (i + 1));
        return b;
    }

    private Fault put(int i) {
        ValueMessage v = MiniMesh.value("v", 0, 0, bytes(i));
        try {
            mesh.tryUpdate(oid(i), key(i), v, bytes(i), new WriteOp.Dtx(mesh.dtx(), 0, 0, false))
                    .block(MiniMesh.WAIT);
            return Fault.of(FaultCode.ALREADY);
        } catch (FaultException e) {
            return e.fault();
        }
    }

    /** Until no group takes anything more. */
    private void fill() {
        int refused = 0;
        while (refused < objects.size()) {
            FaultCode code = put(next).code();
            if (code == FaultCode.ALREADY) {
                written.add(next);
                refused = 0;
            } else {
                assertEquals(FaultCode.NOSPACE, code);
                refused++;
            }
            next++;
        }
    }

    private Allocator device(int rank) {
        return mesh.storages.get(rank).target(0).pool(mesh.pool).blob().allocator();
    }

    private long shownFree(int rank) {
        TargetQueryRequest r =
                TargetQueryRequest.newBuilder().setPool(Ids.bytes(mesh.pool)).build();
        TargetQueryReply reply = mesh.call(
                        rank, RpcMethod.TARGET_QUERY, r, RpcMessage.NO_DATA, x -> TargetQueryReply.parseFrom(x.body()))
                .block(MiniMesh.WAIT);
        return reply.getTargets(0).getNvmeFree();
    }

    private void check() {
        for (int i : written)
            assertArrayEquals(bytes(i), mesh.get(oid(i), key(i)).orElseThrow());
    }

    @Test
    void shouldRebuildAPoolThatIsFullForItsClients() {
        fill();
        long total = device(0).freeBytes() + device(0).usedBytes();
        for (int r = 0; r < RANKS; r++)
            assertTrue(
                    device(r).freeBytes() >= total / 100 * 40,
                    "rank " + r + " has " + device(r).freeBytes());
        assertTrue(shownFree(0) < BYTES || shownFree(1) < BYTES || shownFree(2) < BYTES || shownFree(3) < BYTES);
        Set<Integer> gone = mesh.map.ofRank(1).stream().map(PoolTarget::id).collect(Collectors.toSet());

        mesh.push(mesh.map.withStates(gone, TargetState.DOWN));
        HandRebuild.run(mesh, 1);
        mesh.push(mesh.map.afterRebuild(2));

        check();
        for (int r : new int[] {0, 2, 3})
            assertTrue(device(r).freeBytes() < total / 100 * 40, "rank " + r + " has used its reserve");
        assertEquals(0, shownFree(0) + shownFree(2) + shownFree(3));
        assertEquals(FaultCode.NOSPACE, put(next).code());
    }

    @Test
    void shouldTakeMoreOnceSomethingIsDeletedOrTheReserveIsLower() {
        fill();
        int first = written.get(0);
        Fault full = put(first + objects.size() * 1000);
        assertEquals(FaultCode.NOSPACE, full.code());
        assertTrue(full.message().contains("space_rb"), full.message());

        mesh.maps.forEach(m -> m.properties(mesh.pool, Map.of("space_rb", "20")));
        fill();
        check();
        mesh.maps.forEach(m -> m.properties(mesh.pool, Map.of()));
        fill();
        check();

        for (int i : written) mesh.punch(oid(i), 1, key(i));
        for (int i : written) assertTrue(mesh.get(oid(i), key(i)).isEmpty(), "a full pool can be emptied");
    }
}
