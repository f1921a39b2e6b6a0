package io.daosmesh.rebuild.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.fuzz.Oversized;
import io.daosmesh.model.port.EngineMigration;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.RpcCall;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.rpc.RpcServer;
import io.daosmesh.model.wire.RebuildChangesRequest;
import io.daosmesh.model.wire.RebuildFinishRequest;
import io.daosmesh.model.wire.RebuildObjectMessage;
import io.daosmesh.model.wire.RebuildObjectsRequest;
import io.daosmesh.model.wire.RebuildPrepareRequest;
import io.daosmesh.model.wire.RebuildPullRequest;
import io.daosmesh.model.wire.RebuildScanRequest;
import io.daosmesh.model.wire.RebuildSession;
import io.daosmesh.model.wire.RebuildStatusRequest;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What a rank is asked about a rebuild with one field that is too large or odd is refused before anybody looks at it. */
class HostileRequestsTest {
    private static final ByteString ID = ByteString.copyFrom(new byte[16]);
    private static final Set<FaultCode> CLEAR = Set.of(FaultCode.OVERFLOW, FaultCode.INVAL);

    private final Map<RpcMethod, RpcServer.Handler> calls = new EnumMap<>(RpcMethod.class);
    private final Map<RpcMethod, RpcServer.StreamHandler> streams = new EnumMap<>(RpcMethod.class);

    /** A right one of each kind. */
    private static Map<RpcMethod, Message> requests() {
        RebuildSession session = RebuildSession.newBuilder()
                .setPool(ID)
                .setLeader("host:1")
                .setOperation("Rebuild")
                .build();
        RebuildObjectMessage object =
                RebuildObjectMessage.newBuilder().setContainer(ID).build();
        return Map.of(
                RpcMethod.REBUILD_PREPARE,
                RebuildPrepareRequest.newBuilder().setSession(session).build(),
                RpcMethod.REBUILD_SCAN,
                RebuildScanRequest.newBuilder().setSession(session).build(),
                RpcMethod.REBUILD_OBJECTS,
                RebuildObjectsRequest.newBuilder()
                        .setSession(session)
                        .addObjects(object)
                        .build(),
                RpcMethod.REBUILD_PULL,
                RebuildPullRequest.newBuilder()
                        .setSession(session)
                        .setObject(object)
                        .build(),
                RpcMethod.REBUILD_CHANGES,
                RebuildChangesRequest.newBuilder()
                        .setSession(session)
                        .addObjects(object)
                        .addSince(1)
                        .build(),
                RpcMethod.REBUILD_STATUS,
                RebuildStatusRequest.newBuilder().setSession(session).build(),
                RpcMethod.REBUILD_FINISH,
                RebuildFinishRequest.newBuilder().setSession(session).build());
    }

    private final class Registered implements RpcServer {
        @Override
        public Registration register(int rank, RpcMethod method, Handler handler) {
            calls.put(method, handler);
            return () -> {};
        }

        @Override
        public Registration registerStream(int rank, RpcMethod method, StreamHandler handler) {
            streams.put(method, handler);
            return () -> {};
        }

        @Override
        public String address() {
            return "host:1";
        }
    }

    /** Has a rank and can do nothing, like the parts it is given. */
    private void serve() {
        EngineMigration engine = (EngineMigration) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {EngineMigration.class}, (self, method, args) -> {
                    if (method.getName().equals("rank")) return 0;
                    throw new IllegalStateException(method.getName() + " was asked for");
                });
        new RankRebuild(engine, new SessionIo.Parts(null, null, null, null), new Registered()).register();
    }

    private FaultException refusal(RpcMethod method, Message body) {
        RpcCall call = new RpcCall(
                method,
                new RpcCall.Peer(Role.SERVER, 1, 1, "", ""),
                0,
                0,
                ByteBuffer.wrap(body.toByteArray()),
                ByteBuffer.allocate(0));
        return assertThrows(FaultException.class, () -> {
            if (method.kind() == RpcMethod.Kind.STREAM)
                streams.get(method).handle(call).blockLast();
            else calls.get(method).handle(call).block();
        });
    }

    @Test
    void shouldRefuseEachFieldOfEachRequestWhenItIsTooLarge() {
        serve();
        calls.keySet().forEach(m -> assertTrue(requests().containsKey(m), m.name()));
        assertEquals(requests().size(), calls.size() + streams.size());

        requests().forEach((method, right) -> {
            List<Message> attacks = Oversized.of(right);
            assertFalse(attacks.isEmpty());
            for (Message attack : attacks) {
                FaultException e = refusal(method, attack);
                assertTrue(CLEAR.contains(e.code()), method + ": " + e.fault().message());
            }
        });
    }
}
