package io.daosmesh.management.node;

import io.daosmesh.model.port.Membership;
import java.util.List;

/**
 * Tells several listeners, in order. Immutable. Not a record: gossip compares its listeners, and the JDK remembers the class of
 * the last record whose equals was linked, which would keep the whole bundle after it has been replaced.
 */
public final class Deaths implements Membership.Listener {
    private final List<Membership.Listener> listeners;

    Deaths(List<Membership.Listener> listeners) {
        this.listeners = List.copyOf(listeners);
    }

    @Override
    public void onAlive(int rank, long incarnation) {
        listeners.forEach(l -> l.onAlive(rank, incarnation));
    }

    @Override
    public void onSuspect(int rank, long incarnation) {
        listeners.forEach(l -> l.onSuspect(rank, incarnation));
    }

    @Override
    public void onDead(int rank, long incarnation, String reason) {
        listeners.forEach(l -> l.onDead(rank, incarnation, reason));
    }
}
