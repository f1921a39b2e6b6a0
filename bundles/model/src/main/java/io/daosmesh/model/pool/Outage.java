package io.daosmesh.model.pool;

import io.daosmesh.model.fault.Invariant;
import io.daosmesh.model.wire.PoolTargetMessage;

/**
 * Since when a target misses updates. Immutable.
 *
 * @param downVersion map version that put it out: it holds everything that was acknowledged before; 0 = it misses nothing
 * @param claimVersion map version of its first return since then: from there on it holds, of what nobody else held, more than
 *     others that were put out with it; 0 = it has not returned yet
 * @param cause who put it out
 */
public record Outage(int downVersion, int claimVersion, Cause cause) {
    /** Why a target was put out. */
    public enum Cause {
        NONE(PoolTargetMessage.Cause.NONE),
        /** A person asked for it. */
        ADMIN(PoolTargetMessage.Cause.ADMIN),
        /** Its rank fell silent, crashed or was stopped. */
        DEATH(PoolTargetMessage.Cause.DEATH),
        /** Its device or its index failed. */
        DEVICE(PoolTargetMessage.Cause.DEVICE);

        private final PoolTargetMessage.Cause wire;

        Cause(PoolTargetMessage.Cause wire) {
            this.wire = wire;
        }

        PoolTargetMessage.Cause toWire() {
            return wire;
        }

        static Cause of(PoolTargetMessage t) {
            for (Cause cause : values()) if (cause.wire == t.getOutageCause()) return cause;
            throw PoolMap.unknown("Cause", t.getOutageCauseValue());
        }
    }

    static final int UNCLAIMED = 0;

    public static final Outage NONE = new Outage(0, UNCLAIMED, Cause.NONE);

    public Outage {
        Invariant.check(
                downVersion >= 0 && claimVersion >= 0, "outage from %d, claimed at %d", downVersion, claimVersion);
    }

    Outage because(Cause newCause) {
        return new Outage(downVersion, claimVersion, newCause);
    }

    /** The first return counts. */
    Outage claimed(int version) {
        return claimVersion == UNCLAIMED ? new Outage(downVersion, version, cause) : this;
    }
}
