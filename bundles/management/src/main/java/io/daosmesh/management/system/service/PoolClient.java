package io.daosmesh.management.system.service;

import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.daosmesh.management.loop.LeaderCaller;
import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.PoolFindReply;
import io.daosmesh.model.wire.PoolMapMessage;
import io.daosmesh.model.wire.PoolMapRequest;
import io.daosmesh.model.wire.PoolRef;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import reactor.core.publisher.Mono;

/** Finds a pool's service and calls its leader. Any thread. */
public final class PoolClient {
    private static final Duration ONE_TRY = Duration.ofMillis(1500);
    private static final Duration FIND_MAX = Duration.ofSeconds(5);
    private static final Duration MAP_MAX = Duration.ofSeconds(10);

    /** More than a system has pools, and more than were destroyed lately. A caller knows nothing but who led last. */
    static final int CALLERS_MAX = 1024;

    private final NodeContext node;
    private final LeaderCaller system;
    private final Map<UUID, LeaderCaller> callers = new ConcurrentHashMap<>();

    public PoolClient(NodeContext node, LeaderCaller system) {
        this.node = node;
        this.system = system;
    }

    /** NONEXIST when the system knows no such pool. */
    public Mono<PoolFindReply> find(String idOrLabel) {
        return system.call(
                RpcMethod.POOL_FIND,
                PoolRef.newBuilder().setPool(idOrLabel).build(),
                PoolFindReply.parser(),
                ONE_TRY,
                FIND_MAX);
    }

    <T> Mono<T> call(UUID pool, RpcMethod method, MessageLite body, Parser<T> parser, Duration all) {
        return caller(pool).call(method, body, parser, ONE_TRY, all).doOnError(e -> {
            if (FaultException.faultOf(e).code() == FaultCode.NONEXIST) forget(pool);
        });
    }

    private LeaderCaller caller(UUID pool) {
        if (callers.size() >= CALLERS_MAX) callers.clear();
        return callers.computeIfAbsent(
                pool,
                p -> new LeaderCaller(
                        node.rpc(), node.loop(), () -> find(p.toString()).map(PoolClient::replicas)));
    }

    /** Pools of which a caller is kept. */
    int callerCount() {
        return callers.size();
    }

    /** The same for a pool whose service has just been made at known places. */
    <T> Mono<T> callAt(List<String> replicas, RpcMethod method, MessageLite body, Parser<T> parser, Duration all) {
        return new LeaderCaller(node.rpc(), node.loop(), () -> Mono.just(replicas))
                .call(method, body, parser, ONE_TRY, all);
    }

    public Mono<PoolMap> map(UUID pool) {
        PoolMapRequest request =
                PoolMapRequest.newBuilder().setPool(Ids.bytes(pool)).build();
        return call(pool, RpcMethod.POOL_MAP, request, PoolMapMessage.parser(), MAP_MAX)
                .map(PoolMap::fromWire);
    }

    void forget(UUID pool) {
        callers.remove(pool);
    }

    private static List<String> replicas(PoolFindReply r) {
        GroupMap group = GroupMap.fromWire(r.getGroupMap());
        return r.getEntry().getServiceRanksList().stream()
                .flatMap(rank -> group.member(rank).stream())
                .map(Member::address)
                .distinct()
                .toList();
    }
}
