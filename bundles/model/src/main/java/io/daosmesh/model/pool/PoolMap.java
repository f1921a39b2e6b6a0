package io.daosmesh.model.pool;

import io.daosmesh.model.fault.Invariant;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.wire.PoolMapMessage;
import io.daosmesh.model.wire.PoolTargetMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Collectors;

/**
 * Targets of a pool with their states, at one version. Immutable: every change makes a new map with version + 1.
 *
 * @param version strictly increasing from 1
 * @param targets ordered by id
 */
public record PoolMap(UUID pool, int version, List<PoolTarget> targets) {
    public PoolMap {
        targets = List.copyOf(targets);
        Invariant.check(version >= 1, "pool map version %d", version);
        for (int i = 0; i < targets.size(); i++) {
            Invariant.check(targets.get(i).id() == i, "target ids of pool %s are not dense", pool);
        }
    }

    public PoolTarget target(int id) {
        return targets.get(id);
    }

    public List<PoolTarget> ofRank(int rank) {
        return targets.stream().filter(t -> t.rank() == rank).toList();
    }

    /** Ranks with at least one target in this map. */
    public Set<Integer> ranks() {
        return targets.stream().map(PoolTarget::rank).collect(Collectors.toCollection(TreeSet::new));
    }

    /** Ranks whose targets are all disabled. */
    public Set<Integer> disabledRanks() {
        Set<Integer> r = ranks();
        targets.stream().filter(t -> !t.state().isDisabled()).forEach(t -> r.remove(t.rank()));
        return r;
    }

    public int disabledCount() {
        return (int) targets.stream().filter(t -> t.state().isDisabled()).count();
    }

    /** True while data has to move: some target is DOWN, UP or DRAIN. */
    public boolean needsRebuild() {
        return targets.stream()
                .anyMatch(t ->
                        t.state() == TargetState.DOWN || t.state() == TargetState.UP || t.state() == TargetState.DRAIN);
    }

    /** Map with version + 1 in which the given targets have the given state; each move must be legal. */
    public PoolMap withStates(Set<Integer> targetIds, TargetState next) {
        List<PoolTarget> changed = new ArrayList<>(targets);
        for (int id : targetIds) {
            PoolTarget t = changed.get(id);
            Invariant.check(t.state().mayBecome(next), "target %d of pool %s: %s to %s", id, pool, t.state(), next);
            changed.set(id, t.withState(next, version + 1));
        }
        return new PoolMap(pool, version + 1, changed);
    }

    /** Map after a finished rebuild: DOWN and DRAIN become DOWNOUT, UP becomes UPIN; version + 1. */
    public PoolMap afterRebuild() {
        List<PoolTarget> changed = targets.stream()
                .map(t -> switch (t.state()) {
                    case DOWN, DRAIN -> t.withState(TargetState.DOWNOUT, version + 1);
                    case UP -> t.withState(TargetState.UPIN, version + 1);
                    default -> t;
                })
                .toList();
        return new PoolMap(pool, version + 1, changed);
    }

    public PoolMapMessage toWire() {
        PoolMapMessage.Builder b =
                PoolMapMessage.newBuilder().setPool(Ids.bytes(pool)).setVersion(version);
        for (PoolTarget t : targets) {
            b.addTargets(PoolTargetMessage.newBuilder()
                    .setRank(t.rank())
                    .setIndex(t.index())
                    .setFaultDomain(t.faultDomain())
                    .setState(t.state().ordinal())
                    .setHasHomeElsewhere(t.hasHomeElsewhere())
                    .setChangedVersion(t.changedVersion()));
        }
        return b.build();
    }

    public static PoolMap fromWire(PoolMapMessage m) {
        List<PoolTarget> targets = new ArrayList<>(m.getTargetsCount());
        for (PoolTargetMessage t : m.getTargetsList()) {
            targets.add(new PoolTarget(
                    targets.size(),
                    t.getRank(),
                    t.getIndex(),
                    t.getFaultDomain(),
                    TargetState.values()[t.getState()],
                    t.getHasHomeElsewhere(),
                    t.getChangedVersion()));
        }
        return new PoolMap(Ids.uuid(m.getPool()), m.getVersion(), targets);
    }
}
