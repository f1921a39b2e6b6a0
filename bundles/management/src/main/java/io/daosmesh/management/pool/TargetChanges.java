package io.daosmesh.management.pool;

import io.daosmesh.management.properties.PoolProperties;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.Outage;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.wire.PoolTargetsRequest;
import io.daosmesh.model.wire.TargetsChangeMessage;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** What exclude, reintegrate, drain and extend do to a pool map, by hand or automatically. Pure. Source: daos-engine facts 2.4. */
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
        PoolTargetsRequest.Op op = m.getOp();
        if (op == PoolTargetsRequest.Op.UNRECOGNIZED) throw unknown(m.getOpValue());
        return m.getAutomatic() ? automatic(map, op, m, properties, guard) : byHand(map, op, m, guard);
    }

    /** INVAL for a number that is no operation. */
    public static FaultException unknown(int op) {
        return Fault.of(FaultCode.INVAL, "unknown target operation %s", Integer.toUnsignedString(op))
                .asException();
    }

    private static TargetState result(PoolTargetsRequest.Op op) {
        return switch (op) {
            case EXCLUDE -> TargetState.DOWN;
            case REINTEGRATE -> TargetState.UP;
            case DRAIN -> TargetState.DRAIN;
            case EXTEND -> TargetState.NEW;
            case UNRECOGNIZED -> throw new IllegalArgumentException("refused before");
        };
    }

    private static String verb(PoolTargetsRequest.Op op) {
        return op.name().toLowerCase(Locale.ROOT);
    }

    private static PoolMap automatic(
            PoolMap map,
            PoolTargetsRequest.Op op,
            TargetsChangeMessage m,
            Map<String, String> properties,
            Guard guard) {
        Set<Integer> ids = Set.of();
        if (op == PoolTargetsRequest.Op.EXCLUDE && PoolProperties.mayExclude(properties))
            ids = excludable(map, m.getRanksList(), m.getTargetIndexesList(), guard);
        // a return moves data, as a rebuild does
        if (op == PoolTargetsRequest.Op.REINTEGRATE && PoolProperties.mayRebuild(properties))
            ids = returning(map, m.getRanksList());
        Outage.Cause cause = Departure.of(m).cause();
        return ids.isEmpty() ? map : map.withStates(ids, result(op), cause);
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
            Set<Integer> more = movable(map, PoolTargetsRequest.Op.EXCLUDE, rank, indexes);
            if (more.isEmpty()) continue;
            more.addAll(taken);
            if (Redundancy.mayExclude(map, more, guard.automatic())) taken = more;
        }
        return taken;
    }

    private static PoolMap byHand(PoolMap map, PoolTargetsRequest.Op op, TargetsChangeMessage m, Guard guard) {
        if (op == PoolTargetsRequest.Op.EXTEND) return Extension.apply(map, m);
        if (m.getRanksCount() == 0) {
            throw Fault.of(FaultCode.INVAL, "no ranks given to %s", verb(op)).asException();
        }
        Set<Integer> ids = new TreeSet<>();
        for (int rank : m.getRanksList()) {
            checkKnown(map, rank, m.getTargetIndexesList());
            ids.addAll(movable(map, op, rank, m.getTargetIndexesList()));
        }
        // it may have begun to come back by itself
        if (ids.isEmpty() && op == PoolTargetsRequest.Op.REINTEGRATE && isComingBack(map, m)) return map;
        if (ids.isEmpty()) throw nothingToDo(map, op, m).asException();
        // a device that has failed serves nobody, in the map or out of it
        int failuresMax = m.getByServer() ? guard.automatic() : guard.byHand();
        if (op == PoolTargetsRequest.Op.EXCLUDE && !m.getForce() && !Redundancy.mayExclude(map, ids, failuresMax)) {
            throw Fault.of(FaultCode.RF, "without these targets data of %s would be unavailable", guard.weakest())
                    .remedy(
                            "reintegrate failed ranks first, drain instead, or use --force: the data comes back with the targets")
                    .asException();
        }
        if (op == PoolTargetsRequest.Op.DRAIN
                && map.targets().stream().noneMatch(t -> t.isHome() && !ids.contains(t.id()))) {
            throw Fault.of(FaultCode.RF, "no target would be left to take the data of those that are drained")
                    .remedy("reintegrate failed ranks first, or drain fewer")
                    .asException();
        }
        if (m.getIdleSince() > 0) return map.withIdleDown(ids, m.getIdleSince(), Outage.Cause.DEVICE);
        return map.withStates(ids, result(op), m.getByServer() ? Outage.Cause.DEVICE : Outage.Cause.ADMIN);
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

    private static Set<Integer> movable(PoolMap map, PoolTargetsRequest.Op op, int rank, List<Integer> indexes) {
        return map.ofRank(rank).stream()
                .filter(t -> indexes.isEmpty() || indexes.contains(t.index()))
                .filter(t -> t.state().mayBecome(result(op)))
                .map(PoolTarget::id)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static Fault nothingToDo(PoolMap map, PoolTargetsRequest.Op op, TargetsChangeMessage m) {
        Set<String> states = map.targets().stream()
                .filter(t -> isNamed(t, m))
                .map(t -> t.state().label())
                .collect(Collectors.toCollection(TreeSet::new));
        return Fault.of(
                        FaultCode.ALREADY,
                        "nothing to %s: the targets of rank %s are %s",
                        verb(op),
                        m.getRanksList().stream().map(String::valueOf).collect(Collectors.joining(",")),
                        String.join(", ", states))
                .remedy("see dmg pool query for the state of each rank");
    }
}
