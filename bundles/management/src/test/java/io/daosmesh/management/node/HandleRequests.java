package io.daosmesh.management.node;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.AclRequest;
import io.daosmesh.model.wire.ContainerCloseRequest;
import io.daosmesh.model.wire.ContainerOpenRequest;
import io.daosmesh.model.wire.HandleCheckRequest;
import io.daosmesh.model.wire.OwnerRequest;
import io.daosmesh.model.wire.PoolConnectRequest;
import io.daosmesh.model.wire.PoolDisconnectRequest;
import io.daosmesh.model.wire.PoolEvictRequest;
import java.util.EnumMap;
import java.util.Map;
import java.util.UUID;

/** One request of each method about handles, lists and owners, of sizes as they should be. */
final class HandleRequests {
    private HandleRequests() {}

    static Map<RpcMethod, Message> of(UUID pool) {
        ByteString uuid = Ids.bytes(pool);
        ByteString handle = Ids.bytes(new UUID(5, 6));
        String at = pool.toString();
        Map<RpcMethod, Message> all = new EnumMap<>(RpcMethod.class);
        all.put(
                RpcMethod.POOL_CONNECT,
                PoolConnectRequest.newBuilder().setPool(at).setFlags(1).build());
        all.put(
                RpcMethod.POOL_DISCONNECT,
                PoolDisconnectRequest.newBuilder()
                        .setPool(uuid)
                        .setHandle(handle)
                        .build());
        all.put(RpcMethod.POOL_EVICT, PoolEvictRequest.newBuilder().setPool(at).build());
        all.put(RpcMethod.POOL_ACL, AclRequest.newBuilder().setPool(at).build());
        all.put(
                RpcMethod.CONTAINER_OPEN,
                ContainerOpenRequest.newBuilder()
                        .setPool(uuid)
                        .setPoolHandle(handle)
                        .setContainer("c1")
                        .setFlags(1)
                        .build());
        all.put(
                RpcMethod.CONTAINER_CLOSE,
                ContainerCloseRequest.newBuilder()
                        .setPool(uuid)
                        .setHandle(handle)
                        .build());
        all.put(
                RpcMethod.CONTAINER_ACL,
                AclRequest.newBuilder().setPool(at).setContainer("c1").build());
        all.put(
                RpcMethod.CONTAINER_OWNER,
                OwnerRequest.newBuilder().setPool(at).setContainer("c1").build());
        all.put(
                RpcMethod.HANDLE_CHECK,
                HandleCheckRequest.newBuilder().setPool(uuid).build());
        return all;
    }
}
