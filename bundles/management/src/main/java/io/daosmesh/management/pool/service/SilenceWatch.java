package io.daosmesh.management.pool.service;

import io.daosmesh.management.loop.Loop;
import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.management.loop.TargetCalls;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.time.Hlc;
import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;
import java.util.UUID;
import java.util.function.IntConsumer;
import reactor.core.publisher.Mono;

/**
 * Asks ranks that somebody waits for in vain whether they answer anybody, so that the pool need not wait until gossip gives
 * them up: docs/decisions/0041. An answer of any kind, also a refusal, is one; a connection that is refused is left to
 * gossip, which is faster. Owner: management loop of the pool's leader.
 */
final class SilenceWatch {
    /** A question: a rank of whom nothing is heard for so long, and twice, is silent. */
    private static final Duration ASK_MAX = Duration.ofMillis(450);

    /** Asked at once; who reports more reports again. */
    private static final int ASKED_MAX = 16;
    /** A verdict that comes later than it should is one of a node that was asleep itself. */
    private static final long LATE_NS = 250_000_000L;

    private final NodeContext node;
    private final TargetCalls ranks;
    private final UUID pool;
    private final Set<Integer> asked = new HashSet<>();

    SilenceWatch(NodeContext node, UUID pool) {
        this.node = node;
        this.ranks = new TargetCalls(node);
        this.pool = pool;
    }

    /**
     * Each rank is asked once at a time, however many wait for it.
     *
     * @param formerLeader address of the node that led before, empty when that was long ago: the heartbeats that it owed count as
     *     the first question
     * @param onSilent on the management loop, for each that does not answer
     */
    void look(Collection<Integer> awaited, GroupMap members, String formerLeader, IntConsumer onSilent) {
        for (int rank : awaited) {
            Member m = members.member(rank).orElse(null);
            if (m == null || !mayBeJudged(m) || asked.size() >= ASKED_MAX || !asked.add(rank)) continue;
            int questions = m.address().equals(formerLeader) ? 1 : 2;
            long lateNs = System.nanoTime() + questions * ASK_MAX.toNanos() + LATE_NS;
            isSilent(m)
                    .flatMap(once -> once && questions > 1 ? isSilent(m) : Mono.just(once))
                    .publishOn(node.loop().scheduler())
                    .doFinally(s -> node.loop().run(() -> asked.remove(rank)))
                    .filter(silent -> silent && System.nanoTime() - lateNs < 0)
                    .subscribe(silent -> onSilent.accept(rank), e -> Loop.drop("ask a rank that is awaited", e));
        }
    }

    /** Not while it starts, or this node does: both are slow then, and after a stop of all nodes the map is of before it. */
    private boolean mayBeJudged(Member m) {
        long graceNs = node.timing().silenceGrace().toNanos();
        return m.state() == MemberState.JOINED
                && node.loop().upNs() >= graceNs
                && node.hlc().peek() - m.incarnation() >= Hlc.fromNanos(graceNs);
    }

    private Mono<Boolean> isSilent(Member m) {
        return ranks.query(m, pool, ASK_MAX)
                .map(answer -> false)
                .onErrorResume(e -> Mono.just(FaultException.faultOf(e).code() == FaultCode.TIMEDOUT));
    }
}
