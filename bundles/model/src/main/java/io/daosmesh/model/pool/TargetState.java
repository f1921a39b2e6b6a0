package io.daosmesh.model.pool;

import io.daosmesh.model.wire.PoolTargetMessage;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;

/** State of a target in a pool map, and the one table of legal moves (DAOS pool_map.h; daos-engine facts 2.2). */
public enum TargetState {
    NEW(PoolTargetMessage.State.NEW),
    UP(PoolTargetMessage.State.UP),
    UPIN(PoolTargetMessage.State.UPIN),
    DOWN(PoolTargetMessage.State.DOWN),
    DOWNOUT(PoolTargetMessage.State.DOWNOUT),
    DRAIN(PoolTargetMessage.State.DRAIN);

    private final PoolTargetMessage.State wire;

    TargetState(PoolTargetMessage.State wire) {
        this.wire = wire;
    }

    public PoolTargetMessage.State toWire() {
        return wire;
    }

    /** Where data lies cannot be guessed: PROTO for a state of another release. */
    static TargetState of(PoolTargetMessage t) {
        for (TargetState state : values()) if (state.wire == t.getState()) return state;
        throw PoolMap.unknown("TargetState", t.getStateValue());
    }

    /** States this one may become. */
    public Set<TargetState> next() {
        return switch (this) {
            case NEW -> EnumSet.of(UP);
            case UP -> EnumSet.of(UPIN, DOWN, DOWNOUT, NEW);
            case UPIN -> EnumSet.of(DOWN, DRAIN);
            case DOWN -> EnumSet.of(DOWNOUT, UP);
            case DOWNOUT -> EnumSet.of(UP);
            case DRAIN -> EnumSet.of(DOWN, DOWNOUT, UPIN);
        };
    }

    public boolean mayBecome(TargetState to) {
        return next().contains(to);
    }

    /** Counts as disabled in {@code dmg pool query}. */
    public boolean isDisabled() {
        return this == DOWN || this == DOWNOUT;
    }

    /** {@code up_in}, {@code down_out}, ... as shown to users. */
    public String label() {
        return switch (this) {
            case UPIN -> "up_in";
            case DOWNOUT -> "down_out";
            default -> name().toLowerCase(Locale.ROOT);
        };
    }
}
