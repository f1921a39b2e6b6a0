package io.daosmesh.model.pool;

/**
 * One target in a pool map. Immutable.
 *
 * @param id immutable component id inside the pool, dense from 0; never reused
 * @param rank engine rank
 * @param index target index inside the engine
 * @param faultDomain fault-domain path of the rank, e.g. {@code /node1}; shards of a group avoid sharing one
 * @param hasHomeElsewhere only meaningful for UP: true if it comes back from DOWNOUT (or is being added), so that another
 *     target holds its shards complete; false if it comes back from DOWN before the rebuild had finished. A target that
 *     fails while it comes back (DOWN) keeps it: it held nothing yet, so nobody waits for its shards
 * @param changedVersion map version of its last state change
 */
public record PoolTarget(
        int id,
        int rank,
        int index,
        String faultDomain,
        TargetState state,
        boolean hasHomeElsewhere,
        int changedVersion) {

    public PoolTarget withState(TargetState next, int version) {
        boolean elsewhere = switch (next) {
            case UP -> state != TargetState.DOWN || hasHomeElsewhere;
            case DOWN -> state == TargetState.UP && hasHomeElsewhere;
            default -> false;
        };
        return new PoolTarget(id, rank, index, faultDomain, next, elsewhere, version);
    }
}
