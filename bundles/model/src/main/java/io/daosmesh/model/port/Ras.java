package io.daosmesh.model.port;

import io.daosmesh.model.ras.RasEvent.Severity;
import io.daosmesh.model.ras.RasId;
import java.util.Map;

/** Raises RAS events; published by control. Optional for everybody: an absent one loses only the event. Any thread. */
public interface Ras {
    void raise(RasId id, Severity severity, String message, Map<String, String> fields);
}
