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
 * @param outage since when it misses updates
 */
public record PoolTarget(
        int id,
        int rank,
        int index,
        String faultDomain,
        TargetState state,
        boolean hasHomeElsewhere,
        int changedVersion,
        Outage outage) {

    /** Without an outage. */
    public PoolTarget(
            int id,
            int rank,
            int index,
            String faultDomain,
            TargetState state,
            boolean hasHomeElsewhere,
            int changedVersion) {
        this(id, rank, index, faultDomain, state, hasHomeElsewhere, changedVersion, Outage.NONE);
    }

    /** One that a pool is extended by: it is to be filled, and no target waits for what it holds. */
    static PoolTarget added(int id, int rank, int index, String faultDomain, int version) {
        return new PoolTarget(id, rank, index, faultDomain, TargetState.NEW, false, version)
                .withState(TargetState.UP, version, Outage.Cause.NONE);
    }

    public PoolTarget withState(TargetState next, int version, Outage.Cause cause) {
        boolean elsewhere = switch (next) {
            case UP -> state != TargetState.DOWN || hasHomeElsewhere;
            case DOWN -> state == TargetState.UP && hasHomeElsewhere;
            default -> false;
        };
        Outage after = switch (next) {
            case DOWN -> state == TargetState.UP ? outage.because(cause) : new Outage(version, Outage.UNCLAIMED, cause);
            case UP -> outage.claimed(version);
            case DOWNOUT -> state == TargetState.DRAIN ? Outage.NONE.because(cause) : outage;
            case UPIN, DRAIN, NEW -> Outage.NONE;
        };
        return new PoolTarget(id, rank, index, faultDomain, next, elsewhere, version, after);
    }

    /** Put out, and known to have taken no update by this map version or a newer one; no other target counts as older by it. */
    PoolTarget idleSince(int downVersion) {
        return new PoolTarget(
                id,
                rank,
                index,
                faultDomain,
                state,
                hasHomeElsewhere,
                changedVersion,
                new Outage(downVersion, outage.claimVersion(), outage.cause()));
    }

    /** It was a holder and is not sure to have everything: its place is taken, but what it holds may be old. */
    public boolean isHole() {
        return (state == TargetState.DOWN || state == TargetState.UP) && !hasHomeElsewhere;
    }

    /** It is filled for the first time; one that comes back has an outage with a cause. */
    public boolean isBeingAdded() {
        return state == TargetState.NEW || state == TargetState.UP && outage.cause() == Outage.Cause.NONE;
    }

    /** Data belongs on it, or is being copied to it. */
    public boolean isHome() {
        return state == TargetState.UPIN || state == TargetState.UP;
    }

    /** Holds everything that belongs to it. */
    public boolean isHolder() {
        return state == TargetState.UPIN || state == TargetState.DRAIN;
    }
}
