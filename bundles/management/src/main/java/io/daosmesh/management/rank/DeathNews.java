package io.daosmesh.management.rank;

import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.port.Membership;
import io.daosmesh.model.wire.RankDeadReport;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Predicate;

/**
 * What gossip says about dead ranks, on its way to the leader of the management service: until it has been heard, or the rank lives
 * again. Pure. Owner: management loop.
 */
public final class DeathNews {
    /** The system's self_heal policy forbids it now. */
    static final long FORBIDDEN_PAUSE_NS = 3_000_000_000L;

    /** News of others wait until the accused could have refuted them: gossip takes a period to each side. */
    static final long HEARSAY_PAUSE_NS = 1_000_000_000L;

    /** What has to be done. */
    public interface Effects {
        /** Ends in {@link #onHeard} or {@link #onUnheard}, unless it is dropped. */
        void report(RankDeadReport report);

        /** A call that goes on would accuse whoever has refuted it, or look for a leader that is known by now. */
        void drop(int rank);
    }

    private final String address;
    /** By rank; as many as there are ranks at most. */
    private final Map<Integer, Pending> pending = new HashMap<>();

    /** A rank of this node; -1 while it has none in the group. */
    private int reporter = -1;

    private static final class Pending {
        private final RankDeadReport report;
        private final long notBeforeNs;
        private long nextNs;
        private boolean isUnderWay;

        Pending(RankDeadReport report, long notBeforeNs) {
            this.report = report;
            this.notBeforeNs = notBeforeNs;
            this.nextNs = notBeforeNs;
        }
    }

    /** @param address of this node */
    public DeathNews(String address) {
        this.address = address;
    }

    public void onAlive(int rank, long incarnation, Effects out) {
        drop(p -> p.getRank() == rank && incarnation > p.getIncarnation(), out);
    }

    public void onDead(long nowNs, int rank, long incarnation, String reason, Effects out) {
        RankDeadReport report = RankDeadReport.newBuilder()
                .setRank(rank)
                .setIncarnation(incarnation)
                .setReason(reason)
                .build();
        Pending old = pending.get(rank);
        if (old != null && old.report.equals(report)) return;
        drop(r -> r.getRank() == rank, out);
        boolean isHearsay = reason.equals(Membership.TOLD_BY_OTHERS);
        pending.put(rank, new Pending(report, nowNs + (isHearsay ? HEARSAY_PAUSE_NS : 0)));
        onTick(nowNs, out);
    }

    public void onGroupMap(GroupMap map, Effects out) {
        reporter = map.members().stream()
                .filter(m -> m.address().equals(address) && m.state().isInGroup())
                .findFirst()
                .map(Member::rank)
                .orElse(-1);
        drop(r -> map.member(r.getRank()).filter(m -> isStill(m, r)).isEmpty(), out);
    }

    private static boolean isStill(Member m, RankDeadReport r) {
        return m.state().isInGroup() && m.incarnation() <= r.getIncarnation();
    }

    private void drop(Predicate<RankDeadReport> which, Effects out) {
        pending.values().removeIf(p -> {
            boolean isOver = which.test(p.report);
            if (isOver && p.isUnderWay) out.drop(p.report.getRank());
            return isOver;
        });
    }

    /** Something is not taken yet: {@link #onTick} is wanted. */
    public boolean isWaiting() {
        return !pending.isEmpty();
    }

    /** Sends what nobody has taken yet. */
    public void onTick(long nowNs, Effects out) {
        // a report without a rank of this node is nobody's
        if (reporter < 0) return;
        for (Pending p : pending.values()) {
            if (p.isUnderWay || nowNs - p.nextNs < 0) continue;
            p.isUnderWay = true;
            out.report(p.report.toBuilder().setReporter(reporter).build());
        }
    }

    /** This node leads the service from now on: a call that still looks for the leader, in pauses, is overtaken. */
    public void onLeading(long nowNs, Effects out) {
        pending.values().forEach(p -> {
            if (p.isUnderWay) out.drop(p.report.getRank());
            p.isUnderWay = false;
            p.nextNs = p.notBeforeNs;
        });
        onTick(nowNs, out);
    }

    public void onHeard(RankDeadReport report) {
        pending.computeIfPresent(report.getRank(), (rank, p) -> isOf(p, report) ? null : p);
    }

    public void onUnheard(long nowNs, RankDeadReport report, boolean isForbidden) {
        Pending p = pending.get(report.getRank());
        if (p == null || !isOf(p, report)) return;
        p.isUnderWay = false;
        if (isForbidden) p.nextNs = nowNs + FORBIDDEN_PAUSE_NS;
    }

    private static boolean isOf(Pending p, RankDeadReport report) {
        return p.report.equals(report.toBuilder().clearReporter().build());
    }
}
