package io.daosmesh.client;

import io.daosmesh.client.request.Cluster;
import io.daosmesh.client.request.Retrying;
import io.daosmesh.client.value.ClientStats;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolListReply;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * An application's way into a system: finds pools, counts what happened. Any thread. Everything it returns reports failures
 * as {@code FaultException} and may be subscribed any number of times; nothing happens before. Short values come on the thread
 * that receives them, which all calls share: whoever does long work with one moves on first ({@code publishOn}).
 */
public final class DaosClient {
    /** A system that does not answer for so long is reported, not after the operation limit. */
    private static final Duration CONNECT_LIMIT = Duration.ofSeconds(20);

    /** Nobody listens at any address: a mistake more often than a restart. */
    private static final long REFUSED_LIMIT_NS = 5_000_000_000L;

    private static final Duration CLOSE_LIMIT = Duration.ofSeconds(2);

    private final Cluster cluster;
    /** With a new name each start, so that clocks of two runs cannot collide. */
    private final Pool.Client own;

    private DaosClient(Cluster cluster, HandleListener handles) {
        this.cluster = cluster;
        this.own = new Pool.Client(UUID.randomUUID(), ConcurrentHashMap.newKeySet(), handles);
    }

    /** Done when some server has told who is in the system. UNREACH after 5 s, TIMEDOUT after 20 s. */
    public static Mono<DaosClient> connect(ClientConfig config) {
        return Mono.defer(() -> {
            Cluster cluster = new Cluster(config.settings());
            Duration limit =
                    config.operationLimit().compareTo(CONNECT_LIMIT) < 0 ? config.operationLimit() : CONNECT_LIMIT;
            Retrying first =
                    new Retrying(config.withLimits(limit, config.tryLimit()).settings(), cluster.counters());
            return first.run(state -> cluster.refresh(), (fault, failed) -> {
                        boolean isRefused = fault.code() == FaultCode.UNREACH
                                && limit.toNanos() - failed.leftNs() > REFUSED_LIMIT_NS;
                        return isRefused ? Mono.error(fault.asException()) : failed.pause();
                    })
                    .thenReturn(new DaosClient(cluster, config.handles()));
        });
    }

    public GroupMap groupMap() {
        return cluster.groupMap();
    }

    public ClientStats stats() {
        return cluster.counters().snapshot();
    }

    public Mono<List<PoolEntryMessage>> listPools() {
        return cluster.retrying()
                .run(
                        state -> cluster.askAny(
                                RpcMethod.POOL_LIST,
                                Empty.getDefaultInstance(),
                                reply -> PoolListReply.parseFrom(reply.body())),
                        (fault, failed) -> failed.pause())
                .map(PoolListReply::getPoolsList);
    }

    /** To read and write, by label or UUID; {@link FaultCode#NONEXIST} when there is none. */
    public Mono<Pool> connectPool(String pool) {
        return connectPool(pool, OpenMode.READ_WRITE);
    }

    /** NO_PERM when the pool's access control list does not allow it, BUSY when others have it or want it for themselves. */
    public Mono<Pool> connectPool(String pool, OpenMode mode) {
        return Pool.connect(cluster, pool, mode, own);
    }

    /**
     * Gives back all pools that are still connected. Never fails and never takes longer than two seconds: what could not be
     * given back by then is ended by the machine's agent or an administrator.
     */
    public Mono<Void> close() {
        return Flux.defer(() -> Flux.fromIterable(List.copyOf(own.connected())))
                .flatMap(pool -> pool.close().onErrorResume(e -> Mono.empty()))
                .then()
                .timeout(CLOSE_LIMIT, Mono.empty());
    }
}
