package io.daosmesh.management.pool;

import io.daosmesh.model.pool.TargetState;

/** The map operations of {@code dmg pool}; the ordinals are on the wire and on disk. */
public enum TargetOp {
    EXCLUDE(TargetState.DOWN),
    REINTEGRATE(TargetState.UP),
    DRAIN(TargetState.DRAIN),
    EXTEND(TargetState.NEW);

    private final TargetState result;

    TargetOp(TargetState result) {
        this.result = result;
    }

    public TargetState result() {
        return result;
    }

    public String verb() {
        return name().toLowerCase(java.util.Locale.ROOT);
    }
}
