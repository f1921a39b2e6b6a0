package io.daosmesh.itests.sim.pool;

import io.daosmesh.engine.turn.Answer;
import io.daosmesh.itests.sim.machine.Timeline;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.placement.Placement;
import io.daosmesh.model.pool.Outage;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.wire.PoolTargetMessage;
import io.daosmesh.rebuild.plan.RankStatus;
import io.daosmesh.rebuild.plan.RebuildEffects;
import io.daosmesh.rebuild.plan.RebuildJob;
import io.daosmesh.rebuild.plan.Session;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The newest pool map, as the majority of a pool service would keep it, and the shipped rebuild jobs of its leader. The
 * service itself (Raft) is not simulated: it is always there, its leader changes. Owner: the timeline.
 */
final class PoolService implements RebuildEffects {
    private static final long PREPARE_MAX_NS = Timeline.ms(20_000);
    private static final long ASK_MAX_NS = Timeline.ms(3_000);

    /** As many stay in whatever happens: somebody has to rebuild. */
    private static final int ENABLED_MIN = 2;
    /** From when a rank is well again until it is taken back. */
    private static final long BACK_MIN_NS = Timeline.ms(300);

    private static final long BACK_MAX_NS = Timeline.ms(3_000);
    /** Between two extensions. */
    private static final long EXTEND_MIN_NS = Timeline.ms(1_500);

    private static final long EXTEND_MAX_NS = Timeline.ms(7_000);

    private final World world;
    private PoolMap map;
    private long term = 1;
    private long generation;
    private @Nullable RebuildJob job;
    private long notBeforeNs;
    private long extendAtNs;
    private final Map<Integer, Long> backAtNs = new HashMap<>();
    private int exclusions;
    private int emptied;
    private int idle;
    private int rebuilds;

    PoolService(World world, PoolMap first) {
        this.world = world;
        this.map = first;
        this.extendAtNs = world.time.nowNs() + Timeline.ms(1_000) + world.time.between(EXTEND_MIN_NS, EXTEND_MAX_NS);
        tick();
    }

    PoolMap map() {
        return map;
    }

    int exclusions() {
        return exclusions;
    }

    /** How often a group was left without a holder. */
    int emptied() {
        return emptied;
    }

    int rebuilds() {
        return rebuilds;
    }

    /** NEW for one that the pool is not extended by yet. */
    TargetState state(int rank) {
        return target(rank).map(PoolTarget::state).orElse(TargetState.NEW);
    }

    private Optional<PoolTarget> target(int rank) {
        return map.ofRank(rank).stream().findFirst();
    }

    /**
     * Who is told of a new map at once; the others learn it by asking.
     *
     * @param only one rank; or {@link #ALL}
     * @param withinNs how long it takes at most
     */
    record Push(int only, long withinNs, double share) {
        private static final int ALL = -1;
        static final Push USUAL = new Push(ALL, Timeline.ms(400), 0.9);
        static final Push FAST = new Push(ALL, Timeline.ms(5), 1);

        Push(int only) {
            this(only, Timeline.ms(5), 1);
        }
    }

    private void change(PoolMap next, Push push) {
        countEmptied(next);
        map = next;
        RebuildJob j = job;
        if (j != null) j.abort(world.time.nowNs(), this);
        job = null;
        // a rebuild tells everybody of the map: one that begins a little later leaves them in the dark
        if (push.only != Push.ALL) notBeforeNs = world.time.nowNs() + Timeline.ms(300);
        for (Node n : world.nodes) {
            boolean isTold = push.only == Push.ALL ? world.time.happens(push.share) : push.only == n.rank;
            if (!n.isCutOff && isTold)
                world.time.after(world.time.between(100_000, push.withinNs), () -> n.onMap(next));
        }
    }

    private void countEmptied(PoolMap next) {
        for (ObjectId oid : world.objects)
            for (int g = 0; g < oid.groupCount(); g++)
                if (Placement.group(map, oid, g).isAvailable()
                        && !Placement.group(next, oid, g).isAvailable()) emptied++;
    }

    /** Puts a rank out; true if it did. */
    boolean exclude(int rank, Push push) {
        return exclude(rank, push, t -> map.withStates(Set.of(t.id()), TargetState.DOWN, Outage.Cause.DEATH));
    }

    /** Puts out a rank whose target serves nothing any more. */
    boolean excludeIdle(int rank, int idleSince) {
        boolean isOut =
                exclude(rank, Push.USUAL, t -> map.withIdleDown(Set.of(t.id()), idleSince, Outage.Cause.DEVICE));
        if (isOut
                && target(rank)
                        .filter(t -> t.outage().downVersion() < map.version())
                        .isPresent()) {
            idle++;
            world.note("rank " + rank + " put out, idle since map " + idleSince);
        }
        return isOut;
    }

    /** Targets put out that count as put out with others before them. */
    int idle() {
        return idle;
    }

    private boolean exclude(int rank, Push push, Function<PoolTarget, PoolMap> out) {
        PoolTarget t = target(rank).orElse(null);
        if (t == null || !t.state().mayBecome(TargetState.DOWN)) return false;
        PoolMap next = out.apply(t);
        if (RebuildJob.participants(next).size() < ENABLED_MIN) return false;
        if (!world.has(Hazard.EMPTIED_GROUPS) && isAnyEmpty(next)) return false;
        exclusions++;
        change(next, push);
        return true;
    }

    private boolean isAnyEmpty(PoolMap next) {
        for (ObjectId oid : world.objects)
            for (int g = 0; g < oid.groupCount(); g++)
                if (!Placement.group(next, oid, g).isAvailable()) return true;
        return false;
    }

    /** A rank that is up again is taken back after a while. */
    private void takeBack() {
        for (Node n : world.nodes) {
            PoolTarget t = target(n.rank).orElse(null);
            if (t == null
                    || !n.isWell()
                    || n.isStopped()
                    || n.disk.isFaulty()
                    || !t.state().isDisabled()) {
                backAtNs.remove(n.rank);
                continue;
            }
            long now = world.time.nowNs();
            long at = backAtNs.computeIfAbsent(n.rank, r -> now + world.time.between(BACK_MIN_NS, BACK_MAX_NS));
            if (now < at) continue;
            backAtNs.remove(n.rank);
            world.note("rank " + n.rank + " comes back into the map");
            change(map.withStates(Set.of(t.id()), TargetState.UP), Push.USUAL);
        }
    }

    /** The next rank that the pool does not use yet: its space is there from its first start on. */
    private void extend() {
        if (world.time.nowNs() < extendAtNs) return;
        extendAtNs = world.time.nowNs() + world.time.between(EXTEND_MIN_NS, EXTEND_MAX_NS);
        for (Node n : world.nodes) {
            if (target(n.rank).isPresent() || !n.isWell()) continue;
            world.note("the pool is extended by rank " + n.rank);
            PoolTargetMessage added = PoolTargetMessage.newBuilder()
                    .setRank(n.rank)
                    .setFaultDomain("/n" + n.rank)
                    .build();
            change(map.extended(List.of(added)), Push.USUAL);
            return;
        }
    }

    /** Another node leads the pool service from now on: it starts what the old one had under way again. */
    void changeLeader() {
        term++;
        RebuildJob j = job;
        job = null;
        if (j != null) world.note("leader of the rebuild changed in " + j.phase());
    }

    private void tick() {
        world.time.after(Timeline.ms(50), this::tick);
        takeBack();
        extend();
        RebuildJob j = job;
        if (j != null) {
            j.onTick(world.time.nowNs(), this);
        } else if (map.needsRebuild()
                && world.time.nowNs() >= notBeforeNs
                && !RebuildJob.participants(map).isEmpty()) {
            Session s = new Session(World.POOL, map.version(), ++generation, term, "leader", RebuildJob.operation(map));
            job = new RebuildJob(s, map, generation, world.time.nowNs());
        }
    }

    private Session session() {
        RebuildJob j = job;
        if (j == null) throw new IllegalStateException("no job");
        return j.session();
    }

    private <T> void ask(
            int rank,
            long deadlineNs,
            java.util.function.BiConsumer<EngineLife, Answer<T>> handler,
            java.util.function.BiConsumer<RebuildJob, T> onAnswer) {
        RebuildJob asked = job;
        world.network.<T>call(Network.SERVICE, rank, deadlineNs, handler, (value, fault) -> {
            if (asked == null || job != asked) return;
            if (value != null) onAnswer.accept(asked, value);
            else if (fault != null) asked.onRankFailed(rank, fault, world.time.nowNs(), this);
        });
    }

    @Override
    public void sendPrepare(int rank) {
        Session s = session();
        this.<Long>ask(
                rank,
                PREPARE_MAX_NS,
                (life, answer) -> life.execute(() -> life.rebuild.prepare(s, answer)),
                (j, hlc) -> j.onPrepared(rank, hlc, world.time.nowNs(), this));
    }

    @Override
    public void sendScan(int rank, long stableEpoch) {
        Session s = session();
        this.<Boolean>ask(
                rank,
                ASK_MAX_NS,
                (life, answer) -> life.execute(() -> life.rebuild.scan(s, stableEpoch, answer)),
                (j, ok) -> j.onScanStarted(rank, world.time.nowNs()));
    }

    @Override
    public void sendStatus(int rank) {
        Session s = session();
        this.<RankStatus>ask(
                rank, ASK_MAX_NS, (life, answer) -> life.execute(() -> life.rebuild.status(s, answer)), (j, status) -> {
                    if (status.objectsBlocked() > 0) world.blocked++;
                    j.onStatus(rank, status, world.time.nowNs(), this);
                });
    }

    @Override
    public void commit() {
        RebuildJob asked = job;
        world.time.after(world.time.latencyNs(), () -> {
            if (asked == null || job != asked) return;
            if (asked.session().version() != map.version()) {
                asked.onCommitFailed(Fault.of(FaultCode.STALE), world.time.nowNs(), this);
                return;
            }
            rebuilds++;
            PoolMap next = map.afterRebuild(world.copiesMin());
            asked.onCommitted(world.time.nowNs(), this);
            job = null;
            change(next, Push.USUAL);
        });
    }

    @Override
    public void finish(boolean isAborted) {
        RebuildJob over = job;
        if (over == null) return;
        Session s = over.session();
        // in the same order in every process: a run is its seed
        for (int rank : new TreeSet<>(over.ranks()))
            world.network.<Boolean>call(
                    Network.SERVICE,
                    rank,
                    ASK_MAX_NS,
                    (life, answer) -> life.execute(() -> life.rebuild.finish(s, isAborted)),
                    (ok, fault) -> {});
    }

    @Override
    public void failed(Fault reason) {
        world.note("rebuild failed: " + reason.message());
        if (reason.code() == FaultCode.NOSPACE) world.violate("a rebuild ended for want of room: " + reason.message());
        job = null;
        notBeforeNs = world.time.nowNs() + Timeline.ms(1_000);
    }
}
