package io.daosmesh.model.ras;

import io.daosmesh.model.wire.RasEventMessage;
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
        ERROR(RasEventMessage.Severity.ERROR),
        WARNING(RasEventMessage.Severity.WARNING),
        NOTICE(RasEventMessage.Severity.NOTICE);

        private final RasEventMessage.Severity wire;

        Severity(RasEventMessage.Severity wire) {
            this.wire = wire;
        }

        RasEventMessage.Severity toWire() {
            return wire;
        }
    }

    public enum Type {
        /** Also changes the management database. */
        STATE_CHANGE(RasEventMessage.Type.STATE_CHANGE),
        INFO_ONLY(RasEventMessage.Type.INFO_ONLY);

        private final RasEventMessage.Type wire;

        Type(RasEventMessage.Type wire) {
            this.wire = wire;
        }

        RasEventMessage.Type toWire() {
            return wire;
        }
    }
}
