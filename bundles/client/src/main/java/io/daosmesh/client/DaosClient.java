package io.daosmesh.client;

import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.port.RpcMethod;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolListReply;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import reactor.core.publisher.Mono;

/**
 * An application's way into a system: finds pools, counts what happened. Any thread. Everything it returns reports failures
 * as {@code FaultException} and may be subscribed any number of times; nothing happens before.
 */
public final class DaosClient {
    /** A system that does not answer for so long is reported, not after the operation limit. */
    private static final Duration CONNECT_LIMIT = Duration.ofSeconds(20);

    /** Nobody listens at any address: a mistake more often than a restart. */
    private static final long REFUSED_LIMIT_NS = 5_000_000_000L;

    private final Cluster cluster;
    /** Names this client's updates; a new one each start, so that clocks of two runs cannot collide. */
    private final UUID id = UUID.randomUUID();

    private DaosClient(Cluster cluster) {
        this.cluster = cluster;
    }

    /** Done when some server has told who is in the system. UNREACH after 5 s, TIMEDOUT after 20 s. */
    public static Mono<DaosClient> connect(ClientConfig config) {
        return Mono.defer(() -> {
            Cluster cluster = new Cluster(config);
            Duration limit =
                    config.operationLimit().compareTo(CONNECT_LIMIT) < 0 ? config.operationLimit() : CONNECT_LIMIT;
            Retrying first = new Retrying(config.withLimits(limit, config.tryLimit()), cluster.counters);
            return first.run(state -> cluster.refresh(), (fault, failed) -> {
                        boolean isRefused = fault.code() == FaultCode.UNREACH
                                && limit.toNanos() - failed.leftNs() > REFUSED_LIMIT_NS;
                        return isRefused ? Mono.error(fault.asException()) : failed.pause();
                    })
                    .thenReturn(new DaosClient(cluster));
        });
    }

    public GroupMap groupMap() {
        return cluster.groupMap();
    }

    public ClientStats stats() {
        return cluster.counters.snapshot();
    }

    public Mono<List<PoolEntryMessage>> listPools() {
        return cluster.retrying
                .run(
                        state -> cluster.askAny(
                                RpcMethod.POOL_LIST,
                                Empty.getDefaultInstance(),
                                reply -> PoolListReply.parseFrom(reply.body())),
                        (fault, failed) -> failed.pause())
                .map(PoolListReply::getPoolsList);
    }

    /** By label or UUID; {@link FaultCode#NONEXIST} when there is none. */
    public Mono<Pool> connectPool(String pool) {
        return Pool.connect(cluster, pool, id);
    }
}
