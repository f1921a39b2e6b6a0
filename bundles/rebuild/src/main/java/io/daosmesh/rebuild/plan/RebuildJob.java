package io.daosmesh.rebuild.plan;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.Invariant;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.RebuildStatus;
import io.daosmesh.model.pool.TargetState;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * One rebuild of one pool, led by the node that leads the pool's service: every engine prepares (fence), then scans, the
 * new homes pull, and when nothing is left anywhere the pool map is committed. Owner: rebuild loop. Pure.
 *
 * <p>Nothing is trusted before its time: a rank's {@code pull_done} counts only in a status that was asked for after every
 * rank had reported {@code scan_done}, and only if as many objects were received as were sent (traps RB-01 and INV-1).
 */
public final class RebuildJob {
    /** Pause between two status questions to a rank. */
    static final long STATUS_PERIOD_NS = 200_000_000L;

    /** A step that failed is tried again after this long. */
    static final long RETRY_NS = 300_000_000L;

    /** Without any progress for this long the session is given up and started afresh. */
    static final long STALL_MAX_NS = 60_000_000_000L;

    /** Phases of a job; the table of legal moves is {@link #NEXT}. */
    public enum Phase {
        PREPARING,
        MOVING,
        COMMITTING,
        DONE,
        FAILED,
        ABORTED
    }

    private static final Map<Phase, Set<Phase>> NEXT = new EnumMap<>(Map.of(
            Phase.PREPARING, EnumSet.of(Phase.MOVING, Phase.FAILED, Phase.ABORTED),
            Phase.MOVING, EnumSet.of(Phase.COMMITTING, Phase.FAILED, Phase.ABORTED),
            Phase.COMMITTING, EnumSet.of(Phase.DONE, Phase.FAILED),
            Phase.DONE, EnumSet.noneOf(Phase.class),
            Phase.FAILED, EnumSet.noneOf(Phase.class),
            Phase.ABORTED, EnumSet.noneOf(Phase.class)));

    private final Session session;
    private final Map<Integer, RankProgress> ranks = new TreeMap<>();
    private final long startedHlc;
    private final long startedNs;
    private Phase phase = Phase.PREPARING;
    private long stableEpoch;
    private long progressNs;
    private long endedNs;
    private int failure;

    public RebuildJob(Session session, PoolMap map, long startedHlc, long nowNs) {
        this.session = session;
        this.startedHlc = startedHlc;
        this.startedNs = nowNs;
        this.progressNs = nowNs;
        for (int rank : participants(map)) ranks.put(rank, new RankProgress());
        Invariant.check(!ranks.isEmpty(), "rebuild of pool %s has no participant", session.pool());
    }

    /** Ranks with a target that holds or will hold data. */
    public static Set<Integer> participants(PoolMap map) {
        Set<Integer> ranks = new TreeSet<>();
        for (PoolTarget t : map.targets()) {
            if (t.state() == TargetState.UPIN || t.state() == TargetState.UP || t.state() == TargetState.DRAIN) {
                ranks.add(t.rank());
            }
        }
        return ranks;
    }

    /** The operation's name as RAS events and {@code pool query} show it. */
    public static String operation(PoolMap map) {
        if (map.targets().stream().anyMatch(t -> t.state() == TargetState.UP && !t.isBeingAdded()))
            return "Reintegrate";
        if (map.targets().stream().anyMatch(PoolTarget::isBeingAdded)) return "Extend";
        return map.targets().stream().anyMatch(t -> t.state() == TargetState.DRAIN) ? "Drain" : "Rebuild";
    }

    public Session session() {
        return session;
    }

    public Phase phase() {
        return phase;
    }

    /** False once it is done, failed or called off: nothing changes any more. */
    public boolean isUnderWay() {
        return !NEXT.getOrDefault(phase, Set.of()).isEmpty();
    }

    public Set<Integer> ranks() {
        return Set.copyOf(ranks.keySet());
    }

    /** Sends what is due. */
    public void onTick(long nowNs, RebuildEffects out) {
        if (phase != Phase.PREPARING && phase != Phase.MOVING) return;
        if (nowNs - progressNs > STALL_MAX_NS) {
            fail(
                    nowNs,
                    Fault.of(FaultCode.TIMEDOUT, "rebuild made no progress for 60 s: waiting for %s", waitingFor()),
                    out);
            return;
        }
        ranks.forEach((rank, r) -> {
            boolean isPrepared = phase == Phase.PREPARING && r.preparedHlc != 0;
            if (isPrepared || r.isAsked || nowNs < r.dueNs) return;
            r.isAsked = true;
            if (phase == Phase.PREPARING) {
                out.sendPrepare(rank);
            } else if (!r.isScanning) {
                out.sendScan(rank, stableEpoch);
            } else {
                r.isAskedAfterAllScanned = isEveryScanDone();
                out.sendStatus(rank);
            }
        });
    }

    /** A rank has fenced the map version; {@code hlc} is its clock. */
    public void onPrepared(int rank, long hlc, long nowNs, RebuildEffects out) {
        RankProgress r = answered(rank, nowNs, Phase.PREPARING);
        if (r == null) return;
        r.preparedHlc = hlc;
        stableEpoch = Math.max(stableEpoch, hlc);
        if (ranks.values().stream().allMatch(p -> p.preparedHlc != 0)) {
            move(Phase.MOVING);
            onTick(nowNs, out);
        }
    }

    public void onScanStarted(int rank, long nowNs) {
        RankProgress r = answered(rank, nowNs, Phase.MOVING);
        if (r != null) r.isScanning = true;
    }

    public void onStatus(int rank, RankStatus status, long nowNs, RebuildEffects out) {
        RankProgress r = ranks.get(rank);
        if (r == null || phase != Phase.MOVING) return;
        r.isAsked = false;
        r.dueNs = nowNs + STATUS_PERIOD_NS;
        if (status.status() != 0) {
            Fault why = Fault.of(FaultCode.of(status.status()).orElse(FaultCode.UNKNOWN), status.detail());
            fail(nowNs, why.with("rank", rank), out);
            return;
        }
        // who waits for room is not stuck: it begins where it stands once there is some
        if (!status.equals(r.status) || status.objectsBlocked() > 0) progressNs = nowNs;
        r.status = status;
        r.isFinal = r.isAskedAfterAllScanned && status.isPullDone();
        if (isComplete()) {
            move(Phase.COMMITTING);
            out.commit();
        }
    }

    /** A question failed: a lost session or a stale map ends the attempt, anything else is asked again. */
    public void onRankFailed(int rank, Fault fault, long nowNs, RebuildEffects out) {
        RankProgress r = ranks.get(rank);
        if (r == null || (phase != Phase.PREPARING && phase != Phase.MOVING)) return;
        r.isAsked = false;
        r.dueNs = nowNs + RETRY_NS;
        if (fault.code() == FaultCode.STALE || fault.code() == FaultCode.NONEXIST) {
            fail(nowNs, fault.with("rank", rank), out);
        }
    }

    public void onCommitted(long nowNs, RebuildEffects out) {
        if (phase != Phase.COMMITTING) return;
        endedNs = nowNs;
        move(Phase.DONE);
        out.finish(false);
    }

    public void onCommitFailed(Fault fault, long nowNs, RebuildEffects out) {
        if (phase == Phase.COMMITTING) fail(nowNs, fault, out);
    }

    /**
     * A newer map or a lost leadership makes the job pointless, but for one that commits: the newer map may be what it
     * commits, so the commit's answer decides.
     */
    public void abort(long nowNs, RebuildEffects out) {
        if (phase == Phase.COMMITTING || NEXT.getOrDefault(phase, Set.of()).isEmpty()) return;
        endedNs = nowNs;
        failure = FaultCode.OP_CANCELED.number();
        move(Phase.ABORTED);
        out.finish(true);
    }

    public RebuildStatus status(long nowNs) {
        long total = 0;
        long done = 0;
        long records = 0;
        long bytes = 0;
        long blocked = 0;
        for (RankProgress r : ranks.values()) {
            total += r.status.objectsFound();
            done += r.status.objectsPulled();
            records += r.status.records();
            bytes += r.status.bytes();
            blocked += r.status.objectsBlocked();
        }
        boolean isOver = phase == Phase.DONE;
        long endNs = endedNs == 0 ? nowNs : endedNs;
        return new RebuildStatus(
                isOver ? RebuildStatus.State.DONE : RebuildStatus.State.BUSY,
                isOver ? 0 : -failure,
                session.version(),
                session.operation(),
                Math.max(total, done),
                done,
                records,
                bytes,
                blocked,
                startedHlc,
                (endNs - startedNs) / 1_000_000L);
    }

    private boolean isEveryScanDone() {
        return ranks.values().stream().allMatch(r -> r.status.isScanDone());
    }

    private boolean isComplete() {
        if (!isEveryScanDone() || ranks.values().stream().anyMatch(r -> !r.isFinal)) return false;
        long found =
                ranks.values().stream().mapToLong(r -> r.status.objectsFound()).sum();
        long received = ranks.values().stream()
                .mapToLong(r -> r.status.objectsReceived())
                .sum();
        long pulled =
                ranks.values().stream().mapToLong(r -> r.status.objectsPulled()).sum();
        return found == received && received == pulled;
    }

    private String waitingFor() {
        StringBuilder b = new StringBuilder("ranks");
        ranks.forEach((rank, r) -> {
            if (!r.isFinal) b.append(' ').append(rank);
        });
        return b.toString();
    }

    private @Nullable RankProgress answered(int rank, long nowNs, Phase expected) {
        RankProgress r = ranks.get(rank);
        if (r == null || phase != expected) return null;
        r.isAsked = false;
        r.dueNs = nowNs;
        progressNs = nowNs;
        return r;
    }

    private void fail(long nowNs, Fault reason, RebuildEffects out) {
        endedNs = nowNs;
        failure = reason.code().number();
        move(Phase.FAILED);
        out.finish(true);
        out.failed(reason);
    }

    private void move(Phase next) {
        Invariant.check(NEXT.getOrDefault(phase, Set.of()).contains(next), "rebuild job: %s to %s", phase, next);
        phase = next;
    }

    /** What is known of one participant. */
    private static final class RankProgress {
        private boolean isAsked;
        private long dueNs = Long.MIN_VALUE;
        private long preparedHlc;
        private boolean isScanning;
        private boolean isAskedAfterAllScanned;
        private boolean isFinal;
        private RankStatus status = RankStatus.NOTHING;
    }
}
