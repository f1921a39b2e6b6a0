package io.daosmesh.management.pool;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.pool.Outage;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.wire.TargetsChangeMessage;
import java.util.EnumMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Why a rank has left, so that pools do without it by themselves. Pure. */
public enum Departure {
    /** Silent or crashed: it comes back when it lives again, and slower when that happens often. */
    DEATH(TargetsChangeMessage.Departure.DEATH, Outage.Cause.DEATH),
    /** Stopped by an administrator while others serve: it comes back when it is started. */
    STOP(TargetsChangeMessage.Departure.STOP, Outage.Cause.DEATH),
    /** Excluded from the system by an administrator: a person has decided, and a person brings it back. */
    EXCLUSION(TargetsChangeMessage.Departure.EXCLUSION, Outage.Cause.ADMIN),
    /** Answers nobody, and gossip has not given it up yet: requests go on without it, and it comes back when it answers. */
    SILENCE(TargetsChangeMessage.Departure.SILENCE, Outage.Cause.DEATH);

    /** Info of a member that was stopped and that others go on without. */
    public static final String STOPPED_ALONE = "stopped by the administrator, others serve";

    /** Begin of the info of a member whose engine has died while its node lives. */
    public static final String DIED = "engine exited unexpectedly: ";

    private final TargetsChangeMessage.Departure wire;
    private final Outage.Cause cause;

    Departure(TargetsChangeMessage.Departure wire, Outage.Cause cause) {
        this.wire = wire;
        this.cause = cause;
    }

    public TargetsChangeMessage.Departure toWire() {
        return wire;
    }

    /** PROTO for one of another release. */
    static Departure of(TargetsChangeMessage m) {
        for (Departure why : values()) if (why.wire == m.getDeparture()) return why;
        throw Fault.of(FaultCode.PROTO, "unknown departure %d", m.getDepartureValue())
                .asException();
    }

    Outage.Cause cause() {
        return cause;
    }

    /**
     * Ranks that have left and whose targets the pool map still counts on, by why. Only by a group map at least as new as the
     * last decision about the rank: a new leader may have an older one.
     */
    public static Map<Departure, Set<Integer>> of(PoolMap map, GroupMap members, Returns returns) {
        Map<Departure, Set<Integer>> left = new EnumMap<>(Departure.class);
        boolean isServed = isServed(map, members);
        for (int rank : counted(map)) {
            Departure why = of(members, rank);
            if (why == null || members.version() < returns.groupVersion(rank)) continue;
            // with nobody left to serve, letting go of the last ones helps nobody
            if (why == STOP && !isServed) continue;
            left.computeIfAbsent(why, w -> new TreeSet<>()).add(rank);
        }
        return left;
    }

    /** Ranks that the pool map counts on and that are not there, for whatever reason. */
    public static Set<Integer> absent(PoolMap map, GroupMap members) {
        Set<Integer> absent = counted(map);
        members.members().stream().filter(m -> m.state().isInGroup()).forEach(m -> absent.remove(m.rank()));
        return absent;
    }

    private static Set<Integer> counted(PoolMap map) {
        return map.targets().stream()
                .filter(t -> t.state().mayBecome(TargetState.DOWN))
                .map(PoolTarget::rank)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static boolean isServed(PoolMap map, GroupMap members) {
        Set<Integer> counted = counted(map);
        counted.removeAll(absent(map, members));
        return !counted.isEmpty();
    }

    /** Errored because its engine has died; one that would not stop is Errored, too, and may serve. */
    public static boolean hasDied(Member m) {
        return m.state() == MemberState.ERRORED && m.info().startsWith(DIED);
    }

    /** Null = it has not left. One that the system does not know is dead. */
    private static @Nullable Departure of(GroupMap members, int rank) {
        Member m = members.member(rank).orElse(null);
        if (m == null || m.state() == MemberState.EXCLUDED) return DEATH;
        if (m.state() == MemberState.ADMIN_EXCLUDED) return EXCLUSION;
        if (hasDied(m)) return DEATH;
        boolean isStopped = m.state() == MemberState.STOPPED || m.state() == MemberState.UNRESPONSIVE;
        return isStopped && m.info().equals(STOPPED_ALONE) ? STOP : null;
    }
}
