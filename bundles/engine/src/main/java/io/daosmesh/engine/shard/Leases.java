package io.daosmesh.engine.shard;

import java.util.List;
import java.util.UUID;

/** Read leases of this rank as a target sees them; the rules are those of {@code lease.LeaseTable}. Target loop. */
public interface Leases {
    /** The target acts by the map version from now on: no lease is granted to a rank with an older one. */
    void adopted(UUID pool, int mapVersion);

    /** True if all of the ranks let this one answer reads alone now, and no target of this rank has a newer map. */
    boolean holds(UUID pool, int mapVersion, List<Integer> ranks);

    /** In place of a rank: all of them together. */
    int ANY_RANK = -1;

    /** How long the rank, or {@link #ANY_RANK}, may still answer reads by an older map than the version; 0 = no more. */
    long leftNs(UUID pool, int rank, int mapVersion);

    /** How long leases count that an engine before this one may have granted. */
    long formerLifeLeftNs();

    /**
     * Asks the pool service which map is the newest; the target is told the answer, always.
     *
     * @param askedNs given back with the answer
     */
    void confirm(UUID pool, int mapVersion, long askedNs);
}
