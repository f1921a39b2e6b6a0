package io.daosmesh.management.rank;

import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Which nodes live, by gossip and by the group map. When a node has died the Raft groups it led need not wait for their election
 * timeout: a false report costs an election and nothing else (docs/decisions/0018). Pure. Owner: management loop.
 */
public final class Survivors {
    /** What has to be done. */
    public interface Effects {
        /** The first of the living voters asks to lead the groups that the dead node led. */
        void elect(String dead, Set<String> living);
    }

    /** Incarnation by rank; as many as there are ranks at most. */
    private final Map<Integer, Long> dead = new HashMap<>();

    private GroupMap map;

    public Survivors(String system) {
        this.map = new GroupMap(system, 0, List.of());
    }

    public void onAlive(int rank, long incarnation) {
        dead.computeIfPresent(rank, (r, died) -> Long.compare(incarnation, died) > 0 ? null : died);
    }

    public void onDead(int rank, long incarnation, Effects out) {
        dead.merge(rank, incarnation, Math::max);
        map.member(rank).filter(m -> !lives(m) && !isStopped(m)).ifPresent(m -> elect(m, out));
    }

    /** A rank that is excluded leaves gossip: this node may learn of its death only so. */
    public void onGroupMap(GroupMap newer, Effects out) {
        Set<Integer> before =
                map.members().stream().filter(this::lives).map(Member::rank).collect(Collectors.toSet());
        map = newer;
        dead.entrySet()
                .removeIf(d -> newer.member(d.getKey())
                        .filter(m -> m.incarnation() <= d.getValue())
                        .isEmpty());
        newer.members().stream()
                .filter(m -> before.contains(m.rank()) && m.state() == MemberState.EXCLUDED)
                .forEach(m -> elect(m, out));
    }

    /** By an administrator: its node goes on. */
    private static boolean isStopped(Member m) {
        return m.state() == MemberState.STOPPING || m.state() == MemberState.STOPPED;
    }

    private boolean lives(Member m) {
        Long died = dead.get(m.rank());
        return m.state().isInGroup() && (died == null || m.incarnation() > died);
    }

    /** A node with several engines is dead when all of them are. */
    private void elect(Member lost, Effects out) {
        Set<String> living =
                map.members().stream().filter(this::lives).map(Member::address).collect(Collectors.toSet());
        if (!living.contains(lost.address())) out.elect(lost.address(), living);
    }
}
