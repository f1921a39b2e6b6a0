package io.daosmesh.management.runtime;

import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.port.Maps;
import io.daosmesh.model.port.Membership;
import io.daosmesh.model.port.RpcMethod;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.RankDeadReport;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import reactor.core.publisher.Mono;

/**
 * Carries what gossip says about dead ranks to the leader of the management service, until it has been heard or the rank
 * lives again. Owner: management loop.
 */
final class DeadReporter implements Membership.Listener, Maps.Listener {
    private static final Duration ONE_TRY = Duration.ofMillis(700);
    private static final Duration ALL_TRIES = Duration.ofSeconds(5);

    /** The system's self_heal policy forbids it now. */
    private static final Duration FORBIDDEN_PAUSE = Duration.ofSeconds(3);

    private final NodeContext node;
    private final LeaderCaller leaders;
    /** By rank; as many as there are ranks at most. */
    private final Map<Integer, RankDeadReport> pending = new HashMap<>();

    private final Set<Integer> underWay = new HashSet<>();
    /** A rank of this node; -1 while it has none in the group map. */
    private volatile int reporter = -1;

    DeadReporter(NodeContext node, LeaderCaller leaders) {
        this.node = node;
        this.leaders = leaders;
    }

    @Override
    public void onAlive(int rank, long incarnation) {
        node.loop().run(() -> {
            RankDeadReport r = pending.get(rank);
            if (r != null && Long.compare(incarnation, r.getIncarnation()) > 0) pending.remove(rank);
        });
    }

    @Override
    public void onSuspect(int rank, long incarnation) {}

    @Override
    public void onDead(int rank, long incarnation, String reason) {
        node.loop().run(() -> {
            pending.put(
                    rank,
                    RankDeadReport.newBuilder()
                            .setRank(rank)
                            .setIncarnation(incarnation)
                            .setReason(reason)
                            .build());
            send();
        });
    }

    @Override
    public void onGroupMap(GroupMap map) {
        map.members().stream()
                .filter(m -> m.address().equals(node.address()))
                .findFirst()
                .ifPresent(m -> reporter = m.rank());
        pending.values()
                .removeIf(
                        r -> map.member(r.getRank()).filter(m -> isStill(m, r)).isEmpty());
    }

    private static boolean isStill(Member m, RankDeadReport r) {
        return m.state().isInGroup() && m.incarnation() <= r.getIncarnation();
    }

    /** Sends what nobody has taken yet. */
    void send() {
        // a report without a rank of this node is nobody's
        if (reporter < 0) return;
        for (RankDeadReport r : pending.values()) {
            if (!underWay.contains(r.getRank())) send(r);
        }
    }

    /** This node leads the service from now on: a call that still looks for the leader, in pauses, is overtaken. */
    void onLeading() {
        if (reporter >= 0) pending.values().forEach(this::send);
    }

    private void send(RankDeadReport r) {
        underWay.add(r.getRank());
        leaders.call(
                        RpcMethod.RANK_DEAD,
                        r.toBuilder().setReporter(reporter).build(),
                        Empty.parser(),
                        ONE_TRY,
                        ALL_TRIES)
                .publishOn(node.loop().scheduler())
                .onErrorResume(e -> {
                    SystemService.drop("report of dead rank " + r.getRank(), e);
                    boolean isForbidden = FaultException.faultOf(e).code() == FaultCode.NO_PERM;
                    return isForbidden
                            ? Mono.delay(FORBIDDEN_PAUSE, node.loop().scheduler())
                                    .then(Mono.empty())
                            : Mono.empty();
                })
                .doFinally(s -> node.loop().run(() -> underWay.remove(r.getRank())))
                .subscribe(
                        ok -> pending.remove(r.getRank(), r),
                        e -> SystemService.drop("report of dead rank " + r.getRank(), e));
    }
}
