package io.daosmesh.model.ras;

import java.time.Instant;
import java.util.Map;

/**
 * Something an operator must be able to read later. Immutable. Source: DAOS administration guide, RAS events.
 *
 * @param fields optional fields by their printed name: hwid, rank, inc, pid, tid, jobid, pool, cont, objid, ctlop, data
 */
public record RasEvent(
        RasId id, Severity severity, Instant timestamp, String host, String message, Map<String, String> fields) {
    public RasEvent {
        fields = Map.copyOf(fields);
    }

    public enum Severity {
        ERROR,
        WARNING,
        NOTICE
    }

    public enum Type {
        /** Also changes the management database. */
        STATE_CHANGE,
        INFO_ONLY
    }
}
