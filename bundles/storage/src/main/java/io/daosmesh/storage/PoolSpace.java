package io.daosmesh.storage;

import java.util.UUID;

/** Share of one pool on one target. Owner: target loop. */
public record PoolSpace(UUID pool, int target, SpaceAccount scm, Blob blob) {
    /**
     * Ordinary updates leave as much free on both tiers, so that a rebuild finds room in a full pool.
     *
     * @param percent 0 to 100
     */
    public void keep(int percent) {
        scm.keep(percent);
        blob.allocator().keep(blob.sizeBytes() / 100 * percent);
    }
}
