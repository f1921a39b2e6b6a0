package io.daosmesh.storage;

import java.util.UUID;

/** Share of one pool on one target. Owner: target loop. */
public record PoolSpace(UUID pool, int target, SpaceAccount scm, Blob blob) {}
