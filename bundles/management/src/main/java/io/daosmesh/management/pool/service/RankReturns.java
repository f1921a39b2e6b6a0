package io.daosmesh.management.pool.service;

import io.daosmesh.management.loop.Loop;
import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.port.Endpoint;
import io.daosmesh.model.port.RpcMessage;
import io.daosmesh.model.port.RpcMethod;
import io.daosmesh.model.ras.RasEvent.Severity;
import io.daosmesh.model.ras.RasId;
import io.daosmesh.model.time.Hlc;
import io.daosmesh.model.wire.TargetQueryRequest;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Brings ranks back into a pool that this node leads, when {@code Returns} says so, and tells of it. Owner: management loop.
 */
final class RankReturns {
    private static final Logger LOG = LoggerFactory.getLogger(RankReturns.class);

    /** A rank that takes longer to answer is asked again at the next review. */
    private static final Duration ASK_MAX = Duration.ofMillis(700);

    private static final int ASKED_MAX = 64;

    private final NodeContext node;
    private final UUID pool;
    private boolean isAsking;
    /** Ranks that wait, with the clock until when, as it has been told. As many as there are ranks at most. */
    private final Map<Integer, Long> told = new HashMap<>();

    RankReturns(NodeContext node, UUID pool) {
        this.node = node;
        this.pool = pool;
    }

    void forget() {
        told.clear();
    }

    /** Ranks that may come back now; tells of those that have to wait. */
    Set<Integer> due(Map<Integer, Long> awaited) {
        told.keySet().retainAll(awaited.keySet());
        long now = node.hlc().peek();
        Set<Integer> due = new TreeSet<>();
        awaited.forEach((rank, from) -> {
            if (from <= now) due.add(rank);
            else if (!from.equals(told.put(rank, from))) tellWait(rank, from, now);
        });
        return due;
    }

    /**
     * Finds out who serves this pool by now: a rank joins before its targets are open, and may be silent again already. A
     * return that nobody answers to would cost two map changes and a rebuild that fails.
     *
     * @param onAnswered gets those that answer; not called when there are none
     */
    void askDue(Set<Integer> due, GroupMap members, Consumer<Set<Integer>> onAnswered) {
        if (isAsking || due.isEmpty()) return;
        isAsking = true;
        Flux.fromIterable(due)
                .flatMap(rank -> Mono.justOrEmpty(members.member(rank)).flatMap(this::ask), ASKED_MAX)
                .collect(Collectors.<Integer, Set<Integer>>toCollection(TreeSet::new))
                .publishOn(node.loop().scheduler())
                .doFinally(s -> node.loop().run(() -> isAsking = false))
                .subscribe(
                        answered -> {
                            if (!answered.isEmpty()) onAnswered.accept(answered);
                        },
                        e -> Loop.drop("ask ranks that come back", e));
    }

    private Mono<Integer> ask(Member m) {
        TargetQueryRequest request =
                TargetQueryRequest.newBuilder().setPool(Ids.bytes(pool)).build();
        return node.rpc()
                .call(
                        Endpoint.rank(m.address(), m.rank()),
                        RpcMethod.TARGET_QUERY,
                        RpcMessage.of(request),
                        ASK_MAX,
                        r -> m.rank())
                .onErrorResume(e -> {
                    Loop.drop("rank " + m.rank() + " does not serve pool " + pool + " yet", e);
                    return Mono.empty();
                });
    }

    private void tellWait(int rank, long from, long now) {
        long seconds = Math.max(1, (Hlc.toUnixMillis(from) - Hlc.toUnixMillis(now)) / 1000);
        LOG.info("pool {}: rank {} has died again and again, comes back in {} s", pool, rank, seconds);
        raise(
                RasId.POOL_RETURN_DELAYED,
                Severity.WARNING,
                "Rank " + rank + " has failed repeatedly: it comes back into the pool in " + seconds + " s.",
                rank);
    }

    /** The change has been made. */
    void onBack(Iterable<Integer> ranks) {
        for (int rank : ranks) {
            told.remove(rank);
            raise(RasId.POOL_RANK_RETURNED, Severity.NOTICE, "Rank " + rank + " comes back into the pool.", rank);
        }
    }

    private void raise(RasId id, Severity severity, String message, int rank) {
        node.ras().raise(id, severity, message, Map.of("pool", pool.toString(), "rank", Integer.toString(rank)));
    }
}
