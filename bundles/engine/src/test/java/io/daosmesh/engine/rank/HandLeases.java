package io.daosmesh.engine.rank;

import io.daosmesh.engine.shard.Leases;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** Leases as a test says. */
final class HandLeases implements Leases {
    boolean holds = true;
    long formerLifeLeftNs;
    final Map<Integer, Long> leftNs = new HashMap<>();
    final List<Integer> adopted = new ArrayList<>();
    final List<Long> confirms = new ArrayList<>();

    @Override
    public void adopted(UUID pool, int mapVersion) {
        adopted.add(mapVersion);
    }

    @Override
    public boolean holds(UUID pool, int mapVersion, List<Integer> ranks) {
        return holds;
    }

    @Override
    public long leftNs(UUID pool, int rank, int mapVersion) {
        return leftNs.getOrDefault(rank, 0L);
    }

    @Override
    public long formerLifeLeftNs() {
        return formerLifeLeftNs;
    }

    @Override
    public void confirm(UUID pool, int mapVersion, long askedNs) {
        confirms.add(askedNs);
    }
}
