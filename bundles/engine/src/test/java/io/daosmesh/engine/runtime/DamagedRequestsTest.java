package io.daosmesh.engine.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.model.fuzz.Fuzz;
import io.daosmesh.model.fuzz.RawBody;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.ChangeRequest;
import io.daosmesh.model.wire.EnumerateRequest;
import io.daosmesh.model.wire.FetchRequest;
import io.daosmesh.model.wire.KeyChangeMessage;
import io.daosmesh.model.wire.ObjectAddress;
import io.daosmesh.model.wire.PunchRequest;
import io.daosmesh.model.wire.UpdateRequest;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.EnumMap;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Object requests that are damaged: each gets a clear answer, and the target goes on. */
@Tag("fuzz")
@Timeout(600)
class DamagedRequestsTest {
    private static final byte[] DKEY = "dkey".getBytes(StandardCharsets.UTF_8);
    private static final byte[] BYTES = "some bytes".getBytes(StandardCharsets.UTF_8);

    private static Map<RpcMethod, MessageLite> requests(MiniMesh mesh, ObjectId oid, PoolTarget leader) {
        ObjectAddress at = mesh.wire(mesh.address(oid, DKEY), leader.index());
        ByteString dkey = ByteString.copyFrom(DKEY);
        var value = MiniMesh.value("v", 0, 0, BYTES);
        var dtx = WriteOp.dtxMessage(mesh.dtx());
        Map<RpcMethod, MessageLite> all = new EnumMap<>(RpcMethod.class);
        all.put(
                RpcMethod.OBJECT_UPDATE,
                UpdateRequest.newBuilder()
                        .setAddress(at)
                        .setDkey(dkey)
                        .addValues(value)
                        .setDtx(dtx)
                        .build());
        all.put(
                RpcMethod.OBJECT_PUNCH,
                PunchRequest.newBuilder()
                        .setAddress(at)
                        .setLevel(1)
                        .setDkey(dkey)
                        .setDtx(dtx)
                        .build());
        all.put(
                RpcMethod.OBJECT_CHANGE,
                ChangeRequest.newBuilder()
                        .setAddress(at)
                        .addChanges(KeyChangeMessage.newBuilder().setDkey(dkey).addValues(value))
                        .setDtx(dtx)
                        .build());
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
        return all;
    }

    @Test
    void shouldAnswerDamagedRequestsAndGoOn() throws Exception {
        try (MiniMesh mesh = new MiniMesh(1, 1)) {
            ObjectId oid = mesh.oid(ObjectClass.SINGLE, 1, 7);
            ObjectId untouched = mesh.oid(ObjectClass.SINGLE, 1, 8);
            mesh.put(oid, DKEY, BYTES);
            mesh.put(untouched, DKEY, BYTES);
            Map<RpcMethod, MessageLite> all = requests(mesh, oid, mesh.leader(oid, DKEY));
            for (Map.Entry<RpcMethod, MessageLite> e : all.entrySet()) {
                Fuzz fuzz = Fuzz.of("request " + e.getKey()).good(e.getValue().toByteArray());
                for (int i = 0; i < Fuzz.runs() / 4; i++) {
                    Fuzz.check(
                            "request " + e.getKey() + " run " + i,
                            fuzz.input(i),
                            in -> mesh.call(0, e.getKey(), RawBody.of(in), ByteBuffer.wrap(BYTES), r -> 1)
                                    .block(MiniMesh.WAIT));
                }
            }

            assertArrayEquals(BYTES, mesh.get(untouched, DKEY).orElseThrow());
        }
    }
}
