package io.daosmesh.management.pool.upkeep;

import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/**
 * Which ranks have to drop destroyed containers: at once those that serve, later those that were away, before their space is missed
 * or their data seen again. Pure. Owner: management loop of the leader.
 */
public final class DoomedContainers {
    /** A rank that failed to drop one container is asked for the others later. */
    static final long PAUSE_NS = 3_000_000_000L;

    static final int AT_ONCE_MAX = 16;

    /** What has to be done. */
    public interface Effects {
        /** Ends in {@link #onDone}. */
        void drop(UUID container, List<Member> members);
    }

    private final Set<UUID> underWay = new HashSet<>();
    private final Map<Integer, Long> notBeforeNs = new HashMap<>();

    /** @param held ranks that may hold data, by container */
    public void review(long nowNs, Map<UUID, Set<Integer>> held, GroupMap members, Effects out) {
        held.forEach((container, ranks) -> {
            if (underWay.size() >= AT_ONCE_MAX || underWay.contains(container)) return;
            List<Member> there = ranks.stream()
                    .flatMap(r -> members.member(r).stream())
                    .filter(m -> m.state().isInGroup())
                    .filter(m -> nowNs - notBeforeNs.getOrDefault(m.rank(), nowNs) >= 0)
                    .toList();
            if (there.isEmpty()) return;
            underWay.add(container);
            out.drop(container, there);
        });
    }

    public void onFailed(long nowNs, int rank) {
        notBeforeNs.put(rank, nowNs + PAUSE_NS);
    }

    public void onDone(UUID container) {
        underWay.remove(container);
    }
}
