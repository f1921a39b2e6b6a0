package io.daosmesh.management.runtime;

import io.daosmesh.model.port.Membership;
import java.util.List;

/** Tells several listeners, in order. Immutable. */
record Deaths(List<Membership.Listener> listeners) implements Membership.Listener {
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
