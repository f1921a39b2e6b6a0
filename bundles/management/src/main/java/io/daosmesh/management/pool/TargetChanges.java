package io.daosmesh.management.pool;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.pool.Outage;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.wire.TargetsChangeMessage;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** What exclude, reintegrate and drain do to a pool map, by hand or automatically. Pure. Source: daos-engine facts 2.4. */
public final class TargetChanges {
    private TargetChanges() {}

    /**
     * How many fault domains may fail at a time.
     *
     * @param failures those that the least redundant container survives; the pool's own factor while it has none
     * @param weakest that container, for people
     */
    public record Guard(int failures, String weakest) {
        /**
         * A first failed domain is always let go of: it serves nobody, what only it holds is unavailable either way and comes
         * back with it, and everything else must go on.
         */
        int automatic() {
            return Math.max(1, failures);
        }

        int byHand() {
            return failures;
        }
    }

    /** The next map, or the same one when an automatic exclusion finds nothing it may do; faults for a person's request. */
    public static PoolMap apply(PoolMap map, TargetsChangeMessage m, Map<String, String> properties, Guard guard) {
        TargetOp op = TargetOp.of(m.getOp());
        return m.getAutomatic() ? automatic(map, op, m, properties, guard) : byHand(map, op, m, guard);
    }

    private static PoolMap automatic(
            PoolMap map, TargetOp op, TargetsChangeMessage m, Map<String, String> properties, Guard guard) {
        Set<Integer> ids = Set.of();
        if (op == TargetOp.EXCLUDE && PoolProperties.mayExclude(properties))
            ids = excludable(map, m.getRanksList(), m.getTargetIndexesList(), guard);
        // a return moves data, as a rebuild does
        if (op == TargetOp.REINTEGRATE && PoolProperties.mayRebuild(properties)) ids = returning(map, m.getRanksList());
        if (m.getDeparture() >= Departure.values().length) {
            throw Fault.of(FaultCode.PROTO, "unknown departure %d", m.getDeparture())
                    .asException();
        }
        Outage.Cause cause = Departure.values()[m.getDeparture()].cause();
        return ids.isEmpty() ? map : map.withStates(ids, op.result(), cause);
    }

    private static Set<Integer> returning(PoolMap map, List<Integer> ranks) {
        return map.targets().stream()
                .filter(t -> ranks.contains(t.rank()) && Returns.isReturnable(t))
                .map(PoolTarget::id)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** Targets of the ranks that an automatic exclusion may take, rank by rank as long as the guard allows. */
    public static Set<Integer> excludable(PoolMap map, List<Integer> ranks, List<Integer> indexes, Guard guard) {
        Set<Integer> taken = new TreeSet<>();
        for (int rank : new TreeSet<>(ranks)) {
            Set<Integer> more = movable(map, TargetOp.EXCLUDE, rank, indexes);
            if (more.isEmpty()) continue;
            more.addAll(taken);
            if (Redundancy.mayExclude(map, more, guard.automatic())) taken = more;
        }
        return taken;
    }

    private static PoolMap byHand(PoolMap map, TargetOp op, TargetsChangeMessage m, Guard guard) {
        if (op == TargetOp.EXTEND) {
            throw Fault.of(FaultCode.NOSYS, "pool extend is not built yet").asException();
        }
        if (m.getRanksCount() == 0) {
            throw Fault.of(FaultCode.INVAL, "no ranks given to %s", op.verb()).asException();
        }
        Set<Integer> ids = new TreeSet<>();
        for (int rank : m.getRanksList()) {
            checkKnown(map, rank, m.getTargetIndexesList());
            ids.addAll(movable(map, op, rank, m.getTargetIndexesList()));
        }
        // it may have begun to come back by itself
        if (ids.isEmpty() && op == TargetOp.REINTEGRATE && isComingBack(map, m)) return map;
        if (ids.isEmpty()) throw nothingToDo(map, op, m).asException();
        // a device that has failed serves nobody, in the map or out of it
        int failuresMax = m.getByServer() ? guard.automatic() : guard.byHand();
        if (op == TargetOp.EXCLUDE && !m.getForce() && !Redundancy.mayExclude(map, ids, failuresMax)) {
            throw Fault.of(FaultCode.RF, "without these targets data of %s would be unavailable", guard.weakest())
                    .remedy(
                            "reintegrate failed ranks first, drain instead, or use --force: the data comes back with the targets")
                    .asException();
        }
        if (op == TargetOp.DRAIN && map.targets().stream().noneMatch(t -> t.isHome() && !ids.contains(t.id()))) {
            throw Fault.of(FaultCode.RF, "no target would be left to take the data of those that are drained")
                    .remedy("reintegrate failed ranks first, or drain fewer")
                    .asException();
        }
        return map.withStates(ids, op.result(), m.getByServer() ? Outage.Cause.DEVICE : Outage.Cause.ADMIN);
    }

    private static boolean isComingBack(PoolMap map, TargetsChangeMessage m) {
        return map.targets().stream().anyMatch(t -> isNamed(t, m) && t.state() == TargetState.UP);
    }

    private static boolean isNamed(PoolTarget t, TargetsChangeMessage m) {
        return m.getRanksList().contains(t.rank())
                && (m.getTargetIndexesCount() == 0 || m.getTargetIndexesList().contains(t.index()));
    }

    /** A slip of the pen must not pass for work already done. */
    private static void checkKnown(PoolMap map, int rank, List<Integer> indexes) {
        Set<Integer> there =
                map.ofRank(rank).stream().map(PoolTarget::index).collect(Collectors.toCollection(TreeSet::new));
        if (there.isEmpty()) {
            throw Fault.of(FaultCode.NONEXIST, "rank %d has no target in this pool", rank)
                    .remedy("see dmg pool query --show-enabled for the ranks of the pool")
                    .asException();
        }
        for (int index : indexes) {
            if (!there.contains(index)) {
                throw Fault.of(FaultCode.NONEXIST, "rank %d has no target %d in this pool, only %s", rank, index, there)
                        .asException();
            }
        }
    }

    private static Set<Integer> movable(PoolMap map, TargetOp op, int rank, List<Integer> indexes) {
        return map.ofRank(rank).stream()
                .filter(t -> indexes.isEmpty() || indexes.contains(t.index()))
                .filter(t -> t.state().mayBecome(op.result()))
                .map(PoolTarget::id)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static Fault nothingToDo(PoolMap map, TargetOp op, TargetsChangeMessage m) {
        Set<String> states = map.targets().stream()
                .filter(t -> isNamed(t, m))
                .map(t -> t.state().label())
                .collect(Collectors.toCollection(TreeSet::new));
        return Fault.of(
                        FaultCode.ALREADY,
                        "nothing to %s: the targets of rank %s are %s",
                        op.verb(),
                        m.getRanksList().stream().map(String::valueOf).collect(Collectors.joining(",")),
                        String.join(", ", states))
                .remedy("see dmg pool query for the state of each rank");
    }
}
