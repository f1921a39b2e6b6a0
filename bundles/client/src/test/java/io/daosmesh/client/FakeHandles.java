package io.daosmesh.client;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.ChangeRequest;
import io.daosmesh.model.wire.ContainerCloseRequest;
import io.daosmesh.model.wire.ContainerMessage;
import io.daosmesh.model.wire.ContainerOpenReply;
import io.daosmesh.model.wire.ContainerOpenRequest;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.EnumerateRequest;
import io.daosmesh.model.wire.FetchRequest;
import io.daosmesh.model.wire.ObjectAddress;
import io.daosmesh.model.wire.PoolConnectReply;
import io.daosmesh.model.wire.PoolConnectRequest;
import io.daosmesh.model.wire.PoolDisconnectRequest;
import io.daosmesh.model.wire.PoolMapMessage;
import io.daosmesh.model.wire.PunchRequest;
import io.daosmesh.model.wire.UpdateRequest;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;

/** Handles of the fake system, by the rules of the real one. Owner: FakeCluster's lock. */
final class FakeHandles {
    private static final int READ_ONLY = 1;
    private static final int EXCLUSIVE = 3;

    private record Container(ByteString pool, ByteString container, int flags) {}

    private final Map<ByteString, Integer> pools = new HashMap<>();
    private final Map<ByteString, Container> containers = new HashMap<>();
    private final Map<String, ByteString> givenFor = new HashMap<>();

    int poolCount() {
        return pools.size();
    }

    int containerCount() {
        return containers.size();
    }

    void evict() {
        pools.clear();
        containers.clear();
    }

    PoolConnectReply connect(PoolConnectRequest r, PoolMapMessage map) {
        ByteString handle = givenFor.get(r.getRequestId());
        if (handle == null) {
            boolean isTaken = pools.containsValue(EXCLUSIVE) || r.getFlags() == EXCLUSIVE && !pools.isEmpty();
            if (isTaken) throw FakeCluster.fault(FaultCode.BUSY);
            handle = Ids.bytes(UUID.randomUUID());
            givenFor.put(r.getRequestId(), handle);
            pools.put(handle, r.getFlags());
        }
        return PoolConnectReply.newBuilder()
                .setPool(map.getPool())
                .setHandle(handle)
                .setMap(map)
                .build();
    }

    Empty disconnect(PoolDisconnectRequest r) {
        pools.remove(r.getHandle());
        containers.values().removeIf(c -> c.pool().equals(r.getHandle()));
        return Empty.getDefaultInstance();
    }

    ContainerOpenReply open(ContainerOpenRequest r, ContainerMessage container) {
        checkPool(r.getPoolHandle());
        ByteString handle = givenFor.get(r.getRequestId());
        if (handle == null) {
            if (r.getFlags() > READ_ONLY && pools.get(r.getPoolHandle()) == READ_ONLY)
                throw FakeCluster.fault(FaultCode.NO_PERM);
            handle = Ids.bytes(UUID.randomUUID());
            givenFor.put(r.getRequestId(), handle);
            containers.put(handle, new Container(r.getPoolHandle(), container.getUuid(), r.getFlags()));
        }
        return ContainerOpenReply.newBuilder()
                .setHandle(handle)
                .setContainer(container)
                .build();
    }

    Empty close(ContainerCloseRequest r) {
        containers.remove(r.getHandle());
        return Empty.getDefaultInstance();
    }

    void checkPool(ByteString handle) {
        if (!pools.containsKey(handle)) throw Fault.of(FaultCode.NO_HDL).asException();
    }

    void checkContainer(ByteString handle, UUID container) {
        Container known = containers.get(handle);
        if (known == null || !Ids.uuid(known.container()).equals(container))
            throw Fault.of(FaultCode.NO_HDL).asException();
    }

    void checkObject(RpcMethod method, MessageLite body) {
        ObjectAddress address = addressIn(body);
        checkContainer(address.getHandle(), Ids.uuid(address.getContainer()));
        boolean isRead = method == RpcMethod.OBJECT_FETCH || method == RpcMethod.OBJECT_ENUMERATE;
        if (!isRead && containers.get(address.getHandle()).flags() == READ_ONLY)
            throw FakeCluster.fault(FaultCode.NO_PERM);
    }

    private static ObjectAddress addressIn(MessageLite body) {
        if (body instanceof UpdateRequest r) return r.getAddress();
        if (body instanceof ChangeRequest r) return r.getAddress();
        if (body instanceof PunchRequest r) return r.getAddress();
        if (body instanceof FetchRequest r) return r.getAddress();
        return ((EnumerateRequest) body).getAddress();
    }
}
