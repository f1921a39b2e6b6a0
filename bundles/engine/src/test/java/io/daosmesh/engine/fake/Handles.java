package io.daosmesh.engine.fake;

import com.google.protobuf.ByteString;
import io.daosmesh.model.access.User;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.RpcCall;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.HandleCheckReply;
import io.daosmesh.model.wire.HandleCheckRequest;
import io.daosmesh.model.wire.HandleMessage;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolFindReply;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.UnaryOperator;
import reactor.core.publisher.Mono;

/** What a pool service knows of container handles: it answers as it knows at the arrival of the question. Any thread. */
public final class Handles {
    private final Map<ByteString, HandleMessage> open = new ConcurrentHashMap<>();
    /** How many handles each question named, in order. */
    public final List<Integer> questions = new CopyOnWriteArrayList<>();

    /** What happens to the answers on their way. */
    public volatile UnaryOperator<Mono<RpcMessage>> way = answer -> answer;

    public volatile boolean isSilent;

    public Handles(Wire wire, GroupMap group, UUID pool) {
        PoolFindReply found = PoolFindReply.newBuilder()
                .setEntry(PoolEntryMessage.newBuilder().setPool(Ids.bytes(pool)).addServiceRanks(0))
                .setGroupMap(group.toWire())
                .build();
        wire.server().register(Endpoint.NODE, RpcMethod.POOL_FIND, call -> Mono.just(RpcMessage.of(found)));
        wire.server().register(Endpoint.NODE, RpcMethod.HANDLE_CHECK, this::check);
    }

    public ByteString open(UUID container, int rights, User user) {
        ByteString handle = Ids.bytes(UUID.randomUUID());
        open.put(
                handle,
                HandleMessage.newBuilder()
                        .setHandle(handle)
                        .setContainer(Ids.bytes(container))
                        .setRights(rights)
                        .setUser(user.user())
                        .setMachine(user.machine())
                        .build());
        return handle;
    }

    public void close(ByteString handle) {
        open.remove(handle);
    }

    private Mono<RpcMessage> check(RpcCall call) {
        try {
            HandleCheckRequest r = HandleCheckRequest.parseFrom(call.body());
            questions.add(r.getHandlesCount());
            if (isSilent)
                return Mono.error(Fault.of(FaultCode.NOTLEADER, "elections").asException());
            HandleCheckReply.Builder reply = HandleCheckReply.newBuilder();
            for (ByteString handle : r.getHandlesList()) {
                HandleMessage known = open.get(handle);
                if (known != null) reply.addHandles(known);
            }
            return way.apply(Mono.just(RpcMessage.of(reply.build())));
        } catch (com.google.protobuf.InvalidProtocolBufferException e) {
            return Mono.error(e);
        }
    }
}
