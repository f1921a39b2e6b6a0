package io.daosmesh.management.system.service;

import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.management.loop.Waits;
import io.daosmesh.management.pool.Departure;
import io.daosmesh.management.system.ActionScope;
import io.daosmesh.management.system.Outcome;
import io.daosmesh.management.system.SystemDb;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.ras.RasEvent.Severity;
import io.daosmesh.model.ras.RasId;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Registrations;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.RankActionRequest;
import io.daosmesh.model.wire.SystemActionReply;
import io.daosmesh.model.wire.SystemActionRequest;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
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

    private Mono<SystemActionReply> act(SystemActionRequest r) {
        if (r.getAction() == SystemActionRequest.Action.UNRECOGNIZED)
            return Mono.error(
                    Fault.of(FaultCode.INVAL, "unknown system action %s", Integer.toUnsignedString(r.getActionValue()))
                            .asException());
        String name = r.getAction().name().toLowerCase(Locale.ROOT).replace('_', '-');
        return system.read(SystemDb::groupMap)
                .flatMap(group -> act(r, group, ActionScope.chosen(group, r)))
                .map(outcomes -> Outcome.reply(name, outcomes));
    }

    private Mono<List<Outcome>> act(SystemActionRequest r, GroupMap group, List<Member> members) {
        return switch (r.getAction()) {
            case STOP -> stop(members, ActionScope.isAllThatServe(group, members) ? "" : Departure.STOPPED_ALONE);
            case START -> start(members).flatMap(outcomes -> leaveBehind(group, members, outcomes));
            case EXCLUDE -> mark(members, MemberState.ADMIN_EXCLUDED);
            case CLEAR_EXCLUDE -> mark(members, MemberState.EXCLUDED);
            case UNRECOGNIZED -> throw new IllegalArgumentException("refused before");
        };
    }

    private Mono<List<Outcome>> leaveBehind(GroupMap group, List<Member> chosen, List<Outcome> outcomes) {
        List<Integer> left = ActionScope.leftBehind(group, chosen);
        boolean isServed = outcomes.stream().anyMatch(o -> o.state() == MemberState.JOINED);
        if (left.isEmpty() || !isServed) return Mono.just(outcomes);
        return system.markStopped(left, Departure.STOPPED_ALONE).thenReturn(outcomes);
    }

    private Mono<List<Outcome>> mark(List<Member> members, MemberState to) {
        return system.change(members.stream().map(Member::rank).toList(), to, "by the administrator")
                .map(changed -> members.stream()
                        .map(m -> Outcome.marked(m, to, changed))
                        .toList());
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
                                ? Mono.just(Outcome.already(m))
                                : tell(m, SystemActionRequest.Action.STOP),
                        64)
                .collectList()
                .flatMap(outcomes -> keep(outcomes, MemberState.STOPPED, why)
                        .then(keep(outcomes, MemberState.UNRESPONSIVE, why))
                        .then(keep(outcomes, MemberState.ERRORED, ""))
                        .thenReturn(outcomes))
                .doOnNext(outcomes ->
                        raise(RasId.SYSTEM_STOP_FAILED, "System shutdown failed during \"stop\" action, ", outcomes));
    }

    private Mono<List<Outcome>> start(List<Member> members) {
        long endNs = System.nanoTime() + JOIN_MAX.toNanos();
        return Flux.fromIterable(members)
                .flatMap(
                        m -> m.state() == MemberState.JOINED
                                ? Mono.just(Outcome.already(m))
                                : tell(m, SystemActionRequest.Action.START)
                                        .flatMap(o -> o.errored() ? Mono.just(o) : joined(o, endNs)),
                        64)
                .collectList()
                .doOnNext(outcomes -> raise(RasId.SYSTEM_START_FAILED, "System startup failed, ", outcomes));
    }

    private Mono<Outcome> joined(Outcome o, long endNs) {
        return Mono.defer(
                        () -> system.read(db -> db.groupMap().member(o.member().rank())))
                .flatMap(now -> {
                    if (now.map(Member::state)
                            .filter(s -> s == MemberState.JOINED)
                            .isPresent()) return Mono.just(new Outcome(o.member(), MemberState.JOINED, false, ""));
                    return Mono.error(Fault.of(FaultCode.AGAIN, "the rank did not join in time")
                            .asException());
                })
                .retryWhen(Waits.retry(node.loop(), endNs, c -> c == FaultCode.AGAIN))
                .onErrorResume(e -> Mono.just(new Outcome(
                        o.member(),
                        o.member().state(),
                        true,
                        FaultException.faultOf(e).text())));
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
                .filter(o -> o.state() == state && o.member().state() != state)
                .map(o -> o.member().rank())
                .toList();
        return ranks.isEmpty() ? Mono.just(ranks) : system.change(ranks, state, info);
    }

    private void raise(RasId id, String what, List<Outcome> outcomes) {
        String failed = outcomes.stream()
                .filter(Outcome::errored)
                .sorted(Comparator.comparingInt(o -> o.member().rank()))
                .map(o -> "rank " + o.member().rank() + ": " + o.message())
                .collect(Collectors.joining("; "));
        if (!failed.isEmpty()) node.ras().raise(id, Severity.ERROR, what + failed, Map.of());
    }
}
