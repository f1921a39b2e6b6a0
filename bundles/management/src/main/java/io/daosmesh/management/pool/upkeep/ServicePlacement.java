package io.daosmesh.management.pool.upkeep;

import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Where the replicas of a pool's service belong. A replica is a node's, named by its control address. Pure. */
public final class ServicePlacement {
    /** No address. */
    private static final String NONE = "";

    private ServicePlacement() {}

    /**
     * Replicas on nodes that the system has given up: all their ranks are excluded. A rank that only this pool has excluded
     * keeps its replica, which works as well as before.
     */
    public static List<String> lost(Collection<String> replicas, GroupMap members) {
        return replicas.stream()
                .filter(a -> {
                    List<Member> there = members.members().stream()
                            .filter(m -> m.address().equals(a))
                            .toList();
                    return !there.isEmpty()
                            && there.stream()
                                    .allMatch(m -> m.state() == MemberState.EXCLUDED
                                            || m.state() == MemberState.ADMIN_EXCLUDED);
                })
                .toList();
    }

    /**
     * The rank to take over from a lost replica: it serves in the pool, its node has no replica yet, and its fault domain
     * has none of those that stay, if there is such a rank.
     *
     * @param retired ranks that may still have an old replica, whose remains must be gone first
     */
    public static Optional<Member> successor(
            PoolMap map, GroupMap members, Collection<String> replicas, String lost, Collection<Integer> retired) {
        return candidates(map, members, replicas, lost, retired).stream().findFirst();
    }

    /**
     * The rank to get one more replica, where there are enough for an odd number of them: an even one survives no more failures
     * than the odd one below.
     */
    public static Optional<Member> addition(
            PoolMap map, GroupMap members, Collection<String> replicas, int wanted, Collection<Integer> retired) {
        if (replicas.size() >= wanted) return Optional.empty();
        List<Member> candidates = candidates(map, members, replicas, NONE, retired);
        long nodes = candidates.stream().map(Member::address).distinct().count();
        int missing = replicas.size() % 2 == 0 ? 1 : 2;
        return nodes >= missing ? candidates.stream().findFirst() : Optional.empty();
    }

    /** The best first. */
    private static List<Member> candidates(
            PoolMap map, GroupMap members, Collection<String> replicas, String lost, Collection<Integer> retired) {
        Set<Integer> serving = map.targets().stream()
                .filter(t -> t.state() == TargetState.UPIN)
                .map(PoolTarget::rank)
                .collect(Collectors.toSet());
        Set<String> domains = new HashSet<>();
        Set<String> closed = new HashSet<>(replicas);
        for (Member m : members.members()) {
            if (replicas.contains(m.address()) && !m.address().equals(lost)) domains.add(m.faultDomain());
            if (retired.contains(m.rank())) closed.add(m.address());
        }
        return members.members().stream()
                .filter(m -> serving.contains(m.rank()))
                .filter(m -> m.state() == MemberState.JOINED || m.state() == MemberState.READY)
                .filter(m -> !closed.contains(m.address()))
                .sorted(Comparator.comparing((Member m) -> domains.contains(m.faultDomain()))
                        .thenComparingInt(Member::rank))
                .toList();
    }
}
