package io.daosmesh.management.pool;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
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

    /** INVAL for a number that is no operation. */
    public static TargetOp of(int ordinal) {
        if (ordinal >= 0 && ordinal < values().length) return values()[ordinal];
        throw Fault.of(FaultCode.INVAL, "unknown target operation %s", Integer.toUnsignedString(ordinal))
                .asException();
    }

    public TargetState result() {
        return result;
    }

    public String verb() {
        return name().toLowerCase(java.util.Locale.ROOT);
    }
}
