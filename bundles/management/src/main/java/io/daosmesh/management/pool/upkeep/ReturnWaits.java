package io.daosmesh.management.pool.upkeep;

import io.daosmesh.model.port.Ras;
import io.daosmesh.model.ras.RasEvent.Severity;
import io.daosmesh.model.ras.RasId;
import io.daosmesh.model.time.Hlc;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which ranks come back into a pool by themselves and which have to wait, since {@code Returns} says until when; each is told once.
 * Pure. Owner: management loop of the leader.
 */
public final class ReturnWaits {
    private static final Logger LOG = LoggerFactory.getLogger(ReturnWaits.class);

    private final Ras ras;
    private final UUID pool;
    /** Ranks that wait, with the clock until when, as it has been told. As many as there are ranks at most. */
    private final Map<Integer, Long> told = new HashMap<>();

    public ReturnWaits(Ras ras, UUID pool) {
        this.ras = ras;
        this.pool = pool;
    }

    public void forget() {
        told.clear();
    }

    /**
     * Ranks that may come back now; tells of those that have to wait.
     *
     * @param now reading of the hybrid clock
     * @param awaited until when, by rank
     */
    public Set<Integer> due(long now, Map<Integer, Long> awaited) {
        told.keySet().retainAll(awaited.keySet());
        Set<Integer> due = new TreeSet<>();
        awaited.forEach((rank, from) -> {
            if (from <= now) due.add(rank);
            else if (!from.equals(told.put(rank, from))) tellWait(rank, from, now);
        });
        return due;
    }

    private void tellWait(int rank, long from, long now) {
        long seconds = Math.max(1, (Hlc.toUnixMillis(from) - Hlc.toUnixMillis(now)) / 1000);
        LOG.info("pool {}: rank {} has died again and again, comes back in {} s", pool, rank, seconds);
        raise(
                RasId.POOL_RETURN_DELAYED,
                Severity.WARNING,
                "Rank " + rank + " has failed repeatedly: it comes back into the pool in " + seconds + " s.",
                rank);
    }

    /** The change has been made. */
    public void onBack(Iterable<Integer> ranks) {
        for (int rank : ranks) {
            told.remove(rank);
            raise(RasId.POOL_RANK_RETURNED, Severity.NOTICE, "Rank " + rank + " comes back into the pool.", rank);
        }
    }

    private void raise(RasId id, Severity severity, String message, int rank) {
        ras.raise(id, severity, message, Map.of("pool", pool.toString(), "rank", Integer.toString(rank)));
    }
}
