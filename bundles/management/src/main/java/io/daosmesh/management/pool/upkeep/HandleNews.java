package io.daosmesh.management.pool.upkeep;

import io.daosmesh.management.pool.Handles;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.PoolMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which ranks of a pool have to hear of ended handles: each that is up, until it has confirmed. A rank not spoken to yet in its
 * present life is told to ask again about every handle: a leader that died may have ended some without saying so. Pure. Owner:
 * management loop of the leader.
 */
public final class HandleNews {
    static final long PAUSE_NS = 500_000_000L;

    private final Map<Integer, Told> told = new HashMap<>();
    private final Set<Integer> underWay = new HashSet<>();
    private final Map<Integer, Long> notBeforeNs = new HashMap<>();

    /** @param upTo number of the last ended handle that the rank has confirmed */
    private record Told(long incarnation, long upTo) {}

    /** Leadership has changed. */
    public void forget() {
        told.clear();
        notBeforeNs.clear();
    }

    /** What to tell whom now; each ends in {@link #onTold} or {@link #onUntold}. */
    public Map<Member, Handles.Gone> due(long nowNs, PoolMap map, GroupMap members, Handles handles) {
        Map<Member, Handles.Gone> due = new HashMap<>();
        told.keySet().retainAll(map.ranks());
        for (Member m : up(map, members)) {
            if (nowNs - notBeforeNs.getOrDefault(m.rank(), nowNs) < 0) continue;
            Handles.Gone gone = gone(m, handles);
            if (!gone.isEmpty() && underWay.add(m.rank())) due.put(m, gone);
        }
        return due;
    }

    private static List<Member> up(PoolMap map, GroupMap members) {
        return map.ranks().stream()
                .flatMap(r -> members.member(r).stream())
                .filter(m -> m.state().isInGroup())
                .toList();
    }

    private Handles.Gone gone(Member m, Handles handles) {
        Told t = told.get(m.rank());
        return handles.gone(t == null || t.incarnation != m.incarnation() ? -1 : t.upTo);
    }

    public void onTold(Member m, Handles.Gone gone) {
        underWay.remove(m.rank());
        notBeforeNs.remove(m.rank());
        told.put(m.rank(), new Told(m.incarnation(), gone.upTo()));
    }

    public void onUntold(long nowNs, int rank) {
        underWay.remove(rank);
        notBeforeNs.put(rank, nowNs + PAUSE_NS);
    }

    /** Ranks that are up and have not confirmed what has ended until now. */
    public List<Integer> left(PoolMap map, GroupMap members, Handles handles) {
        return up(map, members).stream()
                .filter(m -> !gone(m, handles).isEmpty())
                .map(Member::rank)
                .toList();
    }
}
