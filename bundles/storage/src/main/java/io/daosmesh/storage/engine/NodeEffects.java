package io.daosmesh.storage.engine;

import io.daosmesh.model.ras.RasEvent.Severity;
import io.daosmesh.model.ras.RasId;
import io.daosmesh.storage.EngineStorage;

/** What an engine's storage does to the rest of the node. Called on the engine's owner loop. */
public interface NodeEffects {
    void raise(RasId id, Severity severity, String message, String device);

    /** Offers the open storage; must not block. */
    void onReady(EngineStorage storage);

    /** Takes it back and waits, bounded, until its users have let go. */
    void onWithdrawn(EngineStorage storage);
}
