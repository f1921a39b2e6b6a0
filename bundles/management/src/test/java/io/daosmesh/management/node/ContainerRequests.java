package io.daosmesh.management.node;

import com.google.protobuf.Message;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.ContainerCreateRequest;
import io.daosmesh.model.wire.ContainerMessage;
import io.daosmesh.model.wire.ContainerPropertiesRequest;
import io.daosmesh.model.wire.ContainerRef;
import io.daosmesh.model.wire.OidRangeRequest;
import io.daosmesh.model.wire.PoolRebuildRequest;
import io.daosmesh.model.wire.PoolRef;
import io.daosmesh.model.wire.PropertiesRequest;
import java.util.EnumMap;
import java.util.Map;

/** One request of each method about the properties of a pool and its containers, of sizes as they should be. */
final class ContainerRequests {
    private ContainerRequests() {}

    /** @param at the pool */
    static Map<RpcMethod, Message> of(String at) {
        Map<RpcMethod, Message> all = new EnumMap<>(RpcMethod.class);
        all.put(
                RpcMethod.POOL_PROPERTIES,
                PropertiesRequest.newBuilder()
                        .setPool(at)
                        .setRequestId("r1")
                        .putSet("rd_fac", "1")
                        .build());
        all.put(
                RpcMethod.POOL_REBUILD,
                PoolRebuildRequest.newBuilder()
                        .setPool(at)
                        .setRequestId("r2")
                        .setOp(PoolRebuildRequest.Op.STOP)
                        .setForce(true)
                        .build());
        all.put(
                RpcMethod.CONTAINER_CREATE,
                ContainerCreateRequest.newBuilder()
                        .setPool(at)
                        .setContainer(ContainerMessage.newBuilder().setLabel("c2"))
                        .build());
        all.put(RpcMethod.POOL_UPGRADE, PoolRef.newBuilder().setPool(at).build());
        all.put(RpcMethod.CONTAINER_LIST, PoolRef.newBuilder().setPool(at).build());
        ContainerRef ref =
                ContainerRef.newBuilder().setPool(at).setContainer("c1").build();
        all.put(RpcMethod.CONTAINER_QUERY, ref);
        all.put(RpcMethod.CONTAINER_DESTROY, ref);
        all.put(
                RpcMethod.CONTAINER_PROPERTIES,
                ContainerPropertiesRequest.newBuilder()
                        .setPool(at)
                        .setContainer("c1")
                        .putSet("status", "healthy")
                        .build());
        all.put(
                RpcMethod.OID_RANGE,
                OidRangeRequest.newBuilder()
                        .setPool(at)
                        .setContainer("c1")
                        .setCount(1)
                        .build());
        return all;
    }
}
