package io.daosmesh.model.pool;

import io.daosmesh.model.wire.PoolLossHoleMessage;
import io.daosmesh.model.wire.PoolLossMessage;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Where data was when a rebuild ended without some targets that may have held the only copy of a group. From then on the map
 * alone would take whoever stands next in line for a holder of such a group: with this it is known that nobody is, until the
 * last holder is back. Immutable.
 *
 * @param version map version that ended the rebuild
 * @param holders ids of targets that held everything that belonged to them
 * @param holes targets whose place was taken and whose data was missing or old, by id
 */
public record Loss(int version, Set<Integer> holders, Map<Integer, Hole> holes) {
    /** Losses that a map remembers: a rebuild that would add another one has to wait for the return of a target. */
    public static final int LOSSES_MAX = 32;

    private static final int AWAY = 0;

    /**
     * @param downVersion, claimVersion as in {@link Outage}
     * @param returnedVersion map version that took it back with all its data copied to where it belongs; 0 = it is away
     */
    public record Hole(int downVersion, int claimVersion, int returnedVersion) {
        public static Hole of(PoolTarget t) {
            int since = t.outage().downVersion();
            // a target put out by a release that kept no versions
            return new Hole(since == 0 ? t.changedVersion() : since, t.outage().claimVersion(), AWAY);
        }

        public boolean isAway() {
            return returnedVersion == AWAY;
        }

        private Hole claimed(int version) {
            return isAway() && claimVersion == Outage.UNCLAIMED ? new Hole(downVersion, version, AWAY) : this;
        }

        private Hole returned(int version) {
            return isAway() ? new Hole(downVersion, claimVersion, version) : this;
        }
    }

    public Loss {
        holders = Set.copyOf(holders);
        holes = Map.copyOf(holes);
    }

    /** The targets begin to come back with a version of the map. */
    Loss claimed(Set<Integer> targetIds, int newVersion) {
        Map<Integer, Hole> next = new TreeMap<>(holes);
        for (int id : targetIds) next.computeIfPresent(id, (i, h) -> h.claimed(newVersion));
        return new Loss(version, holders, next);
    }

    /** They are back. */
    Loss returned(Set<Integer> targetIds, int newVersion) {
        Map<Integer, Hole> next = new TreeMap<>(holes);
        for (int id : targetIds) next.computeIfPresent(id, (i, h) -> h.returned(newVersion));
        return new Loss(version, holders, next);
    }

    boolean isOver() {
        return holes.values().stream().noneMatch(Hole::isAway);
    }

    /** Version at which the last one returned; only if it is over. */
    int overVersion() {
        return holes.values().stream().mapToInt(Hole::returnedVersion).max().orElse(version);
    }

    PoolLossMessage toWire() {
        PoolLossMessage.Builder b = PoolLossMessage.newBuilder().setVersion(version);
        holders.stream().sorted().forEach(b::addHolders);
        new TreeMap<>(holes)
                .forEach((id, h) -> b.addHoles(PoolLossHoleMessage.newBuilder()
                        .setTarget(id)
                        .setDownVersion(h.downVersion)
                        .setClaimVersion(h.claimVersion)
                        .setReturnedVersion(h.returnedVersion)));
        return b.build();
    }

    static Loss fromWire(PoolLossMessage m) {
        Map<Integer, Hole> holes = new TreeMap<>();
        for (PoolLossHoleMessage h : m.getHolesList())
            holes.put(h.getTarget(), new Hole(h.getDownVersion(), h.getClaimVersion(), h.getReturnedVersion()));
        return new Loss(m.getVersion(), Set.copyOf(m.getHoldersList()), holes);
    }
}
