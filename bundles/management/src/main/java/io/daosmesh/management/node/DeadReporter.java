package io.daosmesh.management.node;

import io.daosmesh.management.loop.LeaderCaller;
import io.daosmesh.management.loop.Loop;
import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.management.rank.DeathNews;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.port.Maps;
import io.daosmesh.model.port.Membership;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.RankDeadReport;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import reactor.core.Disposable;

/**
 * Carries what gossip says about dead ranks to the leader of the management service, as {@link DeathNews} decides. Owner: management
 * loop; gossip may call from any thread.
 */
final class DeadReporter implements Membership.Listener, Maps.Listener, DeathNews.Effects {
    private static final Duration TICK = Duration.ofMillis(300);
    private static final Duration ONE_TRY = Duration.ofMillis(700);
    private static final Duration ALL_TRIES = Duration.ofSeconds(5);

    private final NodeContext node;
    private final LeaderCaller leaders;
    private final DeathNews news;
    private final Map<Integer, Disposable> calls = new HashMap<>();
    /** A tick is planned, as long as a report is not taken. */
    private boolean isTicking;

    DeadReporter(NodeContext node, LeaderCaller leaders) {
        this.node = node;
        this.leaders = leaders;
        this.news = new DeathNews(node.address());
    }

    @Override
    public void onAlive(int rank, long incarnation) {
        node.loop().run(() -> news.onAlive(rank, incarnation, this));
    }

    @Override
    public void onSuspect(int rank, long incarnation) {}

    @Override
    public void onDead(int rank, long incarnation, String reason) {
        long nowNs = System.nanoTime();
        node.loop().run(() -> {
            news.onDead(nowNs, rank, incarnation, reason, this);
            tickLater();
        });
    }

    @Override
    public void onGroupMap(GroupMap map) {
        news.onGroupMap(map, this);
    }

    private void tickLater() {
        if (isTicking || !news.isWaiting()) return;
        isTicking = true;
        node.loop().after(TICK, () -> {
            isTicking = false;
            news.onTick(System.nanoTime(), this);
            tickLater();
        });
    }

    void onLeading() {
        news.onLeading(System.nanoTime(), this);
    }

    @Override
    public void report(RankDeadReport report) {
        int rank = report.getRank();
        calls.put(
                rank,
                leaders.call(RpcMethod.RANK_DEAD, report, Empty.parser(), ONE_TRY, ALL_TRIES)
                        .publishOn(node.loop().scheduler())
                        .subscribe(ok -> news.onHeard(report), e -> {
                            Loop.drop("report of dead rank " + rank, e);
                            boolean isForbidden = FaultException.faultOf(e).code() == FaultCode.NO_PERM;
                            news.onUnheard(System.nanoTime(), report, isForbidden);
                        }));
    }

    @Override
    public void drop(int rank) {
        Disposable call = calls.remove(rank);
        if (call != null) call.dispose();
    }
}
