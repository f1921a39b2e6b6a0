package io.daosmesh.management.pool.service;

import io.daosmesh.management.loop.Loop;
import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.management.loop.TargetCalls;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Asks ranks that may come back into a pool whether they serve it. Owner: management loop of the pool's leader. */
final class RankReturns {
    /** A rank that takes longer to answer is asked again at the next review. */
    private static final Duration ASK_MAX = Duration.ofMillis(700);

    private static final int ASKED_MAX = 64;

    private final NodeContext node;
    private final TargetCalls ranks;
    private final UUID pool;
    private boolean isAsking;

    RankReturns(NodeContext node, UUID pool) {
        this.node = node;
        this.ranks = new TargetCalls(node);
        this.pool = pool;
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
        return ranks.query(m, pool, ASK_MAX).map(answer -> m.rank()).onErrorResume(e -> {
            Loop.drop("rank " + m.rank() + " does not serve pool " + pool + " yet", e);
            return Mono.empty();
        });
    }
}
