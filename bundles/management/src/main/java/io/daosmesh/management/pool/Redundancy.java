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
 * DOWNOUT is protected elsewhere and counts no more. Source: daos-engine facts 2.7 (DAOS_POOL_RF): beyond the factor,
 * excluding loses data for sure, waiting may not.
 */
public final class Redundancy {
    private Redundancy() {}

    /**
     * In a pool with a single domain each target stands for itself.
     *
     * @param rdFac the pool's redundancy factor; one failed domain is always tolerated
     */
    public static boolean mayExclude(PoolMap map, Set<Integer> targetIds, int rdFac) {
        boolean oneDomain =
                map.targets().stream().map(PoolTarget::faultDomain).distinct().count() == 1;
        Set<String> unavailable = new HashSet<>();
        Set<String> serving = new HashSet<>();
        for (PoolTarget t : map.targets()) {
            String domain = oneDomain ? "target " + t.id() : t.faultDomain();
            if (t.state() == TargetState.DOWN || targetIds.contains(t.id())) unavailable.add(domain);
            else if (t.state() == TargetState.UPIN || t.state() == TargetState.DRAIN) serving.add(domain);
        }
        serving.removeAll(unavailable);
        return !serving.isEmpty() && unavailable.size() <= Math.max(1, rdFac);
    }
}
