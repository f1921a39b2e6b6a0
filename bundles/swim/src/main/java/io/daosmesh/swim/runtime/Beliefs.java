package io.daosmesh.swim.runtime;

import io.daosmesh.model.port.Membership.Listener;
import io.daosmesh.model.port.Membership.Liveness;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What this node's ranks together believe of every rank, and who wants to know. Several local ranks that learn the
 * same tell it once. Written on the membership loop, read by any thread.
 */
final class Beliefs {
    private static final Logger LOG = LoggerFactory.getLogger(Beliefs.class);

    record Belief(Liveness liveness, long incarnation, String reason) {}

    private final Map<Integer, Belief> byRank = new ConcurrentHashMap<>();
    private final List<Listener> listeners = new CopyOnWriteArrayList<>();

    Liveness liveness(int rank) {
        Belief belief = byRank.get(rank);
        return belief == null ? Liveness.INACTIVE : belief.liveness();
    }

    /** True when this is news: a new state, or a new life. */
    boolean learn(int rank, Liveness liveness, long incarnation, String reason) {
        Belief old = byRank.get(rank);
        boolean isKnown = old != null
                && (old.incarnation() > incarnation
                        || old.incarnation() == incarnation
                                && (old.liveness() == liveness || old.liveness() == Liveness.DEAD));
        if (isKnown) {
            return false;
        }
        Belief belief = new Belief(liveness, incarnation, reason);
        byRank.put(rank, belief);
        LOG.info(
                "rank {}: {} -> {}, incarnation {}, {}",
                rank,
                old == null ? Liveness.INACTIVE : old.liveness(),
                liveness,
                Long.toHexString(incarnation),
                reason);
        for (Listener listener : listeners) {
            tell(listener, rank, belief);
        }
        return true;
    }

    /** A rank that left the group alive was stopped on purpose; one that left dead stays dead until its next life. */
    void forgetUnlessDead(int rank) {
        byRank.computeIfPresent(rank, (r, belief) -> belief.liveness() == Liveness.DEAD ? belief : null);
    }

    /** The listener hears at once what is believed now: a bundle that was away must not miss a death. */
    void add(Listener listener) {
        listeners.add(listener);
        byRank.forEach((rank, belief) -> tell(listener, rank, belief));
    }

    void remove(Listener listener) {
        listeners.remove(listener);
    }

    private static void tell(Listener listener, int rank, Belief belief) {
        try {
            switch (belief.liveness()) {
                case ALIVE -> listener.onAlive(rank, belief.incarnation());
                case SUSPECT -> listener.onSuspect(rank, belief.incarnation());
                case DEAD -> listener.onDead(rank, belief.incarnation(), belief.reason());
                case RESTARTING, INACTIVE -> {} // asked for with liveness(), nobody acts on it
            }
        } catch (RuntimeException broken) {
            LOG.warn("a listener failed on rank {} {}: {}", rank, belief.liveness(), broken.toString());
        }
    }
}
