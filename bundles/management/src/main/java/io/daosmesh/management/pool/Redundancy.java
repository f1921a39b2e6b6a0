package io.daosmesh.management.pool;

import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import java.util.HashSet;
import java.util.Set;

/**
 * The redundancy guard: may these targets be given up without losing what others still need? Pure.
 *
 * <p>A fault domain is unavailable while one of its targets is DOWN, that is while its data is not yet protected again;
 * DOWNOUT is protected elsewhere, or gone with its only copies, and counts no more. Source: daos-engine facts 2.7
 * (DAOS_POOL_RF): beyond the factor excluding makes data unavailable for sure, waiting may not.
 */
public final class Redundancy {
    private Redundancy() {}

    /**
     * In a pool with a single domain each target stands for itself.
     *
     * @param failuresMax domains that may be unavailable at a time
     */
    public static boolean mayExclude(PoolMap map, Set<Integer> targetIds, int failuresMax) {
        Set<String> unavailable = new HashSet<>();
        Set<String> serving = new HashSet<>();
        boolean isOneDomain = isOneDomain(map);
        for (PoolTarget t : map.targets()) {
            String domain = domain(t, isOneDomain);
            boolean isOut = t.state() == TargetState.DOWN || targetIds.contains(t.id());
            if (isOut && mayBeMissed(map, t)) unavailable.add(domain);
            else if (t.state() == TargetState.UPIN || t.state() == TargetState.DRAIN) serving.add(domain);
        }
        serving.removeAll(unavailable);
        return !serving.isEmpty() && unavailable.size() <= failuresMax;
    }

    /** One that is still being filled is not, as long as others have all of it: with losses it may be who they wait for. */
    private static boolean mayBeMissed(PoolMap map, PoolTarget t) {
        return t.isHole() || t.isHolder() || !map.losses().isEmpty();
    }

    /** Domains that miss updates since a later map version than this one, or are away with them. */
    static int failures(PoolMap map, int sinceVersion) {
        boolean isOneDomain = isOneDomain(map);
        return (int) map.targets().stream()
                .filter(t -> t.isHole() && t.outage().downVersion() > sinceVersion)
                .filter(t -> !isBackAsLastHolder(map, t))
                .map(t -> domain(t, isOneDomain))
                .distinct()
                .count();
    }

    /** It is a source for all that has no holder beside it: whoever is out was put out before, or took no update since. */
    private static boolean isBackAsLastHolder(PoolMap map, PoolTarget t) {
        return t.state() == TargetState.UP
                && map.targets().stream()
                        .filter(o -> o.isHole() && o != t)
                        .allMatch(o -> o.outage().downVersion() < t.outage().downVersion()
                                || o.outage().downVersion() == t.outage().downVersion() && !isBackSooner(o, t));
    }

    private static boolean isBackSooner(PoolTarget o, PoolTarget t) {
        int claim = o.outage().claimVersion();
        return claim > 0 && claim < t.outage().claimVersion();
    }

    private static boolean isOneDomain(PoolMap map) {
        return map.targets().stream().map(PoolTarget::faultDomain).distinct().count() == 1;
    }

    private static String domain(PoolTarget t, boolean isOneDomain) {
        return isOneDomain ? "target " + t.id() : t.faultDomain();
    }
}
