package io.daosmesh.engine.shard;

import io.daosmesh.model.fault.Fault;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What surrounds a target loop. */
public interface Host {
    long nowNs();

    /** A new epoch. */
    long hlcNow();

    /** An epoch of a record that came: the clock must not give older ones. HLC_SYNC when the clock is far behind. */
    void sawEpoch(long epoch);

    /** The newest epoch in the index at the start: whoever opens the target lets it serve when the clock is there. */
    void foundEpoch(long epoch);

    /** False when this rank may be cut off from the others: nobody else could tell of a group that it holds alone. */
    boolean hasMajority();

    /** Who may answer reads alone. */
    Leases leases();

    /** A pool map of at least this version is wanted; the target is told of it. */
    void needMap(UUID pool, int version);

    /** Updates wait for these ranks longer than they should: the pool service is told, and finds out whether they answer. */
    void awaits(UUID pool, Set<Integer> ranks);

    /** Why this engine's storage has no room; null when it has. @param isDelete takes hardly any */
    @Nullable
    Fault noRoom(boolean isDelete);

    /** Stored bytes are damaged. */
    void onDamage(UUID pool, Fault fault);
}
