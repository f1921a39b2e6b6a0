package io.daosmesh.model.pool;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.fault.Invariant;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.wire.PoolMapMessage;
import io.daosmesh.model.wire.PoolTargetMessage;
import java.util.ArrayList;
import java.util.LinkedList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * Targets of a pool with their states, at one version. Immutable: every change makes a new map with version + 1.
 *
 * @param version strictly increasing from 1
 * @param targets ordered by id
 * @param losses rebuilds that ended without a holder that some group may have needed, oldest first
 */
public record PoolMap(UUID pool, int version, List<PoolTarget> targets, List<Loss> losses) {
    public PoolMap {
        targets = List.copyOf(targets);
        losses = List.copyOf(losses);
        Invariant.check(version >= 1, "pool map version %d", version);
        for (int i = 0; i < targets.size(); i++) {
            Invariant.check(targets.get(i).id() == i, "target ids of pool %s are not dense", pool);
        }
    }

    /** Without losses. */
    public PoolMap(UUID pool, int version, List<PoolTarget> targets) {
        this(pool, version, targets, List.of());
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

    /** As a person asks for it. */
    public PoolMap withStates(Set<Integer> targetIds, TargetState next) {
        return withStates(targetIds, next, Outage.Cause.ADMIN);
    }

    /** Map with version + 1 in which the given targets have the given state; each move must be legal. */
    public PoolMap withStates(Set<Integer> targetIds, TargetState next, Outage.Cause cause) {
        List<PoolTarget> changed = new ArrayList<>(targets);
        for (int id : targetIds) {
            PoolTarget t = changed.get(id);
            Invariant.check(t.state().mayBecome(next), "target %d of pool %s: %s to %s", id, pool, t.state(), next);
            changed.set(id, t.withState(next, version + 1, cause));
        }
        List<Loss> after = next != TargetState.UP
                ? losses
                : losses.stream().map(l -> l.claimed(targetIds, version + 1)).toList();
        return new PoolMap(pool, version + 1, changed, after);
    }

    /**
     * Map with version + 1 in which the given targets are DOWN, but count as put out together with the holes that are there
     * already, if they took no update since: whoever was away meanwhile and came back has missed nothing by them.
     *
     * @param idleSince the targets took no update by this map version or a newer one, and were no source of a rebuild
     */
    public PoolMap withIdleDown(Set<Integer> targetIds, int idleSince, Outage.Cause cause) {
        // versions of before the last rebuild mean nothing: groups had other places
        int floor = targets.stream()
                .filter(t -> t.isHole() && t.outage().downVersion() > 0)
                .mapToInt(t -> t.outage().downVersion())
                .min()
                .orElse(version + 1);
        int down = Math.min(version + 1, Math.max(idleSince, floor));
        PoolMap next = withStates(targetIds, TargetState.DOWN, cause);
        List<PoolTarget> changed = next.targets.stream()
                .map(t -> targetIds.contains(t.id()) && target(t.id()).isHolder() ? t.idleSince(down) : t)
                .toList();
        return new PoolMap(pool, next.version, changed, next.losses);
    }

    /**
     * Map with version + 1 and more targets, which data moves to: those that are there keep their ids and states. Targets of
     * DAOS go through NEW until the rebuild begins; here the same change makes them UP.
     *
     * @param added the order gives them their ids; state and versions are not looked at
     */
    public PoolMap extended(List<PoolTargetMessage> added) {
        List<PoolTarget> all = new ArrayList<>(targets);
        for (PoolTargetMessage t : added)
            all.add(PoolTarget.added(all.size(), t.getRank(), t.getIndex(), t.getFaultDomain(), version + 1));
        return new PoolMap(pool, version + 1, all, losses);
    }

    /** The same for a pool whose objects may have a single copy. */
    public PoolMap afterRebuild() {
        return afterRebuild(1);
    }

    /**
     * Map after a finished rebuild: DOWN and DRAIN become DOWNOUT, UP becomes UPIN; version + 1. Remembers a loss where some
     * group may have had no holder left to copy from. Where nobody was left to copy to, nothing has moved: what drained serves
     * on, and what is DOWN stays so. OVERFLOW when there are too many losses already.
     *
     * @param copiesMin fewest copies that an object of the pool may have
     */
    public PoolMap afterRebuild(int copiesMin) {
        if (targets.stream().noneMatch(PoolTarget::isHome))
            return withStates(ids(t -> t.state() == TargetState.DRAIN), TargetState.UPIN);
        Set<Integer> back = ids(t -> t.state() == TargetState.UP);
        List<Loss> after = new ArrayList<>();
        for (Loss l : losses) after.add(l.returned(back, version + 1));
        if (mayHaveLost(copiesMin)) {
            if (after.size() >= Loss.LOSSES_MAX) {
                throw Fault.of(FaultCode.OVERFLOW, "pool %s misses the data of %d failures already", pool, after.size())
                        .remedy("bring back ranks that are excluded, see dmg pool query --show-disabled")
                        .asException();
            }
            after.add(loss(back));
        }
        List<PoolTarget> changed = targets.stream()
                .map(t -> switch (t.state()) {
                    case DOWN ->
                        t.withState(TargetState.DOWNOUT, version + 1, t.outage().cause());
                    // a person has asked for it
                    case DRAIN -> t.withState(TargetState.DOWNOUT, version + 1, Outage.Cause.ADMIN);
                    case UP -> t.withState(TargetState.UPIN, version + 1, Outage.Cause.NONE);
                    default -> t;
                })
                .toList();
        return new PoolMap(pool, version + 1, changed, stillNeeded(after));
    }

    /**
     * Some hole goes, and all copies of a group may be in holes: so many domains have one, or each that holds anything has, and
     * then a group in all of them may be short of copies.
     */
    private boolean mayHaveLost(int copiesMin) {
        if (targets.stream().noneMatch(t -> t.isHole() && t.state() == TargetState.DOWN)) return false;
        Set<String> holed = domains(PoolTarget::isHole);
        return holed.size() >= copiesMin || holed.containsAll(domains(PoolTarget::isHolder));
    }

    private Set<String> domains(Predicate<PoolTarget> wanted) {
        return targets.stream().filter(wanted).map(PoolTarget::faultDomain).collect(Collectors.toSet());
    }

    private Loss loss(Set<Integer> back) {
        Map<Integer, Loss.Hole> holes =
                targets.stream().filter(PoolTarget::isHole).collect(Collectors.toMap(PoolTarget::id, Loss.Hole::of));
        return new Loss(version + 1, ids(PoolTarget::isHolder), holes).returned(back, version + 1);
    }

    /** One that is over is still needed to understand those that came before it was. */
    private static List<Loss> stillNeeded(List<Loss> all) {
        LinkedList<Loss> kept = new LinkedList<>();
        for (int i = all.size() - 1; i >= 0; i--) {
            Loss l = all.get(i);
            boolean isNeeded = !l.isOver() || kept.stream().anyMatch(later -> later.version() <= l.overVersion());
            if (isNeeded) kept.addFirst(l);
        }
        return kept;
    }

    private Set<Integer> ids(Predicate<PoolTarget> wanted) {
        return targets.stream().filter(wanted).map(PoolTarget::id).collect(Collectors.toCollection(TreeSet::new));
    }

    public PoolMapMessage toWire() {
        PoolMapMessage.Builder b =
                PoolMapMessage.newBuilder().setPool(Ids.bytes(pool)).setVersion(version);
        for (PoolTarget t : targets) {
            b.addTargets(PoolTargetMessage.newBuilder()
                    .setRank(t.rank())
                    .setIndex(t.index())
                    .setFaultDomain(t.faultDomain())
                    .setState(t.state().toWire())
                    .setHasHomeElsewhere(t.hasHomeElsewhere())
                    .setChangedVersion(t.changedVersion())
                    .setDownVersion(t.outage().downVersion())
                    .setClaimVersion(t.outage().claimVersion())
                    .setOutageCause(t.outage().cause().toWire()));
        }
        losses.forEach(l -> b.addLosses(l.toWire()));
        return b.build();
    }

    /** PROTO for a map that no release of this layout makes. */
    public static PoolMap fromWire(PoolMapMessage m) {
        if (m.getVersion() < 1)
            throw Fault.of(FaultCode.PROTO, "pool map version %d", m.getVersion())
                    .asException();
        List<PoolTarget> targets = new ArrayList<>(m.getTargetsCount());
        for (PoolTargetMessage t : m.getTargetsList()) {
            targets.add(new PoolTarget(
                    targets.size(),
                    t.getRank(),
                    t.getIndex(),
                    t.getFaultDomain(),
                    TargetState.of(t),
                    t.getHasHomeElsewhere(),
                    t.getChangedVersion(),
                    outage(t)));
        }
        List<Loss> losses = m.getLossesList().stream().map(Loss::fromWire).toList();
        return new PoolMap(Ids.uuid(m.getPool()), m.getVersion(), targets, losses);
    }

    private static Outage outage(PoolTargetMessage t) {
        return new Outage(t.getDownVersion(), t.getClaimVersion(), Outage.Cause.of(t));
    }

    static FaultException unknown(String what, int number) {
        return Fault.of(FaultCode.PROTO, "a pool map has %s %d, which this release does not know", what, number)
                .asException();
    }
}
