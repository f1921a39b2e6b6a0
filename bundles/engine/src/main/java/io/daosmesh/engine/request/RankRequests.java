package io.daosmesh.engine.request;

import io.daosmesh.model.limit.MapLimits;
import io.daosmesh.model.limit.MessageLimits;
import io.daosmesh.model.wire.HandlesGoneRequest;
import io.daosmesh.model.wire.ReadLeaseRequest;

/** Sizes of what servers ask a rank beside reads and writes. A field that is not named is small. Immutable. */
public final class RankRequests {
    /** Properties of a pool: nobody sends half as many. */
    private static final int COUNT_MAX = 64;

    /** A property, a fault domain, an id. */
    private static final int BYTES_MAX = 260;

    /** A rank asks for 256 leases at once. */
    private static final int LEASES_MAX = 1024;

    /** What the pool service remembers of ended handles; when there are more it tells of all. */
    private static final int HANDLES_MAX = 4096;

    public static final MessageLimits LIMITS = MapLimits.with(MessageLimits.of(COUNT_MAX, BYTES_MAX))
            .withCount(ReadLeaseRequest.getDescriptor(), "pools", LEASES_MAX)
            .withCount(HandlesGoneRequest.getDescriptor(), "handles", HANDLES_MAX);

    private RankRequests() {}
}
