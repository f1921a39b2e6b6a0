package io.daosmesh.management.node;

import io.daosmesh.management.loop.LeaderCaller;
import io.daosmesh.management.loop.Loop;
import io.daosmesh.management.loop.NodeContext;
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
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import reactor.core.Disposable;
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

    /** News of others wait until the accused could have refuted them: gossip takes a period to each side. */
    private static final Duration HEARSAY_PAUSE = Duration.ofSeconds(1);

    private final NodeContext node;
    private final LeaderCaller leaders;
    /** By rank; as many as there are ranks at most. */
    private final Map<Integer, Pending> pending = new HashMap<>();

    /** A rank of this node; -1 while it has none in the group. */
    private volatile int reporter = -1;

    /** What nobody has taken yet, and the call that carries it. */
    private static final class Pending {
        private final RankDeadReport report;
        private final long notBeforeNs;
        private @Nullable Disposable call;

        Pending(RankDeadReport report, long notBeforeNs) {
            this.report = report;
            this.notBeforeNs = notBeforeNs;
        }

        void stop() {
            if (call != null) call.dispose();
        }
    }

    DeadReporter(NodeContext node, LeaderCaller leaders) {
        this.node = node;
        this.leaders = leaders;
    }

    @Override
    public void onAlive(int rank, long incarnation) {
        node.loop().run(() -> drop(p -> p.getRank() == rank && incarnation > p.getIncarnation()));
    }

    @Override
    public void onSuspect(int rank, long incarnation) {}

    @Override
    public void onDead(int rank, long incarnation, String reason) {
        boolean isHearsay = reason.equals(Membership.TOLD_BY_OTHERS);
        long notBeforeNs = System.nanoTime() + (isHearsay ? HEARSAY_PAUSE.toNanos() : 0);
        RankDeadReport report = RankDeadReport.newBuilder()
                .setRank(rank)
                .setIncarnation(incarnation)
                .setReason(reason)
                .build();
        node.loop().run(() -> {
            Pending old = pending.get(rank);
            if (old != null && old.report.equals(report)) return;
            drop(r -> r.getRank() == rank);
            pending.put(rank, new Pending(report, notBeforeNs));
            send();
        });
    }

    @Override
    public void onGroupMap(GroupMap map) {
        reporter = map.members().stream()
                .filter(m -> m.address().equals(node.address()) && m.state().isInGroup())
                .findFirst()
                .map(Member::rank)
                .orElse(-1);
        drop(r -> map.member(r.getRank()).filter(m -> isStill(m, r)).isEmpty());
    }

    private static boolean isStill(Member m, RankDeadReport r) {
        return m.state().isInGroup() && m.incarnation() <= r.getIncarnation();
    }

    /** A call that goes on would accuse whoever has refuted it. */
    private void drop(Predicate<RankDeadReport> which) {
        pending.values().removeIf(p -> {
            boolean isOver = which.test(p.report);
            if (isOver) p.stop();
            return isOver;
        });
    }

    /** Sends what nobody has taken yet. */
    void send() {
        // a report without a rank of this node is nobody's
        if (reporter < 0) return;
        long nowNs = System.nanoTime();
        for (Pending p : pending.values()) {
            if (p.call == null && nowNs - p.notBeforeNs >= 0) p.call = call(p);
        }
    }

    /** This node leads the service from now on: a call that still looks for the leader, in pauses, is overtaken. */
    void onLeading() {
        pending.replaceAll((rank, p) -> {
            p.stop();
            return new Pending(p.report, p.notBeforeNs);
        });
        send();
    }

    private Disposable call(Pending p) {
        int rank = p.report.getRank();
        return leaders.call(
                        RpcMethod.RANK_DEAD,
                        p.report.toBuilder().setReporter(reporter).build(),
                        Empty.parser(),
                        ONE_TRY,
                        ALL_TRIES)
                .publishOn(node.loop().scheduler())
                .onErrorResume(e -> {
                    Loop.drop("report of dead rank " + rank, e);
                    boolean isForbidden = FaultException.faultOf(e).code() == FaultCode.NO_PERM;
                    return isForbidden
                            ? Mono.delay(FORBIDDEN_PAUSE, node.loop().scheduler())
                                    .then(Mono.empty())
                            : Mono.empty();
                })
                .doFinally(s -> node.loop().run(() -> p.call = null))
                .subscribe(ok -> pending.remove(rank, p), e -> Loop.drop("report of dead rank " + rank, e));
    }
}
