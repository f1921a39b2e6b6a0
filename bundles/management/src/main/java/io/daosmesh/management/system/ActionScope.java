package io.daosmesh.management.system;

import io.daosmesh.management.pool.Departure;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.wire.SystemActionRequest;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Which ranks {@code dmg system stop, start, exclude, clear-exclude} mean. Pure. */
public final class ActionScope {
    private ActionScope() {}

    /** INVAL for ranks that are not there, and when none is meant. */
    public static List<Member> chosen(GroupMap group, SystemActionRequest r) {
        if (r.getRanksCount() == 0) {
            List<Member> all = group.members().stream()
                    .filter(m -> m.state() != MemberState.ADMIN_EXCLUDED)
                    .toList();
            if (!isOfServers(r) || !r.getAll())
                throw Fault.of(FaultCode.INVAL, "no ranks given").asException();
            if (all.isEmpty() && !group.members().isEmpty()) throw allExcluded();
            return all;
        }
        Set<Integer> unknown = new TreeSet<>(r.getRanksList());
        List<Member> chosen =
                group.members().stream().filter(m -> unknown.remove(m.rank())).toList();
        if (!unknown.isEmpty()) {
            throw Fault.of(
                            FaultCode.INVAL,
                            "invalid rank(s): %s",
                            unknown.stream().map(String::valueOf).collect(Collectors.joining(",")))
                    .asException();
        }
        if (isOfServers(r) && chosen.stream().allMatch(m -> m.state() == MemberState.ADMIN_EXCLUDED))
            throw allExcluded();
        return chosen;
    }

    public static boolean isAllThatServe(GroupMap group, List<Member> members) {
        Set<Integer> others = group.members().stream()
                .filter(m -> m.state().isInGroup())
                .map(Member::rank)
                .collect(Collectors.toSet());
        members.forEach(m -> others.remove(m.rank()));
        return others.isEmpty();
    }

    /** Ranks that were stopped together with all others, and stay so while some are started, are missed from now on. */
    public static List<Integer> leftBehind(GroupMap group, List<Member> chosen) {
        Set<Integer> started = chosen.stream().map(Member::rank).collect(Collectors.toSet());
        return group.members().stream()
                .filter(m -> m.state() == MemberState.STOPPED && !m.info().equals(Departure.STOPPED_ALONE))
                .map(Member::rank)
                .filter(r -> !started.contains(r))
                .toList();
    }

    /** Stop and start reach the engines; the others only say what the system thinks of them. */
    private static boolean isOfServers(SystemActionRequest r) {
        return r.getAction() == SystemActionRequest.Action.STOP || r.getAction() == SystemActionRequest.Action.START;
    }

    private static FaultException allExcluded() {
        return Fault.of(FaultCode.INVAL, "all requested ranks are administratively excluded")
                .remedy("run dmg system clear-exclude first")
                .asException();
    }
}
