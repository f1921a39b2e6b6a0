package io.daosmesh.management.node;

import com.google.protobuf.Message;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.EraseNodeRequest;
import io.daosmesh.model.wire.SystemEraseRequest;
import java.util.Map;
import java.util.UUID;

/** One request of each method that erases, of sizes as they should be. */
final class EraseRequests {
    static final Map<RpcMethod, Message> ALL = Map.of(
            RpcMethod.SYSTEM_ERASE,
            SystemEraseRequest.newBuilder().setRequestId("e1").build(),
            RpcMethod.ERASE_NODE,
            EraseNodeRequest.newBuilder()
                    .setId(Ids.bytes(new UUID(1, 2)))
                    .addEngines(Ids.bytes(new UUID(3, 4)))
                    .addNodes("10.0.0.1:10001")
                    .addAbsentees("10.0.0.9:10001")
                    .build());

    private EraseRequests() {}
}
