package io.daosmesh.engine.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.fuzz.Oversized;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.ChangeRequest;
import io.daosmesh.model.wire.ContainerDestroyTargetRequest;
import io.daosmesh.model.wire.DtxBatchRequest;
import io.daosmesh.model.wire.DtxRefMessage;
import io.daosmesh.model.wire.DtxResolveRequest;
import io.daosmesh.model.wire.EnumerateRequest;
import io.daosmesh.model.wire.FetchRequest;
import io.daosmesh.model.wire.HandlesGoneRequest;
import io.daosmesh.model.wire.KeyChangeMessage;
import io.daosmesh.model.wire.LeasePoolMessage;
import io.daosmesh.model.wire.MigratedRecordMessage;
import io.daosmesh.model.wire.ObjectAddress;
import io.daosmesh.model.wire.PunchRequest;
import io.daosmesh.model.wire.ReadLeaseRequest;
import io.daosmesh.model.wire.RecordPullRequest;
import io.daosmesh.model.wire.TargetCreateRequest;
import io.daosmesh.model.wire.TargetDestroyRequest;
import io.daosmesh.model.wire.TargetQueryRequest;
import io.daosmesh.model.wire.UpdateRequest;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a rank is asked with one field that is too large or odd: refused, clearly, and nothing else happens. */
@Timeout(120)
class HostileRequestsTest {
    private static final byte[] DKEY = "dkey".getBytes(StandardCharsets.UTF_8);
    private static final byte[] BYTES = "some bytes".getBytes(StandardCharsets.UTF_8);
    private static final Set<FaultCode> CLEAR = Set.of(FaultCode.OVERFLOW, FaultCode.INVAL);

    private MiniMesh mesh;
    private ObjectId oid;

    @BeforeEach
    void open() {
        mesh = new MiniMesh(1, 1);
        oid = mesh.oid(ObjectClass.SINGLE, 1, 7);
        mesh.put(oid, DKEY, BYTES);
    }

    @AfterEach
    void close() throws Exception {
        mesh.close();
    }

    /** A right one of each kind. */
    private Map<RpcMethod, Message> requests() {
        Map<RpcMethod, Message> all = new EnumMap<>(RpcMethod.class);
        addOfObjects(all);
        all.put(RpcMethod.RECORD_PULL, recordPull());
        ByteString pool = Ids.bytes(mesh.pool);
        DtxBatchRequest dtxs = DtxBatchRequest.newBuilder()
                .setPool(pool)
                .addDtxs(DtxRefMessage.newBuilder().setDtx(WriteOp.dtxMessage(mesh.dtx())))
                .build();
        all.put(RpcMethod.DTX_COMMIT, dtxs);
        all.put(RpcMethod.DTX_ABORT, dtxs);
        all.put(RpcMethod.DTX_CHECK, dtxs);
        all.put(
                RpcMethod.TARGET_CREATE,
                TargetCreateRequest.newBuilder()
                        .setPool(pool)
                        .setScmBytesPerTarget(64 << 20)
                        .setMap(mesh.map.toWire())
                        .build());
        all.put(
                RpcMethod.TARGET_DESTROY,
                TargetDestroyRequest.newBuilder().setPool(pool).build());
        all.put(
                RpcMethod.TARGET_QUERY,
                TargetQueryRequest.newBuilder().setPool(pool).build());
        all.put(
                RpcMethod.CONTAINER_DESTROY_TARGET,
                ContainerDestroyTargetRequest.newBuilder()
                        .setPool(pool)
                        .setContainer(Ids.bytes(mesh.container))
                        .build());
        all.put(
                RpcMethod.READ_LEASE,
                ReadLeaseRequest.newBuilder()
                        .addPools(LeasePoolMessage.newBuilder().setPool(pool))
                        .build());
        all.put(
                RpcMethod.HANDLES_GONE,
                HandlesGoneRequest.newBuilder()
                        .setPool(pool)
                        .addHandles(ByteString.copyFrom(new byte[16]))
                        .build());
        return all;
    }

    private Message recordPull() {
        ByteString key = ByteString.copyFrom(DKEY);
        return RecordPullRequest.newBuilder()
                .setAddress(mesh.wire(
                        mesh.address(oid, DKEY), mesh.leader(oid, DKEY).index()))
                .setRecord(MigratedRecordMessage.newBuilder()
                        .setDkey(key)
                        .setAkey(key)
                        .addCommitted(DtxRefMessage.newBuilder().setDtx(WriteOp.dtxMessage(mesh.dtx()))))
                .build();
    }

    private void addOfObjects(Map<RpcMethod, Message> all) {
        ObjectAddress at =
                mesh.wire(mesh.address(oid, DKEY), mesh.leader(oid, DKEY).index());
        ByteString dkey = ByteString.copyFrom(DKEY);
        var value = MiniMesh.value("v", 0, 0, BYTES);
        var dtx = WriteOp.dtxMessage(mesh.dtx());
        UpdateRequest update = UpdateRequest.newBuilder()
                .setAddress(at)
                .setDkey(dkey)
                .addValues(value)
                .setDtx(dtx)
                .build();
        PunchRequest punch = PunchRequest.newBuilder()
                .setAddress(at)
                .setLevel(1)
                .setDkey(dkey)
                .setDtx(dtx)
                .build();
        ChangeRequest change = ChangeRequest.newBuilder()
                .setAddress(at)
                .addChanges(KeyChangeMessage.newBuilder().setDkey(dkey).addValues(value))
                .setDtx(dtx)
                .build();
        all.put(RpcMethod.OBJECT_UPDATE, update);
        all.put(RpcMethod.OBJECT_PUNCH, punch);
        all.put(RpcMethod.OBJECT_CHANGE, change);
        all.put(RpcMethod.SHARD_UPDATE, update.toBuilder().setForwarded(true).build());
        all.put(RpcMethod.SHARD_PUNCH, punch.toBuilder().setForwarded(true).build());
        all.put(RpcMethod.SHARD_CHANGE, change.toBuilder().setForwarded(true).build());
        all.put(
                RpcMethod.OBJECT_FETCH,
                FetchRequest.newBuilder()
                        .setAddress(at)
                        .setDkey(dkey)
                        .addValues(value)
                        .build());
        all.put(
                RpcMethod.OBJECT_ENUMERATE,
                EnumerateRequest.newBuilder()
                        .setAddress(at)
                        .setDkey(dkey)
                        .setKind(1)
                        .setCountMax(10)
                        .build());
        all.put(
                RpcMethod.DTX_RESOLVE,
                DtxResolveRequest.newBuilder()
                        .setAddress(at)
                        .setDkey(dkey)
                        .setDtx(dtx)
                        .build());
    }

    private Fault refusal(RpcMethod method, Message body) {
        Rpc as = method.name().startsWith("OBJECT_") ? mesh.wire : mesh.wire.from(0);
        RpcMessage message = new RpcMessage(body, ByteBuffer.wrap(BYTES), () -> {});
        return assertThrows(
                        FaultException.class,
                        () -> as.call(new Endpoint("host", 1, 0), method, message, MiniMesh.WAIT, r -> 1)
                                .block(),
                        () -> method + " was taken")
                .fault();
    }

    @Test
    void shouldKnowAnAttackForEachRequestWhenItIsServed() {
        assertEquals(mesh.wire.methods(0), requests().keySet());
    }

    @Test
    @Tag("slow")
    void shouldRefuseEachFieldOfEachRequestWhenItIsTooLarge() {
        requests().forEach((method, right) -> {
            List<Message> attacks = Oversized.of(right);
            assertFalse(attacks.isEmpty());
            for (int i = 0; i < attacks.size(); i++) {
                Fault f = refusal(method, attacks.get(i));
                assertTrue(CLEAR.contains(f.code()), method + " " + i + ": " + f.code() + " " + f.message());
                assertTrue(f.message().length() < 200, f.message());
            }
        });

        assertArrayEquals(BYTES, mesh.get(oid, DKEY).orElseThrow());
    }
}
