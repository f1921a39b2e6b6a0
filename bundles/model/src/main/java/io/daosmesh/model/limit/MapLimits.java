package io.daosmesh.model.limit;

import io.daosmesh.model.pool.Loss;
import io.daosmesh.model.wire.PoolLossMessage;
import io.daosmesh.model.wire.PoolMapMessage;

/** How large a pool map may be in a message. */
public final class MapLimits {
    /** Targets of a pool. */
    private static final int TARGETS_MAX = 1 << 16;

    private MapLimits() {}

    /** The same limits, and those of a pool map in it. */
    public static MessageLimits with(MessageLimits limits) {
        return limits.withCount(PoolMapMessage.getDescriptor(), "targets", TARGETS_MAX)
                .withCount(PoolMapMessage.getDescriptor(), "losses", Loss.LOSSES_MAX)
                .withCount(PoolLossMessage.getDescriptor(), "holders", TARGETS_MAX)
                .withCount(PoolLossMessage.getDescriptor(), "holes", TARGETS_MAX);
    }
}
