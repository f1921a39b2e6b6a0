package io.daosmesh.management.runtime;

import io.daosmesh.management.pool.TargetOp;
import io.daosmesh.model.port.Ras;
import io.daosmesh.model.ras.RasEvent.Severity;
import io.daosmesh.model.ras.RasId;
import io.daosmesh.model.time.Hlc;
import io.daosmesh.model.wire.TargetsChangeMessage;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings ranks back into a pool that this node leads, when {@code Returns} says so, and tells of it. Owner: management loop.
 */
final class RankReturns {
    private static final Logger LOG = LoggerFactory.getLogger(RankReturns.class);

    private final Hlc hlc;
    private final Ras ras;
    private final UUID pool;
    /** Ranks that wait, with the clock until when, as it has been told. As many as there are ranks at most. */
    private final Map<Integer, Long> told = new HashMap<>();

    RankReturns(Hlc hlc, Ras ras, UUID pool) {
        this.hlc = hlc;
        this.ras = ras;
        this.pool = pool;
    }

    void forget() {
        told.clear();
    }

    /** The change to ask for now; empty while nobody may come back. */
    Optional<TargetsChangeMessage> due(Map<Integer, Long> awaited) {
        told.keySet().retainAll(awaited.keySet());
        long now = hlc.peek();
        Set<Integer> due = new TreeSet<>();
        awaited.forEach((rank, from) -> {
            if (from <= now) due.add(rank);
            else if (!from.equals(told.put(rank, from))) tellWait(rank, from, now);
        });
        if (due.isEmpty()) return Optional.empty();
        return Optional.of(TargetsChangeMessage.newBuilder()
                .setOp(TargetOp.REINTEGRATE.ordinal())
                .addAllRanks(due)
                .setAutomatic(true)
                .build());
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
    void onBack(Iterable<Integer> ranks) {
        for (int rank : ranks) {
            told.remove(rank);
            raise(RasId.POOL_RANK_RETURNED, Severity.NOTICE, "Rank " + rank + " comes back into the pool.", rank);
        }
    }

    private void raise(RasId id, Severity severity, String message, int rank) {
        ras.raise(id, severity, message, Map.of("pool", pool.toString(), "rank", Integer.toString(rank)));
    }
}
