package io.daosmesh.management.pool.service;

import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.management.pool.Handles;
import io.daosmesh.management.pool.upkeep.HandleNews;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.HandlesGoneRequest;
import java.time.Duration;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Tells the ranks of a pool which handles have ended, while this node leads the pool's service, as {@link HandleNews} decides.
 * Owner: management loop.
 */
final class HandleTeller {
    private static final Logger LOG = LoggerFactory.getLogger(HandleTeller.class);
    private static final Duration ANSWER_MAX = Duration.ofSeconds(2);
    private static final Duration LOOK_AGAIN = Duration.ofMillis(20);

    private final NodeContext node;
    private final PoolService service;
    private final HandleNews news = new HandleNews();

    HandleTeller(NodeContext node, PoolService service) {
        this.node = node;
        this.service = service;
    }

    void forget() {
        news.forget();
    }

    void review(PoolMap map, GroupMap members) {
        long nowNs = System.nanoTime();
        service.replica()
                .read(db -> news.due(nowNs, map, members, db.access().handles()))
                .forEach(this::tell);
    }

    private void tell(Member m, Handles.Gone gone) {
        HandlesGoneRequest request = HandlesGoneRequest.newBuilder()
                .setPool(Ids.bytes(service.pool()))
                .addAllHandles(gone.handles())
                .setAll(gone.all())
                .build();
        node.rpc()
                .call(
                        Endpoint.rank(m.address(), m.rank()),
                        RpcMethod.HANDLES_GONE,
                        RpcMessage.of(request),
                        ANSWER_MAX,
                        r -> true)
                .publishOn(node.loop().scheduler())
                .doFinally(s -> node.loop().run(service::reviewSoon))
                .subscribe(ok -> news.onTold(m, gone), e -> {
                    news.onUntold(System.nanoTime(), m.rank());
                    LOG.debug(
                            "pool {}: rank {} has not been told about ended handles: {}",
                            service.pool(),
                            m.rank(),
                            FaultException.faultOf(e).message());
                });
    }

    /** Emits the ranks that are up and have not confirmed what has ended until now: none, or those left after {@code max}. */
    Mono<List<Integer>> settled(Duration max) {
        long endNs = System.nanoTime() + max.toNanos();
        return Flux.interval(Duration.ZERO, LOOK_AGAIN, node.loop().scheduler())
                .map(n -> service.replica()
                        .read(db -> news.left(
                                db.map(), service.members(), db.access().handles())))
                .filter(left -> left.isEmpty() || System.nanoTime() - endNs >= 0)
                .next();
    }
}
