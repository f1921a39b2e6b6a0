package io.daosmesh.rebuild.plan;

import io.daosmesh.model.id.Ids;
import io.daosmesh.model.wire.RebuildSession;
import java.util.UUID;

/**
 * Identity of one rebuild attempt. The Raft term is part of it, so that a new leader never continues an old one's session
 * by accident (trap RB-05 of DAOS's rebuild design). Immutable.
 *
 * @param version pool map version that asked for it
 * @param generation never reused for the pool, counted durably by the pool service
 * @param leader control address of the node that leads the pool service
 */
public record Session(UUID pool, int version, long generation, long term, String leader, String operation) {

    /** True if this session replaces {@code other} on an engine. */
    public boolean isNewerThan(Session other) {
        if (term != other.term) return term > other.term;
        if (version != other.version) return version > other.version;
        return generation > other.generation;
    }

    public RebuildSession toWire() {
        return RebuildSession.newBuilder()
                .setPool(Ids.bytes(pool))
                .setMapVersion(version)
                .setGeneration(generation)
                .setTerm(term)
                .setLeader(leader)
                .setOperation(operation)
                .build();
    }

    public static Session fromWire(RebuildSession s) {
        return new Session(
                Ids.uuid(s.getPool()),
                s.getMapVersion(),
                s.getGeneration(),
                s.getTerm(),
                s.getLeader(),
                s.getOperation());
    }
}
