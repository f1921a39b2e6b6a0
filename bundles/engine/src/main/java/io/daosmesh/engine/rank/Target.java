package io.daosmesh.engine.rank;

import io.daosmesh.engine.history.Holdings;
import io.daosmesh.engine.migrate.Migration;
import io.daosmesh.engine.read.Fetched;
import io.daosmesh.engine.read.ValueCache;
import io.daosmesh.engine.scrub.ScrubPolicy;
import io.daosmesh.engine.scrub.ScrubReport;
import io.daosmesh.engine.shard.Access;
import io.daosmesh.engine.shard.Leases;
import io.daosmesh.engine.shard.Opening;
import io.daosmesh.engine.shard.PoolShard;
import io.daosmesh.engine.shard.ShardAddress;
import io.daosmesh.engine.shard.TargetContext;
import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.engine.space.Deletion;
import io.daosmesh.engine.space.Leftovers;
import io.daosmesh.engine.space.Reserve;
import io.daosmesh.engine.turn.Answer;
import io.daosmesh.engine.turn.Done;
import io.daosmesh.engine.turn.StagedOp;
import io.daosmesh.engine.turn.VosLatencies;
import io.daosmesh.engine.vos.Enumerator;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.RecordSearch;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.wire.DtxRefMessage;
import io.daosmesh.model.wire.DtxResolveRequest;
import io.daosmesh.model.wire.EnumerateReply;
import io.daosmesh.model.wire.EnumerateRequest;
import io.daosmesh.model.wire.FetchRequest;
import io.daosmesh.model.wire.MigratedRecordMessage;
import io.daosmesh.model.wire.RecordPullRequest;
import io.daosmesh.storage.PoolSpace;
import java.nio.ByteBuffer;
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
 * One target: finds the pool that is asked for and hands the request to the role that serves it. Owner: target loop. Expected refusals go to the
 * answer; whatever is thrown here is a broken invariant.
 */
public final class Target {
    private final TargetContext context;
    private final PoolRoles.Shared shared;
    /** Changed by the loop only; concurrent for hot reads and the metrics. */
    private final Map<UUID, PoolRoles> pools = new ConcurrentHashMap<>();

    private boolean isOpen;
    /** Why the index is lost; null if it is not. */
    private @Nullable Fault lost;

    /** @param cache of this target alone */
    public Target(TargetContext context, ValueCache cache) {
        this.context = context;
        this.shared = new PoolRoles.Shared(
                new Access.Requester(),
                new RecordSearch(context.kv(), context.loop(), context.host()::nowNs),
                new VosLatencies(),
                cache,
                this::operations);
        context.turns().watch(cache::onChange);
    }

    /** Reads the index; DF_INCOMPT when another release wrote it. Blocks for the time of a scan. */
    public void open(List<PoolSpace> spaces) {
        Fault why = Opening.loss(context.kv(), !spaces.isEmpty());
        lost = why;
        for (PoolSpace space : spaces) {
            PoolShard s = why == null ? Opening.reopen(context, space) : Opening.failed(context, space, why);
            if (s == null) continue;
            register(s);
            // from the first moment on: a rank with an older map gets no lease
            int known = s.marker().knownVersion();
            if (known > 0) context.host().leases().adopted(s.pool(), known);
        }
        isOpen = true;
    }

    private void register(PoolShard s) {
        pools.put(s.pool(), new PoolRoles(context, s, shared));
    }

    private long operations() {
        long sum = 0;
        for (PoolRoles p : pools.values()) sum += p.shard.counters().operations();
        return sum;
    }

    /** Any thread, by pool. */
    public Map<UUID, ScrubReport> scrubReports() {
        Map<UUID, ScrubReport> all = new HashMap<>();
        pools.forEach((pool, p) -> all.put(pool, p.scrubber.report()));
        return all;
    }

    /** Any thread, for counters. */
    public Collection<PoolShard> shards() {
        return pools.values().stream().map(p -> p.shard).toList();
    }

    public VosLatencies latencies() {
        return shared.latencies();
    }

    public @Nullable PoolShard shard(UUID pool) {
        PoolRoles p = pools.get(pool);
        return p == null ? null : p.shard;
    }

    @Nullable
    PoolRoles roles(UUID pool) {
        return pools.get(pool);
    }

    /** Space for the pool is reserved. Again changes nothing. */
    public void create(PoolSpace space, PoolMap map, int dataThresholdBytes, Done done) {
        if (pools.containsKey(space.pool())) {
            onMap(map);
            done.done(null);
            return;
        }
        Fault why = lost;
        if (why != null) {
            // the pool is made all the same, and goes on without this target
            register(Opening.failed(context, space, why));
            onMap(map);
            done.done(null);
            return;
        }
        PoolShard s = Opening.shard(context, space, dataThresholdBytes);
        context.turns().stage(Opening.create(s), fault -> {
            if (fault == null && !pools.containsKey(space.pool())) {
                // nothing was done here by an older map
                s.setMarker(s.marker().withCalm(map.version()));
                register(s);
                onMap(map);
            }
            done.done(fault);
        });
    }

    /** The pool counts on this target, as far as is known here. */
    public boolean isInMap(UUID pool) {
        PoolRoles p = pools.get(pool);
        return p != null && p.shard.me() != null;
    }

    /** Deletes everything of the pool; an unknown one is deleted already, and so is one whose index is lost. */
    public void destroy(UUID pool, Done done) {
        PoolRoles p = lost == null ? pools.get(pool) : forget(pool);
        if (p == null || lost != null) {
            done.done(null);
            return;
        }
        p.close();
        Deletion.start(context, p.shard, List.of(Keys.records(pool)), fault -> {
            if (fault != null) {
                done.done(fault);
                return;
            }
            StagedOp op = new StagedOp(true);
            for (byte[] table : Keys.tables(pool)) op.batch().deleteRange(table, Keys.behind(table));
            op.batch().delete(Keys.marker(pool));
            context.turns().stage(op, f -> {
                if (f == null) forget(pool);
                done.done(f);
            });
        });
    }

    private @Nullable PoolRoles forget(UUID pool) {
        PoolRoles p = pools.remove(pool);
        if (p != null) p.shard.dtx().close();
        return p;
    }

    public void destroyContainer(UUID pool, UUID container, Done done) {
        PoolRoles p = pools.get(pool);
        if (p == null || lost != null) done.done(null);
        else p.containers.start(container, done);
    }

    /** A map of one of the pools; older ones than the present are ignored. */
    public void onMap(PoolMap map) {
        PoolRoles p = pools.get(map.pool());
        // by what maps a lost index was acted nobody knows: this rank grants no lease on the strength of it
        if (p != null) p.onMap(map, lost == null);
    }

    /** The properties of one of the pools, all of them. */
    public void onProperties(UUID pool, Map<String, String> properties) {
        PoolRoles p = pools.get(pool);
        if (p == null) return;
        p.shard.space().keep(Reserve.percent(properties));
        p.scrubber.setPolicy(ScrubPolicy.of(properties));
    }

    /** What the pool service has answered to a question of the given moment: requests that know of more are refused. */
    public void onNewestMap(UUID pool, int version, long askedNs) {
        PoolRoles p = pools.get(pool);
        if (p != null) p.access.onNewestMap(version, askedNs);
    }

    /** Whose requests come next: each asker has its share of what may wait. Null: the engine itself. */
    public void setAsker(@Nullable Object who) {
        shared.asker().set(who);
    }

    /** Newest map version by which the target took an update of the pool or was a source since it was opened; 0 = none. */
    public int updatedVersion(UUID pool) {
        PoolRoles p = pools.get(pool);
        return p == null ? 0 : p.shard.changes().newest();
    }

    public boolean isOutForDevice(UUID pool) {
        PoolRoles p = pools.get(pool);
        return p != null && p.shard.marker().isOutForDevice();
    }

    /** Remembers over restarts why the shard was excluded. */
    public void noteOutForDevice(UUID pool, boolean isOut) {
        PoolRoles p = pools.get(pool);
        if (p != null) p.noteOutForDevice(isOut);
    }

    /** Timers; call every 50 ms or so. */
    public void onTick() {
        for (PoolRoles p : List.copyOf(pools.values())) p.onTick();
    }

    /** The pool's roles; refuses when the target has none. */
    private void in(UUID pool, Consumer<Fault> refuse, Consumer<PoolRoles> run) {
        PoolRoles p = pools.get(pool);
        if (p != null) run.accept(p);
        else if (isOpen) refuse.accept(Fault.of(FaultCode.NONEXIST, "pool %s is not on this target", pool));
        else refuse.accept(Fault.of(FaultCode.AGAIN, "the target is starting").with("state", "restarting"));
    }

    /** A client's update or punch; answers its epoch. */
    public void write(WriteOp op, Answer<Long> answer) {
        in(op.address().pool(), answer::refuse, p -> p.leader.write(op, answer));
    }

    /** A leader's update or punch. */
    public void shardWrite(WriteOp op, Done done) {
        in(op.address().pool(), done::done, p -> p.member.write(op, done));
    }

    public void fetch(FetchRequest r, Answer<Fetched> answer) {
        in(Ids.uuid(r.getAddress().getPool()), answer::refuse, p -> p.reads.fetch(r, answer));
    }

    /** Any thread: the answer that {@link #fetch} would give, where it is known without the loop; else null. */
    public @Nullable Fetched hotFetch(FetchRequest r) {
        PoolRoles p = pools.get(Ids.uuid(r.getAddress().getPool()));
        return p == null ? null : p.hot.fetch(r);
    }

    /** Any thread, for counters. */
    public ValueCache cache() {
        return shared.cache();
    }

    public void enumerate(EnumerateRequest r, Answer<EnumerateReply> answer) {
        in(Ids.uuid(r.getAddress().getPool()), answer::refuse, p -> p.listing.enumerate(r, answer));
    }

    /** A lease was granted to this rank. */
    public void onLease() {
        for (PoolRoles p : pools.values()) p.leadReads.onLease();
    }

    /** See {@link Leases#confirm}. */
    public void onConfirmed(UUID pool, int mapVersion, long askedNs) {
        PoolRoles p = pools.get(pool);
        if (p != null) p.leadReads.onConfirmed(mapVersion, askedNs);
    }

    public void commit(UUID pool, List<DtxRefMessage> refs) {
        PoolRoles p = pools.get(pool);
        if (p != null) p.member.commit(refs);
    }

    public void abort(UUID pool, int mapVersion, List<DtxRefMessage> refs) {
        PoolRoles p = pools.get(pool);
        if (p != null) p.member.abort(mapVersion, refs);
    }

    public void check(UUID pool, List<DtxRefMessage> refs, Answer<List<Integer>> answer) {
        in(pool, answer::refuse, p -> p.states.check(refs, answer));
    }

    public void resolve(DtxResolveRequest r, Answer<Integer> answer) {
        in(Ids.uuid(r.getAddress().getPool()), answer::refuse, p -> p.states.resolve(r, answer));
    }

    /** See EngineMigration.fence; answers the clock. */
    public void fence(UUID pool, int mapVersion, Answer<Long> answer) {
        in(pool, answer::refuse, p -> {
            if (mapVersion > p.shard.mapVersion()) context.host().needMap(pool, mapVersion);
            p.leader.flushCommits();
            p.fences.add(mapVersion, answer);
        });
    }

    /** See EngineMigration.scan: one page of it. */
    public void scan(UUID pool, byte[] anchor, Answer<Enumerator.Page<Enumerator.StoredOid>> answer) {
        in(pool, answer::refuse, p -> p.migration.scan(anchor, answer));
    }

    /** See EngineMigration.export: one batch of it. */
    public void export(Migration.Wanted wanted, byte[] from, int bytesMax, Answer<Migration.Exported> answer) {
        in(wanted.group().pool(), answer::refuse, p -> p.migration.export(wanted, from, bytesMax, answer));
    }

    /** One record for a holder that cannot read its own. */
    public void record(RecordPullRequest r, Answer<Migration.Exported> answer) {
        ShardAddress a = ShardAddress.of(r.getAddress());
        int target = r.getAddress().getTarget();
        in(a.pool(), answer::refuse, p -> p.source.record(a, target, r.getRecord(), answer));
    }

    public void importBatch(ShardAddress a, List<MigratedRecordMessage> records, ByteBuffer data, Done done) {
        in(a.pool(), done::done, p -> p.migration.importBatch(a, records, data, done));
    }

    public void reclaim(ShardAddress a, Set<Integer> groups, Done done) {
        PoolRoles p = pools.get(a.pool());
        if (p == null || lost != null) done.done(null);
        else p.migration.reclaim(a, groups, done);
    }

    /** See EngineMigration.clear. */
    public void clear(Leftovers.Wanted wanted, Done done) {
        in(wanted.address().pool(), done::done, p -> p.migration.clear(wanted, done));
    }

    /** See EngineMigration.filled. */
    public void filled(ShardAddress a, List<byte[]> dkeys, Done done) {
        in(a.pool(), done::done, p -> p.migration.filled(a, dkeys, done));
    }

    /** See EngineMigration.held. */
    public void held(UUID pool, List<ShardAddress> groups, Answer<List<Holdings.Held>> answer) {
        in(pool, answer::refuse, p -> p.migration.held(groups, answer));
    }

    /** See EngineMigration.changes. */
    public void changes(
            UUID pool, List<ShardAddress> groups, List<Integer> since, Answer<List<Migration.Change>> answer) {
        in(pool, answer::refuse, p -> {
            // an update that is committed by now may be one of an older map
            p.leader.flushCommits();
            p.migration.changes(groups, since, answer);
        });
    }

    /** The target serves nothing any more; what is under way fails by itself. */
    public void stop(Fault why) {
        for (PoolRoles p : pools.values()) p.stop(why);
    }

    /** Nothing is under way: the loop may end. */
    public boolean isQuiet() {
        return context.turns().isIdle() && pools.values().stream().allMatch(p -> p.leader.isIdle());
    }

    /** Before the end: keeps what is committable and lets parked requests go. */
    public void drain() {
        for (PoolRoles p : pools.values()) {
            p.leader.flushCommits();
            p.refuseWaiting(Fault.of(FaultCode.AGAIN, "the engine restarts"));
        }
    }

    /** The loop ends with updates under way: their clients try again and find the outcome. */
    public void abandon() {
        for (PoolRoles p : pools.values()) p.leader.abandon();
    }
}
