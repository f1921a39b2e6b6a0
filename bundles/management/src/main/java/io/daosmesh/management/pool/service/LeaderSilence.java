package io.daosmesh.management.pool.service;

import io.daosmesh.management.loop.Loop;
import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.management.raft.RaftGroup;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.function.IntConsumer;

/**
 * A follower's part of {@link SilenceWatch}: who waits for the rank of the pool's leader can tell only those who follow it. One
 * that has not heard the leader itself asks its node once, and then asks to lead: docs/decisions/0044. Owner: management loop.
 */
final class LeaderSilence {
    /** Two heartbeats are missing, or nearly. */
    private static final long UNHEARD_MS = 350;
    /** By so much the followers let each other go first. */
    private static final Duration STEP = Duration.ofMillis(150);
    /** A leader that only this node cannot hear is disturbed no more often. */
    private static final long PAUSE_NS = 5_000_000_000L;
    /** For so long a verdict is news to the next leader. */
    private static final long NEWS_NS = 1_500_000_000L;

    private final NodeContext node;
    private final SilenceWatch watch;
    private final IntConsumer onVerdict;
    private long lookedNs = System.nanoTime() - PAUSE_NS;
    private int silentRank = -1;
    private long silentNs;

    /** @param onVerdict told of a leader's rank that does not answer; this node may lead by then */
    LeaderSilence(NodeContext node, SilenceWatch watch, IntConsumer onVerdict) {
        this.node = node;
        this.watch = watch;
        this.onVerdict = onVerdict;
    }

    /**
     * @param awaited ranks that somebody waits for in vain
     * @param followed address of the leader, or of the last one while another is being elected; empty = unknown
     */
    void look(RaftGroup group, List<Integer> awaited, GroupMap members, String followed) {
        String leader = group.leader().orElse(followed);
        boolean isUnheard = group.leader().isEmpty() || group.leaderUnheardMs() >= UNHEARD_MS;
        if (!isUnheard || leader.equals(node.address()) || System.nanoTime() - lookedNs < PAUSE_NS) return;
        awaited.stream()
                .flatMap(rank -> members.member(rank).stream())
                .filter(m -> m.address().equals(leader))
                .findFirst()
                .ifPresent(m -> watch.look(List.of(m.rank()), members, leader, rank -> onSilent(group, m)));
    }

    private void onSilent(RaftGroup group, Member leader) {
        lookedNs = System.nanoTime();
        silentNs = lookedNs;
        silentRank = leader.rank();
        onVerdict.accept(silentRank);
        List<String> others =
                group.peers().stream().filter(p -> !p.equals(leader.address())).toList();
        int place = Math.max(0, others.indexOf(node.address()));
        node.loop()
                .after(
                        STEP.multipliedBy(place),
                        () -> group.electInsteadOf(leader.address(), Set.of(node.address()))
                                .subscribe(asked -> {}, e -> Loop.drop("election instead of a silent leader", e)));
    }

    /** The rank was asked a moment ago, and did not answer. */
    boolean isKnown(int rank) {
        return rank == silentRank && System.nanoTime() - silentNs < NEWS_NS;
    }
}
