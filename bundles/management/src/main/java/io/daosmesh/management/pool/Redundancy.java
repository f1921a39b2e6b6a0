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

    /** @param rdFac the pool's redundancy factor; one failed domain is always tolerated */
    public static boolean mayExclude(PoolMap map, Set<Integer> targetIds, int rdFac) {
        Set<String> unavailable = new HashSet<>();
        Set<String> serving = new HashSet<>();
        for (PoolTarget t : map.targets()) {
            if (t.state() == TargetState.DOWN || targetIds.contains(t.id())) unavailable.add(t.faultDomain());
            else if (t.state() == TargetState.UPIN || t.state() == TargetState.DRAIN) serving.add(t.faultDomain());
        }
        return !serving.isEmpty() && unavailable.size() <= Math.max(1, rdFac);
    }
}
