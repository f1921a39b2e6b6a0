package io.daosmesh.management.system.service;

import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.management.loop.Waits;
import io.daosmesh.management.pool.Departure;
import io.daosmesh.management.system.SystemDb;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.port.Endpoint;
import io.daosmesh.model.port.Registrations;
import io.daosmesh.model.port.RpcMessage;
import io.daosmesh.model.port.RpcMethod;
import io.daosmesh.model.ras.RasEvent.Severity;
import io.daosmesh.model.ras.RasId;
import io.daosmesh.model.wire.RankActionRequest;
import io.daosmesh.model.wire.RankResultMessage;
import io.daosmesh.model.wire.SystemActionReply;
import io.daosmesh.model.wire.SystemActionRequest;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * {@code dmg system stop, start, exclude, clear-exclude}, on the leader. A stop has two phases: everybody knows it is
 * planned, then the engines go, so that nobody is excluded for it. Any thread. Repeating a request is harmless.
 */
public final class SystemActions {
    private static final Duration ACTION_MAX = Duration.ofSeconds(20);
    private static final Duration JOIN_MAX = Duration.ofSeconds(20);

    private final NodeContext node;
    private final SystemService system;

    public SystemActions(NodeContext node, SystemService system) {
        this.node = node;
        this.system = system;
    }

    public void register(Registrations r) {
        r.on(RpcMethod.SYSTEM_ACTION, SystemActionRequest.parser(), this::act);
    }

    private record Outcome(Member member, MemberState state, boolean errored, String message) {}

    private Mono<SystemActionReply> act(SystemActionRequest r) {
        if (r.getAction() == SystemActionRequest.Action.UNRECOGNIZED)
            return Mono.error(
                    Fault.of(FaultCode.INVAL, "unknown system action %s", Integer.toUnsignedString(r.getActionValue()))
                            .asException());
        String name = r.getAction().name().toLowerCase(Locale.ROOT).replace('_', '-');
        return system.read(SystemDb::groupMap)
                .flatMap(group -> act(r, group, choose(group, r)))
                .map(outcomes -> reply(name, outcomes));
    }

    private Mono<List<Outcome>> act(SystemActionRequest r, GroupMap group, List<Member> members) {
        return switch (r.getAction()) {
            case STOP -> stop(members, isAllThatServe(group, members) ? "" : Departure.STOPPED_ALONE);
            case START -> start(members).flatMap(outcomes -> leaveBehind(group, members, outcomes));
            case EXCLUDE -> mark(members, MemberState.ADMIN_EXCLUDED);
            case CLEAR_EXCLUDE -> mark(members, MemberState.EXCLUDED);
            case UNRECOGNIZED -> throw new IllegalArgumentException("refused before");
        };
    }

    /** Ranks that were stopped together with all others, and stay so while some are started, are missed from now on. */
    private Mono<List<Outcome>> leaveBehind(GroupMap group, List<Member> chosen, List<Outcome> outcomes) {
        Set<Integer> started = chosen.stream().map(Member::rank).collect(Collectors.toSet());
        List<Integer> left = group.members().stream()
                .filter(m -> m.state() == MemberState.STOPPED && !m.info().equals(Departure.STOPPED_ALONE))
                .map(Member::rank)
                .filter(r -> !started.contains(r))
                .toList();
        boolean isServed = outcomes.stream().anyMatch(o -> o.state == MemberState.JOINED);
        if (left.isEmpty() || !isServed) return Mono.just(outcomes);
        return system.markStopped(left, Departure.STOPPED_ALONE).thenReturn(outcomes);
    }

    private static boolean isAllThatServe(GroupMap group, List<Member> members) {
        Set<Integer> others = group.members().stream()
                .filter(m -> m.state().isInGroup())
                .map(Member::rank)
                .collect(Collectors.toSet());
        members.forEach(m -> others.remove(m.rank()));
        return others.isEmpty();
    }

    private static List<Member> choose(GroupMap group, SystemActionRequest r) {
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

    /** Stop and start reach the engines; the others only say what the system thinks of them. */
    private static boolean isOfServers(SystemActionRequest r) {
        return r.getAction() == SystemActionRequest.Action.STOP || r.getAction() == SystemActionRequest.Action.START;
    }

    private static FaultException allExcluded() {
        return Fault.of(FaultCode.INVAL, "all requested ranks are administratively excluded")
                .remedy("run dmg system clear-exclude first")
                .asException();
    }

    /** @param why kept with the ranks that have stopped */
    private Mono<List<Outcome>> stop(List<Member> members, String why) {
        List<Integer> running = members.stream()
                .filter(m -> m.state() != MemberState.STOPPED)
                .map(Member::rank)
                .toList();
        return system.change(running, MemberState.STOPPING, "")
                .thenMany(Flux.fromIterable(members))
                .flatMap(
                        m -> m.state() == MemberState.STOPPED
                                ? Mono.just(already(m))
                                : tell(m, SystemActionRequest.Action.STOP),
                        64)
                .collectList()
                .flatMap(outcomes -> keep(outcomes, MemberState.STOPPED, why)
                        .then(keep(outcomes, MemberState.UNRESPONSIVE, why))
                        .then(keep(outcomes, MemberState.ERRORED, ""))
                        .thenReturn(outcomes))
                .doOnNext(outcomes -> raise(RasId.SYSTEM_STOP_FAILED, "System stop failed", outcomes));
    }

    private Mono<List<Outcome>> start(List<Member> members) {
        long endNs = System.nanoTime() + JOIN_MAX.toNanos();
        return Flux.fromIterable(members)
                .flatMap(
                        m -> m.state() == MemberState.JOINED
                                ? Mono.just(already(m))
                                : tell(m, SystemActionRequest.Action.START)
                                        .flatMap(o -> o.errored ? Mono.just(o) : joined(o, endNs)),
                        64)
                .collectList()
                .doOnNext(outcomes -> raise(RasId.SYSTEM_START_FAILED, "System start failed", outcomes));
    }

    private Mono<Outcome> joined(Outcome o, long endNs) {
        return Mono.defer(() -> system.read(db -> db.groupMap().member(o.member.rank())))
                .flatMap(now -> {
                    if (now.map(Member::state)
                            .filter(s -> s == MemberState.JOINED)
                            .isPresent()) return Mono.just(new Outcome(o.member, MemberState.JOINED, false, ""));
                    return Mono.error(Fault.of(FaultCode.AGAIN, "the rank did not join in time")
                            .asException());
                })
                .retryWhen(Waits.retry(node.loop(), endNs, c -> c == FaultCode.AGAIN))
                .onErrorResume(e -> Mono.just(new Outcome(
                        o.member,
                        o.member.state(),
                        true,
                        FaultException.faultOf(e).text())));
    }

    private Mono<List<Outcome>> mark(List<Member> members, MemberState to) {
        return system.change(members.stream().map(Member::rank).toList(), to, "by the administrator")
                .map(changed -> members.stream()
                        .map(m -> changed.contains(m.rank()) || m.state() == to
                                ? new Outcome(m, to, false, "")
                                : new Outcome(
                                        m,
                                        m.state(),
                                        true,
                                        "a rank that is " + m.state().label() + " cannot become " + to.label()))
                        .toList());
    }

    private static Outcome already(Member m) {
        return new Outcome(m, m.state(), false, "");
    }

    private Mono<Outcome> tell(Member m, SystemActionRequest.Action action) {
        RankActionRequest request = RankActionRequest.newBuilder()
                .setAction(action)
                .setRank(m.rank())
                .build();
        MemberState done = action == SystemActionRequest.Action.STOP ? MemberState.STOPPED : m.state();
        return node.rpc()
                .call(
                        Endpoint.node(m.address()),
                        RpcMethod.RANK_ACTION,
                        RpcMessage.of(request),
                        ACTION_MAX,
                        r -> new Outcome(m, done, false, ""))
                .onErrorResume(e -> {
                    Fault f = FaultException.faultOf(e);
                    boolean silent = f.code() == FaultCode.UNREACH || f.code() == FaultCode.TIMEDOUT;
                    return Mono.just(
                            new Outcome(m, silent ? MemberState.UNRESPONSIVE : MemberState.ERRORED, true, f.message()));
                });
    }

    private Mono<List<Integer>> keep(List<Outcome> outcomes, MemberState state, String info) {
        List<Integer> ranks = outcomes.stream()
                .filter(o -> o.state == state && o.member.state() != state)
                .map(o -> o.member.rank())
                .toList();
        return ranks.isEmpty() ? Mono.just(ranks) : system.change(ranks, state, info);
    }

    private void raise(RasId id, String what, List<Outcome> outcomes) {
        List<Integer> failed = outcomes.stream()
                .filter(Outcome::errored)
                .map(o -> o.member.rank())
                .sorted()
                .toList();
        if (!failed.isEmpty())
            node.ras().raise(id, Severity.ERROR, what + " during stop or start of ranks " + failed, Map.of());
    }

    private static SystemActionReply reply(String action, List<Outcome> outcomes) {
        SystemActionReply.Builder b = SystemActionReply.newBuilder();
        outcomes.stream()
                .sorted(java.util.Comparator.comparingInt(o -> o.member.rank()))
                .forEach(o -> b.addResults(RankResultMessage.newBuilder()
                        .setRank(o.member.rank())
                        .setAddress(o.member.address())
                        .setState(o.state.toWire())
                        .setErrored(o.errored)
                        .setMessage(o.message)
                        .setAction(action)));
        return b.build();
    }
}
