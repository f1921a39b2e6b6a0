package io.daosmesh.management.pool.upkeep;

import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.pool.Outage;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;

/**
 * A rank that is out for its silence and that gossip has not given up is likely to be back in a moment: what it holds is not
 * copied before it has left, or a while has passed. Pure. Owner: management loop of the pool's leader.
 */
public final class RebuildHold {
    /** Longer than gossip takes to give a silent rank up. */
    static final long HOLD_MAX_NS = 10_000_000_000L;

    private int version;
    private long sinceNs;

    public void forget() {
        version = 0;
    }

    /** True if the rebuild of this map has to wait; to be asked again at the next review. */
    public boolean holds(PoolMap map, GroupMap members, long nowNs) {
        if (version != map.version()) {
            version = map.version();
            sinceNs = nowNs;
        }
        return nowNs - sinceNs < HOLD_MAX_NS && isOnlySilence(map, members);
    }

    private static boolean isOnlySilence(PoolMap map, GroupMap members) {
        boolean isSilence = false;
        for (PoolTarget t : map.targets()) {
            if (t.state() == TargetState.UP || t.state() == TargetState.NEW || t.state() == TargetState.DRAIN)
                return false;
            if (t.state() != TargetState.DOWN) continue;
            boolean isMember = members.member(t.rank())
                    .filter(m -> m.state() == MemberState.JOINED)
                    .isPresent();
            if (!isMember || t.outage().cause() != Outage.Cause.DEATH) return false;
            isSilence = true;
        }
        return isSilence;
    }
}
