package io.daosmesh.management.pool.service;

import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.management.pool.Handles;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.port.Endpoint;
import io.daosmesh.model.port.RpcMessage;
import io.daosmesh.model.port.RpcMethod;
import io.daosmesh.model.wire.HandlesGoneRequest;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Tells every rank of a pool which handles have ended, while this node leads the pool's service, until each that is up has
 * confirmed. A rank it has not spoken to yet in its present life is told to ask again about every handle: a leader that died
 * may have ended some without saying so. Owner: management loop.
 */
final class HandleTeller {
    private static final Logger LOG = LoggerFactory.getLogger(HandleTeller.class);
    private static final Duration ANSWER_MAX = Duration.ofSeconds(2);
    private static final Duration PAUSE = Duration.ofMillis(500);
    private static final Duration LOOK_AGAIN = Duration.ofMillis(20);

    private final NodeContext node;
    private final PoolService service;
    private final Map<Integer, Told> told = new HashMap<>();
    private final Set<Integer> underWay = new HashSet<>();
    private final Map<Integer, Long> notBeforeNs = new HashMap<>();

    /** @param upTo number of the last ended handle that the rank has confirmed */
    private record Told(long incarnation, long upTo) {}

    HandleTeller(NodeContext node, PoolService service) {
        this.node = node;
        this.service = service;
    }

    void review(PoolMap map, GroupMap members) {
        long nowNs = System.nanoTime();
        told.keySet().retainAll(map.ranks());
        for (Member m : up(map, members)) {
            if (nowNs - notBeforeNs.getOrDefault(m.rank(), nowNs) < 0) continue;
            Handles.Gone gone = gone(m);
            if (!gone.isEmpty() && underWay.add(m.rank())) tell(m, gone);
        }
    }

    private static List<Member> up(PoolMap map, GroupMap members) {
        return map.ranks().stream()
                .flatMap(r -> members.member(r).stream())
                .filter(m -> m.state().isInGroup())
                .toList();
    }

    private Handles.Gone gone(Member m) {
        Told t = told.get(m.rank());
        long since = t == null || t.incarnation != m.incarnation() ? -1 : t.upTo;
        return service.replica().read(db -> db.access().handles().gone(since));
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
                .doFinally(s -> node.loop().run(() -> {
                    underWay.remove(m.rank());
                    service.reviewSoon();
                }))
                .subscribe(
                        ok -> {
                            notBeforeNs.remove(m.rank());
                            told.put(m.rank(), new Told(m.incarnation(), gone.upTo()));
                        },
                        e -> {
                            notBeforeNs.put(m.rank(), System.nanoTime() + PAUSE.toNanos());
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
                .map(n -> left())
                .filter(left -> left.isEmpty() || System.nanoTime() - endNs >= 0)
                .next();
    }

    private List<Integer> left() {
        PoolMap map = service.replica().read(db -> db.map());
        return up(map, service.members()).stream()
                .filter(m -> !gone(m).isEmpty())
                .map(Member::rank)
                .toList();
    }

    /** Leadership has changed. */
    void forget() {
        told.clear();
        notBeforeNs.clear();
    }
}
