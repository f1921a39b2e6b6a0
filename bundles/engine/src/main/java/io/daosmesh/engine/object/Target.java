package io.daosmesh.engine.object;

import io.daosmesh.engine.target.Answer;
import io.daosmesh.engine.target.Done;
import io.daosmesh.engine.target.StagedOp;
import io.daosmesh.engine.vos.Enumerator;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.wire.DtxRefMessage;
import io.daosmesh.model.wire.DtxResolveRequest;
import io.daosmesh.model.wire.EnumerateReply;
import io.daosmesh.model.wire.EnumerateRequest;
import io.daosmesh.model.wire.FetchRequest;
import io.daosmesh.model.wire.MigratedRecordMessage;
import io.daosmesh.storage.PoolSpace;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One target: its pool shards and everything that can be asked of them. Owner: target loop. Expected refusals go to the
 * answer; whatever is thrown here is a broken invariant.
 */
public final class Target {
    private final Env env;
    private final Access access;
    private final Outcomes outcomes;
    private final LeaderWrites leader;
    private final MemberWrites member;
    private final Settler settler;
    private final Reads reads;
    private final Cleaner cleaner;
    private final Migration migration;
    private final Fences fences;
    private final Reigns reigns;
    private final Readers readers;
    /** Changed by the loop only; concurrent for the metrics. */
    private final Map<UUID, PoolShard> shards = new ConcurrentHashMap<>();

    private final Map<UUID, Aggregation> aggregations = new HashMap<>();
    private final VosLatencies latencies = new VosLatencies();
    private boolean isOpen;
    /** Why the index is lost; null if it is not. */
    private @Nullable Fault lost;

    public Target(Env env) {
        this.env = env;
        this.access = new Access(env);
        this.outcomes = new Outcomes(env);
        this.leader = new LeaderWrites(env, access, outcomes, latencies);
        this.member = new MemberWrites(env, outcomes, latencies);
        this.reigns = new Reigns(env);
        this.readers = new Readers(env);
        this.settler = new Settler(env, outcomes, reigns);
        this.reads = new Reads(env, latencies);
        this.fences = new Fences(env);
        this.cleaner = new Cleaner(env, () -> {});
        this.migration = new Migration(env);
    }

    /** Reads the index; DF_INCOMPT when another release wrote it. Blocks for the time of a scan. */
    public void open(List<PoolSpace> spaces) {
        Fault why = Opening.loss(env.kv(), !spaces.isEmpty());
        lost = why;
        for (PoolSpace space : spaces) {
            PoolShard s = why == null ? Opening.reopen(env, space) : Opening.failed(env, space, why);
            if (s == null) continue;
            register(s);
            // from the first moment on: a rank with an older map gets no lease
            if (s.knownVersion > 0) env.host().leases().adopted(s.pool(), s.knownVersion);
        }
        isOpen = true;
    }

    private void register(PoolShard s) {
        shards.put(s.pool(), s);
        aggregations.put(s.pool(), new Aggregation(env));
    }

    /** Any thread, for counters. */
    public Collection<PoolShard> shards() {
        return shards.values();
    }

    public VosLatencies latencies() {
        return latencies;
    }

    public @Nullable PoolShard shard(UUID pool) {
        return shards.get(pool);
    }

    /** Space for the pool is reserved. Again changes nothing. */
    public void create(PoolSpace space, PoolMap map, int dataThresholdBytes, Done done) {
        PoolShard known = shards.get(space.pool());
        if (known != null) {
            onMap(map);
            done.done(null);
            return;
        }
        Fault why = lost;
        if (why != null) {
            // the pool is made all the same, and goes on without this target
            register(Opening.failed(env, space, why));
            onMap(map);
            done.done(null);
            return;
        }
        PoolShard s = Opening.shard(env, space, dataThresholdBytes);
        env.turns().stage(Opening.create(s), fault -> {
            if (fault == null && shards.get(space.pool()) == null) {
                register(s);
                // nothing was done here by an older one
                s.calmVersion = map.version();
                onMap(map);
            }
            done.done(fault);
        });
    }

    /** Deletes everything of the pool; an unknown one is deleted already, and so is one whose index is lost. */
    public void destroy(UUID pool, Done done) {
        PoolShard s = lost == null ? shards.get(pool) : shards.remove(pool);
        if (s == null || lost != null) {
            done.done(null);
            return;
        }
        s.setState(PoolShard.State.CLOSED);
        refuseParked(s, Fault.of(FaultCode.NONEXIST, "the pool is being destroyed"));
        Deletion.start(env, s, List.of(Keys.records(pool)), fault -> {
            if (fault != null) {
                done.done(fault);
                return;
            }
            StagedOp op = new StagedOp(true);
            for (byte[] table : List.of(Keys.dtxs(pool), Keys.destroyed(pool)))
                op.batch().deleteRange(table, Keys.behind(table));
            op.batch().delete(Keys.marker(pool));
            env.turns().stage(op, f -> {
                if (f == null) {
                    shards.remove(pool);
                    aggregations.remove(pool);
                }
                done.done(f);
            });
        });
    }

    public void destroyContainer(UUID pool, UUID container, Done done) {
        PoolShard s = shards.get(pool);
        if (s == null || lost != null) done.done(null);
        else Destroyed.destroy(env, s, container, done);
    }

    /** A map of one of the pools; older ones than the present are ignored. */
    public void onMap(PoolMap map) {
        PoolShard s = shards.get(map.pool());
        if (s == null || map.version() <= s.mapVersion()) return;
        if (map.version() < s.knownVersion) {
            env.host().needMap(s.pool(), s.knownVersion);
            return;
        }
        PoolMap before = s.map();
        // by what maps a lost index was acted nobody knows: this rank grants no lease on the strength of it
        if (lost == null) env.host().leases().adopted(s.pool(), map.version());
        s.adopt(map);
        s.adoptedNs = env.nowNs();
        // durable before any update that is prepared by this map
        Opening.note(env, s);
        reigns.onMap(s, before);
        readers.onMap(s);
        leader.onMap(s);
        if (s.state() == PoolShard.State.SERVING && s.needsCleaning()) cleaner.start(s);
        access.onMap(s);
        settler.onTick(s);
    }

    /** What the pool service has answered to a question of the given moment: requests that know of more are refused. */
    public void onNewestMap(UUID pool, int version, long askedNs) {
        PoolShard s = shards.get(pool);
        if (s != null) access.onNewestMap(s, version, askedNs);
    }

    /** Whose requests come next: each asker has its share of what may wait. Null: the engine itself. */
    public void setAsker(@Nullable Object who) {
        access.setAsker(who);
    }

    public boolean isOutForDevice(UUID pool) {
        PoolShard s = shards.get(pool);
        return s != null && s.isOutForDevice;
    }

    /** Remembers over restarts why the shard was excluded. */
    public void noteOutForDevice(UUID pool, boolean isOut) {
        PoolShard s = shards.get(pool);
        if (s == null || s.isOutForDevice == isOut) return;
        s.isOutForDevice = isOut;
        Opening.note(env, s);
    }

    /** Timers; call every 50 ms or so. */
    public void onTick() {
        for (PoolShard s : List.copyOf(shards.values())) {
            if (s.state() == PoolShard.State.CLOSED || s.state() == PoolShard.State.FAILED) continue;
            cleaner.onTick(s);
            leader.onTick(s);
            settler.onTick(s);
            reigns.onTick(s);
            readers.onTick(s);
            Aggregation a = aggregations.get(s.pool());
            if (a != null) a.onTick(s);
            access.onTick(s);
        }
        fences.onTick();
    }

    private static void refuseParked(PoolShard s, Fault fault) {
        s.parked.refuseAll(fault);
        s.reigns.held.refuseAll(fault);
        s.readers.waiting.refuseAll(fault);
    }

    /** Finds the shard at the wanted map version, or refuses, or waits for the map. */
    private void at(ShardAddress a, Consumer<Fault> refuse, Consumer<PoolShard> run) {
        PoolShard s = shards.get(a.pool());
        if (s == null) {
            refuse.accept(
                    isOpen
                            ? Fault.of(FaultCode.NONEXIST, "pool %s is not on this target", a.pool())
                            : Fault.of(FaultCode.AGAIN, "the target is starting")
                                    .with("state", "restarting"));
            return;
        }
        if (access.waitsForMap(s, a.mapVersion(), () -> at(a, refuse, run), refuse)) return;
        Fault f = Access.stale(s, a.mapVersion());
        if (f != null) {
            refuse.accept(f);
            return;
        }
        try {
            a.check();
            run.accept(s);
        } catch (FaultException e) {
            refuse.accept(e.fault());
        }
    }

    private static void allow(@Nullable Fault refusal) {
        if (refusal != null) throw refusal.asException();
    }

    /** A client's update or punch; answers its epoch. */
    public void write(WriteOp op, Answer<Long> answer) {
        at(op.address(), answer::refuse, s -> {
            op.check();
            allow(access.writer(s, op.address()));
            if (reigns.holds(s, op.address(), () -> write(op, answer), answer::refuse)) return;
            if (op.isUpdate()) {
                s.counters().updates.incrementAndGet();
                s.counters().updateBytes.addAndGet(op.data().remaining());
            } else {
                s.counters().punches.incrementAndGet();
            }
            leader.start(s, op, answer);
        });
    }

    /** A leader's update or punch. */
    public void shardWrite(WriteOp op, Done done) {
        at(op.address(), done::done, s -> {
            op.check();
            allow(access.member(s, op.address()));
            if (reigns.holds(s, op.address(), () -> shardWrite(op, done), done::done)) return;
            (op.isUpdate() ? s.counters().memberUpdates : s.counters().memberPunches).incrementAndGet();
            member.prepare(s, op, done);
        });
    }

    public void fetch(FetchRequest r, Answer<Fetched> answer) {
        fetch(r, false, answer);
    }

    private void fetch(FetchRequest r, boolean isConfirmed, Answer<Fetched> answer) {
        ShardAddress a = ShardAddress.of(r.getAddress());
        at(a, answer::refuse, s -> {
            byte[] dkey = r.getDkey().toByteArray();
            Reads.check(a, dkey, r.getValuesList());
            // with an epoch from the leader any settled replica can answer: it has all that was acknowledged before
            if (r.getEpoch() != 0) allow(access.settled(s, a, r.getEpoch()));
            else if (waitsToLead(s, a, isConfirmed, c -> fetch(r, c, answer), answer::refuse)) return;
            long epoch = r.getEpoch() == 0 ? env.host().hlcNow() : r.getEpoch();
            byte[] group = a.groupPrefix();
            for (byte[] scope : List.of(Keys.under(group, dkey), Keys.punches(group))) {
                Fault open = undecided(s, scope, r.getEpoch());
                if (open == null) continue;
                if (r.getEpoch() == 0) throw open.asException();
                // the leader's copy is damaged: a refusal would send the reader back there. The outcome is on its way
                access.waitForOutcome(s, scope, () -> fetch(r, isConfirmed, answer), answer::refuse, open);
                return;
            }
            s.counters().fetches.incrementAndGet();
            reads.fetch(s, a, dkey, r.getValuesList(), epoch, answer);
        });
    }

    /** Refuses, or parks the read until this target is sure to lead the group; false if it may be answered now. */
    private boolean waitsToLead(
            PoolShard s, ShardAddress a, boolean isConfirmed, Consumer<Boolean> retry, Consumer<Fault> refuse) {
        allow(access.leader(s, a));
        List<Integer> others = s.otherRanks(s.group(a.oid(), a.group()));
        if (others.isEmpty()) allow(access.majority());
        return !isConfirmed && readers.waits(s, others, retry, refuse);
    }

    /** A lease was granted to this rank. */
    public void onLease() {
        for (PoolShard s : shards.values()) readers.onLease(s);
    }

    /** See {@link Leases#confirm}. */
    public void onConfirmed(UUID pool, int mapVersion, long askedNs) {
        PoolShard s = shards.get(pool);
        if (s != null) readers.onConfirmed(s, mapVersion, askedNs);
    }

    /** A new leader does not know yet whether an old one has acknowledged an update: the reader waits. */
    private static @Nullable Fault undecided(PoolShard s, byte[] scope, long epoch) {
        if (!s.dtx().hasOrphans(scope)) return null;
        if (epoch != 0 && s.dtx().epochs(scope).stream().noneMatch(e -> e <= epoch)) return null;
        return undecided();
    }

    private static Fault undecided() {
        return Fault.of(FaultCode.INPROGRESS, "an update of the key is being settled");
    }

    public void enumerate(EnumerateRequest r, Answer<EnumerateReply> answer) {
        enumerate(r, false, answer);
    }

    private void enumerate(EnumerateRequest r, boolean isConfirmed, Answer<EnumerateReply> answer) {
        ShardAddress a = ShardAddress.of(r.getAddress());
        at(a, answer::refuse, s -> {
            if (r.getKind() == 3) {
                allow(Access.refusal(s, a));
                allow(access.majority());
            } else {
                if (waitsToLead(s, a, isConfirmed, c -> enumerate(r, c, answer), answer::refuse)) return;
                for (var e : s.dtx().prepared())
                    if (!e.isLed() && e.oid().equals(a.oid()) && e.group() == a.group())
                        throw undecided().asException();
            }
            s.counters().enumerations.incrementAndGet();
            answer.answer(Listing.page(env, s, a, r), null);
        });
    }

    public void commit(UUID pool, List<DtxRefMessage> refs) {
        PoolShard s = shards.get(pool);
        if (s != null) member.commit(s, refs);
    }

    /** Only under the very map of the sender: a leader of an older one has nothing to decide any more. */
    public void abort(UUID pool, int mapVersion, List<DtxRefMessage> refs) {
        PoolShard s = shards.get(pool);
        if (s != null && s.mapVersion() == mapVersion) member.abort(s, refs);
    }

    public void check(UUID pool, List<DtxRefMessage> refs, Answer<List<Integer>> answer) {
        PoolShard s = shards.get(pool);
        if (s == null) {
            answer.refuse(Fault.of(isOpen ? FaultCode.NONEXIST : FaultCode.AGAIN, "the pool is not open here"));
            return;
        }
        try {
            answer.answer(member.check(s, refs), null);
        } catch (FaultException e) {
            answer.refuse(e.fault());
        }
    }

    public void resolve(DtxResolveRequest r, Answer<Integer> answer) {
        ShardAddress a = ShardAddress.of(r.getAddress());
        at(a, answer::refuse, s -> {
            allow(s.refusal());
            member.resolve(s, a, r.getDkey().toByteArray(), WriteOp.dtxId(r.getDtx()), r.getEpoch(), answer);
        });
    }

    /** See EngineMigration.fence; answers the clock. */
    public void fence(UUID pool, int mapVersion, Answer<Long> answer) {
        PoolShard s = shards.get(pool);
        if (s == null) {
            answer.refuse(Fault.of(isOpen ? FaultCode.NONEXIST : FaultCode.AGAIN, "pool %s is not open here", pool));
        } else {
            if (mapVersion > s.mapVersion()) env.host().needMap(pool, mapVersion);
            leader.flushCommits(s);
            fences.add(s, mapVersion, answer);
        }
    }

    public void scan(UUID pool, byte[] anchor, Answer<Enumerator.Page<Enumerator.StoredOid>> answer) {
        migrate(pool, answer::refuse, s -> answer.answer(Enumerator.objects(env.kv(), pool, null, anchor, 256), null));
    }

    public void export(ShardAddress a, long stableEpoch, byte[] from, Answer<Migration.Exported> answer) {
        migrate(a.pool(), answer::refuse, s -> migration.export(s, a, stableEpoch, from, answer));
    }

    public void importBatch(ShardAddress a, List<MigratedRecordMessage> records, ByteBuffer data, Done done) {
        migrate(a.pool(), done::done, s -> migration.importBatch(s, a, records, data, done));
    }

    private void migrate(UUID pool, Consumer<Fault> refuse, Consumer<PoolShard> run) {
        PoolShard s = shards.get(pool);
        Fault f = s == null ? Fault.of(FaultCode.NONEXIST, "pool %s is not on this target", pool) : s.refusal();
        if (f != null || s == null) {
            if (f != null) refuse.accept(f);
            return;
        }
        try {
            run.accept(s);
        } catch (FaultException e) {
            refuse.accept(e.fault());
        }
    }

    public void reclaim(ShardAddress a, Set<Integer> groups, Done done) {
        PoolShard s = shards.get(a.pool());
        if (s == null || lost != null) {
            done.done(null);
            return;
        }
        if (s.mapVersion() < a.mapVersion()) {
            done.done(Fault.of(FaultCode.AGAIN, "pool map version %d has not arrived here", a.mapVersion()));
            return;
        }
        List<byte[]> doomed = new ArrayList<>();
        for (int g : groups) doomed.add(Keys.group(a.pool(), a.container(), a.oid(), g));
        s.reclaiming++;
        Deletion.start(env, s, doomed, s::isForeign, fault -> {
            s.reclaiming--;
            done.done(fault);
        });
    }

    /** See EngineMigration.clearGroup. */
    public void clearGroup(ShardAddress a, long epoch, Done done) {
        migrate(a.pool(), done::done, s -> Leftovers.clear(env, s, a, epoch, done));
    }

    /** The target serves nothing any more; what is under way fails by itself. */
    public void stop(Fault why) {
        for (PoolShard s : shards.values()) {
            if (s.state() != PoolShard.State.CLOSED) s.fail(why);
            refuseParked(s, why);
        }
    }

    /** Nothing is under way: the loop may end. */
    public boolean isQuiet() {
        if (!env.turns().isIdle()) return false;
        for (PoolShard s : shards.values()) if (!s.leading.isEmpty()) return false;
        return true;
    }

    /** Before the end: keeps what is committable and lets parked requests go. */
    public void drain() {
        for (PoolShard s : shards.values()) {
            leader.flushCommits(s);
            refuseParked(s, Fault.of(FaultCode.AGAIN, "the engine restarts"));
        }
    }

    /** The loop ends with updates under way: their clients try again and find the outcome. */
    public void abandon() {
        for (PoolShard s : shards.values()) leader.abandon(s);
    }

    /** True if the shard's state lets it take part in its pool. */
    static boolean isServing(PoolShard s) {
        var me = s.me();
        return s.state() == PoolShard.State.SERVING && me != null && !me.state().isDisabled();
    }
}
