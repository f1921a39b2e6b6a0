package io.daosmesh.model.port;

import java.util.UUID;

/**
 * An engine of this node that has joined the system, published as an OSGi service (property {@code rank}) by the
 * management bundle; withdrawn when the rank is stopped. Immutable.
 *
 * @param incarnation HLC of this start
 */
public record RankIdentity(
        int engineIndex, int rank, UUID uuid, String address, String faultDomain, int targetCount, long incarnation) {}
