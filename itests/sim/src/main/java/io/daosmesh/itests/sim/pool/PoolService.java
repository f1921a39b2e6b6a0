package io.daosmesh.itests.sim.pool;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.placement.Placement;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.rebuild.plan.RankStatus;
import io.daosmesh.rebuild.plan.RebuildEffects;
import io.daosmesh.rebuild.plan.RebuildJob;
import io.daosmesh.rebuild.plan.Session;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The newest pool map, as the majority of a pool service would keep it, and the shipped rebuild jobs of its leader. The
 * service itself (Raft) is not simulated: it is always there, its leader changes. Owner: the timeline.
 */
final class PoolService implements RebuildEffects {
    private static final long PREPARE_MAX_NS = Timeline.ms(20_000);
    private static final long ASK_MAX_NS = Timeline.ms(3_000);

    private final World world;
    private PoolMap map;
    private long term = 1;
    private long generation;
    private @Nullable RebuildJob job;
    private long notBeforeNs;
    private int exclusions;
    private int rebuilds;

    PoolService(World world, PoolMap first) {
        this.world = world;
        this.map = first;
        tick();
    }

    PoolMap map() {
        return map;
    }

    int exclusions() {
        return exclusions;
    }

    int rebuilds() {
        return rebuilds;
    }

    TargetState state(int rank) {
        return map.ofRank(rank).get(0).state();
    }

    private void change(PoolMap next) {
        map = next;
        RebuildJob j = job;
        if (j != null) j.abort(world.time.nowNs(), this);
        job = null;
        for (Node n : world.nodes) {
            // who misses it learns it by asking
            if (!n.isCutOff && world.time.happens(0.9))
                world.time.after(world.time.between(100_000, Timeline.ms(400)), () -> n.onMap(next));
        }
    }

    /** Puts a rank out unless a group would be left without a settled replica; true if it did. */
    boolean exclude(int rank, List<ObjectId> objects) {
        PoolTarget t = map.ofRank(rank).get(0);
        if (!t.state().mayBecome(TargetState.DOWN)) return false;
        PoolMap next = map.withStates(Set.of(t.id()), TargetState.DOWN);
        for (ObjectId oid : objects)
            for (int g = 0; g < oid.groupCount(); g++)
                if (!Placement.group(next, oid, g).isAvailable()) return false;
        exclusions++;
        change(next);
        return true;
    }

    boolean reintegrate(int rank) {
        PoolTarget t = map.ofRank(rank).get(0);
        if (!t.state().isDisabled()) return false;
        change(map.withStates(Set.of(t.id()), TargetState.UP));
        return true;
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
            java.util.function.BiConsumer<EngineLife, io.daosmesh.engine.target.Answer<T>> handler,
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
                rank,
                ASK_MAX_NS,
                (life, answer) -> life.execute(() -> life.rebuild.status(s, answer)),
                (j, status) -> j.onStatus(rank, status, world.time.nowNs(), this));
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
            PoolMap next = map.afterRebuild();
            asked.onCommitted(world.time.nowNs(), this);
            job = null;
            change(next);
        });
    }

    @Override
    public void finish(boolean isAborted) {
        RebuildJob over = job;
        if (over == null) return;
        Session s = over.session();
        for (int rank : over.ranks())
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
        job = null;
        notBeforeNs = world.time.nowNs() + Timeline.ms(1_000);
    }
}
