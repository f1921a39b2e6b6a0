package io.daosmesh.management.node;

import io.daosmesh.management.loop.Loop;
import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.management.maps.MapsKeeper;
import io.daosmesh.management.pool.service.PoolHost;
import io.daosmesh.management.system.service.PoolClient;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.port.StorageAdmin;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.TargetDestroyRequest;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * What a node still has of pools that were destroyed while it was away: maps, service replicas, targets. Only the leader's
 * certain word that a pool does not exist removes anything. Owner: management loop.
 */
public final class Orphans {
    private static final Logger LOG = LoggerFactory.getLogger(Orphans.class);
    private static final Duration DROP_MAX = Duration.ofSeconds(30);

    private final NodeContext node;
    private final PoolClient pools;
    private final PoolHost host;
    private final MapsKeeper maps;
    private final RankJoiner ranks;
    private boolean looking;

    Orphans(NodeContext node, PoolClient pools, PoolHost host, MapsKeeper maps, RankJoiner ranks) {
        this.node = node;
        this.pools = pools;
        this.host = host;
        this.maps = maps;
        this.ranks = ranks;
    }

    void look() {
        if (looking) return;
        Set<UUID> here = new LinkedHashSet<>(maps.pools());
        host.services().forEach(s -> here.add(s.pool()));
        for (StorageAdmin s : ranks.joined()) {
            s.pools().forEach(p -> here.add(Ids.uuid(p.getPool())));
        }
        if (here.isEmpty()) return;
        looking = true;
        Flux.fromIterable(here)
                .concatMap(p -> pools.find(p.toString())
                        .flatMap(found -> Mono.<UUID>empty())
                        .onErrorResume(e ->
                                FaultException.faultOf(e).code() == FaultCode.NONEXIST ? Mono.just(p) : Mono.empty()))
                .concatMap(this::drop)
                .doFinally(s -> node.loop().run(() -> looking = false))
                .subscribe(ok -> {}, e -> Loop.drop("search for leftovers", e));
    }

    private Mono<Void> drop(UUID pool) {
        LOG.info("pool {} does not exist any more: what is left of it here goes", pool);
        maps.gone(pool);
        Mono<Void> service = Mono.<Void>fromRunnable(() -> {
                    if (host.service(pool).isPresent()) host.remove(pool, true);
                })
                .subscribeOn(node.loop().blocking());
        TargetDestroyRequest request =
                TargetDestroyRequest.newBuilder().setPool(Ids.bytes(pool)).build();
        Mono<Void> targets = Flux.fromIterable(ranks.joined())
                .filter(s ->
                        s.pools().stream().anyMatch(p -> Ids.uuid(p.getPool()).equals(pool)))
                .flatMap(s -> Mono.justOrEmpty(s.rank()))
                .flatMap(rank -> node.rpc()
                        .call(
                                Endpoint.rank(node.address(), rank),
                                RpcMethod.TARGET_DESTROY,
                                RpcMessage.of(request),
                                DROP_MAX,
                                r -> true))
                .then();
        return service.then(targets).onErrorResume(e -> {
            Loop.drop("leftovers of pool " + pool, e);
            return Mono.empty();
        });
    }
}
