package io.daosmesh.itests.sim.pool;

import io.daosmesh.engine.dtx.DtxRoom;
import io.daosmesh.engine.lease.LeaseTable;
import io.daosmesh.engine.rank.DeviceReaction;
import io.daosmesh.engine.rank.Target;
import io.daosmesh.engine.read.ValueCache;
import io.daosmesh.engine.shard.Host;
import io.daosmesh.engine.shard.Leases;
import io.daosmesh.engine.shard.PoolShard;
import io.daosmesh.engine.shard.TargetContext;
import io.daosmesh.engine.turn.Answer;
import io.daosmesh.engine.turn.Done;
import io.daosmesh.engine.turn.TurnPipeline;
import io.daosmesh.itests.sim.machine.Buffers;
import io.daosmesh.itests.sim.machine.DeviceBay;
import io.daosmesh.itests.sim.machine.Timeline;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.time.Hlc;
import io.daosmesh.storage.DeviceState;
import io.daosmesh.storage.PoolSpace;
import io.daosmesh.storage.SpaceAccount;
import io.daosmesh.storage.kv.KvBatch;
import io.daosmesh.storage.kv.KvRange;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * One process of one rank with the shipped target, its turns and its read leases; what the shipped {@code runtime} does
 * with threads and sockets is done here with the timeline. Owner: the timeline.
 */
final class EngineLife implements TurnPipeline.Loop, TurnPipeline.TurnIo, Host, Leases {
    private static final long DEVICE_LOOK_NS = Timeline.ms(250);
    private static final long CLOCK_LOOK_NS = Timeline.ms(100);
    private static final long TICK_NS = Timeline.ms(50);
    private static final int DATA_THRESHOLD_BYTES = 4096;
    private static final long CACHE_BYTES = 64 << 10;
    /** Through all values every few seconds. */
    private static final Map<String, String> SCRUB = Map.of("scrub", "timed", "scrub_freq", "5");

    final Node node;
    final World world;
    final Target target;
    final RankEdge rebuild;
    final Buffers buffers = new Buffers();
    /** Room for a few values: they come and go. */
    private final Buffers cached = new Buffers(CACHE_BYTES);

    private final Deque<Runnable> queue = new ArrayDeque<>();
    private final LeaseTable table;
    private final Hlc hlc;
    private final TurnPipeline turns;
    private final DeviceBay device;
    private long foundEpoch;
    private boolean isServing;
    private boolean isDrainDue;
    private boolean isPumpDue;
    private int wantedVersion;
    /** The newest map that there was when this life began: what came before it may have served by. */
    private final int firstVersion;

    private boolean isStopped;
    private long askNs;

    @Nullable
    PoolMap map;

    EngineLife(Node node, World world) {
        this.node = node;
        this.world = world;
        this.firstVersion = world.service.map().version();
        this.table = new LeaseTable(node.rank, world.time.nowNs());
        this.hlc = new Hlc(() -> Hlc.ORIGIN_MS * 1_000_000L + world.time.nowNs() + node.clockNs());
        this.device = node.disk.open(state -> world.note("rank " + node.rank + ": its device is " + state));
        this.turns = new TurnPipeline(this, this);
        TargetContext env = new TargetContext(
                node.rank,
                0,
                node.disk.index(),
                buffers,
                turns,
                this,
                new PeersOf(this),
                this,
                new DtxRoom(DtxRoom.TARGET_MAX));
        this.target = new Target(env, new ValueCache(cached));
        this.rebuild = new RankEdge(this);
    }

    /** The pool is created with the first life; later ones find what the disk has kept. */
    void open() {
        String damage = node.disk.damage();
        if (damage != null) world.violate("rank " + node.rank + " lost a part of its log: " + damage);
        execute(() -> {
            PoolSpace space = new PoolSpace(World.POOL, 0, new SpaceAccount(64 << 20), node.disk.blob(device));
            boolean isNew = node.disk.index().first(KvRange.all()).isEmpty();
            target.open(isNew ? List.of() : List.of(space));
            awaitClock(space);
        });
    }

    /** Nobody reaches a target whose clock is behind what it has found, as shipped. */
    private void awaitClock(PoolSpace space) {
        long behindNs = hlc.behindNs(foundEpoch);
        if (behindNs > 0) {
            world.clockWaits++;
            world.note("rank " + node.rank + " waits " + behindNs / 1_000_000 + " ms for its clock");
            world.time.after(Math.min(behindNs, CLOCK_LOOK_NS), () -> node.whenAwake(this, () -> awaitClock(space)));
            return;
        }
        hlc.merge(foundEpoch);
        isServing = true;
        serve(space);
    }

    private void serve(PoolSpace space) {
        PoolShard found = target.shard(World.POOL);
        if (found == null) {
            target.create(space, world.service.map(), DATA_THRESHOLD_BYTES, fault -> {
                if (fault != null) world.violate("create: " + fault.message());
            });
        } else {
            Fault why = found.failure();
            if (why != null) world.violate("rank " + node.rank + " takes its shard for damaged: " + why.message());
        }
        every(DEVICE_LOOK_NS, this::watchDevice);
        every(
                TICK_NS,
                () -> execute(() -> {
                    target.onTick();
                    rebuild.onTick();
                }));
        every(LeaseTable.RENEW_NS / 2, this::pump);
        every(Timeline.ms(1_000), () -> fetchMap(0));
        every(
                Timeline.ms(1_000),
                () -> execute(() -> target.onProperties(World.POOL, world.isQuiet ? Map.of() : SCRUB)));
    }

    /** What the shipped {@code DeviceWatch} does: takes the target of a device that serves no more out of the pool. */
    private void watchDevice() {
        device.onTick(world.time.nowNs());
        PoolMap m = map;
        if (m == null) return;
        Map<Integer, DeviceState> states = Map.of(0, device.state());
        if (!DeviceReaction.of(m, node.rank, states, Set.of()).exclude().isEmpty()) {
            world.network.ask(
                    node.rank,
                    Timeline.ms(1_000),
                    () -> world.service.exclude(node.rank, PoolService.Push.USUAL),
                    (isOut, fault) -> {});
        } else if (device.state() == DeviceState.FAULTY && DeviceReaction.isOut(m, node.rank, Set.of(0))) {
            device.tearDown();
        }
    }

    /** Serves nothing any more; is put out some time later. */
    void stopTarget() {
        isStopped = true;
        askNs = world.time.nowNs() + world.time.between(Timeline.ms(100), Timeline.ms(5_000));
        execute(() -> target.stop(Fault.of(FaultCode.AGAIN, "the index fails").with("state", "stopped")));
        every(DEVICE_LOOK_NS, this::watchStopped);
    }

    boolean isStopped() {
        return isStopped;
    }

    /** As the shipped {@code DeviceWatch}: what it took is told by itself, what lives before it took by when it began. */
    private void watchStopped() {
        PoolMap m = map;
        boolean isIn = m != null
                && !m.ofRank(node.rank).isEmpty()
                && !m.ofRank(node.rank).get(0).state().isDisabled();
        if (!isIn || world.time.nowNs() < askNs) return;
        execute(() -> {
            int idleSince = 1 + Math.max(firstVersion, target.updatedVersion(World.POOL));
            world.network.ask(
                    node.rank,
                    Timeline.ms(1_000),
                    () -> world.service.excludeIdle(node.rank, idleSince),
                    (isOut, fault) -> {});
        });
    }

    /** False while it starts: whoever asks hears to try again. */
    boolean isServing() {
        return isServing;
    }

    /** Values that the scrubber of this life has verified. */
    long scrubbed() {
        return target.scrubReports().values().stream()
                .mapToLong(r -> r.total().checksums())
                .sum();
    }

    private void every(long periodNs, Runnable work) {
        world.time.after(periodNs, () -> {
            if (!node.isCurrent(this)) return;
            if (!node.isPaused()) work.run();
            every(periodNs, work);
        });
    }

    // ---- the loop

    @Override
    public void execute(Runnable work) {
        queue.add(work);
        if (isDrainDue) return;
        isDrainDue = true;
        world.time.after(world.time.between(1_000, 50_000), () -> node.whenAwake(this, this::drain));
    }

    private void drain() {
        isDrainDue = false;
        int count = queue.size();
        for (int i = 0; i < count; i++) {
            try {
                queue.remove().run();
            } catch (FaultException e) {
                world.note("rank " + node.rank + ": " + e.fault().message());
            } catch (RuntimeException e) {
                world.violate("rank " + node.rank + " broke: " + e);
                throw e;
            }
        }
        turns.onDrained();
        if (!queue.isEmpty() && !isDrainDue) execute(() -> {});
    }

    /** A crash may come before the batch is written, or between that and its answer. */
    @Override
    public void commit(KvBatch batch, boolean isDurable, Done done) {
        if (node.isCurrent(this)) node.disk.append(batch);
        world.time.after(world.time.between(10_000, isDurable ? 500_000 : 30_000), () -> {
            if (!node.isCurrent(this)) return;
            // values for a device that takes none, as in the shipped log
            Fault refusal = batch.refusal();
            if (refusal == null) node.disk.write(batch, isDurable);
            else node.disk.giveUp(batch);
            world.time.after(world.time.between(1_000, 50_000), () -> {
                if (node.isCurrent(this)) done.done(refusal);
            });
        });
    }

    /** Asks another rank; the answer comes on the loop. */
    <T> void call(
            int rank, long deadlineNs, java.util.function.BiConsumer<EngineLife, Answer<T>> handler, Answer<T> answer) {
        world.network.<T>call(node.rank, rank, deadlineNs, handler, (value, fault) -> {
            if (node.isCurrent(this)) execute(() -> answer.answer(value, fault));
        });
    }

    // ---- maps

    void onMap(PoolMap next) {
        PoolMap m = map;
        if (!isServing || m != null && m.version() >= next.version()) return;
        map = next;
        execute(() -> {
            target.onMap(next);
            rebuild.onMap(next);
        });
    }

    private void fetchMap(int version) {
        if (version > 0 && wantedVersion >= version) return;
        wantedVersion = Math.max(wantedVersion, version);
        world.network.ask(node.rank, Timeline.ms(2_000), world.service::map, (newest, fault) -> {
            if (!node.isCurrent(this)) return;
            if (version > 0 && wantedVersion == version) wantedVersion = 0;
            if (newest != null) node.whenAwake(this, () -> onMap(newest));
        });
    }

    @Override
    public void awaits(UUID pool, Set<Integer> ranks) {}

    @Override
    public void needMap(UUID pool, int version) {
        fetchMap(version);
    }

    // ---- what surrounds the target

    @Override
    public long nowNs() {
        return world.time.nowNs();
    }

    @Override
    public long hlcNow() {
        return hlc.now();
    }

    @Override
    public void sawEpoch(long epoch) {
        hlc.merge(epoch);
    }

    @Override
    public void foundEpoch(long epoch) {
        foundEpoch = Math.max(foundEpoch, epoch);
    }

    /** Answers of the majority are three seconds old at most; the timeline knows without pings. */
    @Override
    public boolean hasMajority() {
        return world.time.nowNs() - node.lastReachedNs < Timeline.ms(3_000);
    }

    @Override
    public @Nullable Fault noRoom(boolean isDelete) {
        return null;
    }

    @Override
    public void onDamage(UUID pool, Fault fault) {
        world.onDamage(node.rank, fault);
    }

    // ---- read leases

    @Override
    public Leases leases() {
        return this;
    }

    private void pump() {
        isPumpDue = false;
        long askedNs = world.time.nowNs();
        table.due(askedNs).forEach((rank, asks) -> {
            LeaseTable.Ask a = asks.get(0);
            world.network.<Integer>call(
                    node.rank,
                    rank,
                    Timeline.ms(500),
                    (life, answer) -> answer.answer(life.grant(node.rank, a.mapVersion()), null),
                    (version, fault) -> {
                        if (version != null) node.whenAwake(this, () -> onGranted(rank, a, version, askedNs));
                    });
        });
    }

    /** 0 = granted, else the version that is acted by here. */
    private int grant(int to, int version) {
        return table.grant(World.POOL, to, version, world.time.nowNs()) ? 0 : Math.max(1, table.version(World.POOL));
    }

    private void onGranted(int rank, LeaseTable.Ask asked, int version, long askedNs) {
        if (version == 0) table.onGranted(World.POOL, rank, askedNs);
        else if (version > asked.mapVersion()) fetchMap(version);
        execute(target::onLease);
    }

    private void pumpSoon() {
        if (isPumpDue) return;
        isPumpDue = true;
        world.time.after(50_000, () -> node.whenAwake(this, this::pump));
    }

    @Override
    public void adopted(UUID pool, int mapVersion) {
        if (table.adopt(pool, mapVersion)) pumpSoon();
    }

    @Override
    public boolean holds(UUID pool, int mapVersion, List<Integer> ranks) {
        boolean holds = table.holds(pool, mapVersion, ranks, world.time.nowNs());
        if (!holds) pumpSoon();
        return holds;
    }

    @Override
    public long leftNs(UUID pool, int rank, int mapVersion) {
        return table.leftNs(pool, rank, mapVersion, world.time.nowNs());
    }

    @Override
    public long formerLifeLeftNs() {
        return table.formerLifeLeftNs(world.time.nowNs());
    }

    @Override
    public void confirm(UUID pool, int mapVersion, long askedNs) {
        world.network.ask(
                node.rank, Timeline.ms(1_000), () -> world.service.map().version(), (version, fault) -> {
                    if (node.isCurrent(this))
                        execute(() -> target.onConfirmed(pool, version == null ? 0 : version, askedNs));
                });
    }
}
