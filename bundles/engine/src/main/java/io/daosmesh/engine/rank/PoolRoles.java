package io.daosmesh.engine.rank;

import io.daosmesh.engine.lease.FormerLeaders;
import io.daosmesh.engine.lease.LeadReads;
import io.daosmesh.engine.migrate.Fences;
import io.daosmesh.engine.migrate.Migration;
import io.daosmesh.engine.read.HotReads;
import io.daosmesh.engine.read.Listing;
import io.daosmesh.engine.read.Reads;
import io.daosmesh.engine.read.ValueCache;
import io.daosmesh.engine.repair.RecordSource;
import io.daosmesh.engine.repair.Repair;
import io.daosmesh.engine.scrub.Scrubber;
import io.daosmesh.engine.shard.Access;
import io.daosmesh.engine.shard.DestroyedIds;
import io.daosmesh.engine.shard.Marker;
import io.daosmesh.engine.shard.Opening;
import io.daosmesh.engine.shard.PoolShard;
import io.daosmesh.engine.shard.TargetContext;
import io.daosmesh.engine.space.Aggregation;
import io.daosmesh.engine.space.ContainerDestroy;
import io.daosmesh.engine.turn.StagedOp;
import io.daosmesh.engine.turn.VosLatencies;
import io.daosmesh.engine.vos.RecordSearch;
import io.daosmesh.engine.write.DtxStates;
import io.daosmesh.engine.write.LeaderWrites;
import io.daosmesh.engine.write.MemberWrites;
import io.daosmesh.engine.write.Outcomes;
import io.daosmesh.engine.write.Settler;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.pool.PoolMap;
import java.util.function.LongSupplier;

/** What one target does for one pool: an object for each role, which owns its state. Owner: target loop. */
final class PoolRoles {
    final PoolShard shard;
    final Access access;
    final FormerLeaders former;
    final LeadReads leadReads;
    final LeaderWrites leader;
    final MemberWrites member;
    private final Outcomes outcomes;
    final DtxStates states;
    final Settler settler;
    final HotReads hot;
    final Reads reads;
    final Listing listing;
    final Aggregation aggregation;
    final ContainerDestroy containers;
    final Migration migration;
    final Fences fences;
    final Repair repair;
    final RecordSource source;
    final Scrubber scrubber;
    private final TargetContext context;

    /**
     * What the roles of all pools share.
     *
     * @param asker who has sent the request at work
     * @param search bounded for the whole target
     * @param operations requests to the target until now
     */
    record Shared(
            Access.Requester asker,
            RecordSearch search,
            VosLatencies latencies,
            ValueCache cache,
            LongSupplier operations) {}

    PoolRoles(TargetContext context, PoolShard shard, Shared shared) {
        this.context = context;
        this.shard = shard;
        DestroyedIds destroyed = DestroyedIds.of(context, shard);
        this.access = new Access(context, shard, destroyed, shared.asker);
        this.former = new FormerLeaders(context, shard);
        this.outcomes = new Outcomes(context, shard, access);
        this.leader = new LeaderWrites(context, shard, access, former, outcomes, shared.latencies);
        this.member = new MemberWrites(context, shard, access, former, outcomes, shared.latencies);
        this.states = new DtxStates(context, shard, access, shared.search);
        this.settler = new Settler(context, shard, outcomes, former);
        this.leadReads = new LeadReads(context, shard, access);
        this.hot = new HotReads(context, shard, shared.cache);
        this.reads = new Reads(context, shard, access, leadReads, hot, shared.latencies);
        this.listing = new Listing(context, shard, access, leadReads);
        this.aggregation = new Aggregation(context, shard, () -> reads.isSearching() || shared.search.isUnderWay());
        this.containers = new ContainerDestroy(context, shard, destroyed);
        this.migration = new Migration(context, shard, access, destroyed);
        this.fences = new Fences(context, shard, former, member, migration);
        this.repair = new Repair(context, shard, migration);
        this.source = new RecordSource(context, migration, reads);
        this.scrubber = new Scrubber(context, shard, shared.operations);
    }

    /** A map of the pool; an older one than the present is ignored. */
    void onMap(PoolMap map, boolean mayGrantLeases) {
        if (map.version() <= shard.mapVersion()) return;
        if (map.version() < shard.marker().knownVersion()) {
            context.host().needMap(shard.pool(), shard.marker().knownVersion());
            return;
        }
        PoolMap before = shard.map();
        if (mayGrantLeases) context.host().leases().adopted(shard.pool(), map.version());
        hot.clear();
        StagedOp op = new StagedOp(true);
        shard.adopt(map, op);
        // durable before any update that is prepared by this map
        Opening.note(context, shard, op);
        former.onMap(before);
        leadReads.onMap();
        leader.onMap();
        access.onMap();
        migration.onMap();
        settler.onTick();
    }

    void onTick() {
        if (shard.state() != PoolShard.State.CLOSED && shard.state() != PoolShard.State.FAILED) {
            leader.onTick();
            outcomes.onTick();
            settler.onTick();
            former.onTick();
            leadReads.onTick();
            aggregation.onTick();
            access.onTick();
            repair.onTick();
            scrubber.onTick();
        }
        fences.onTick();
    }

    /** Nobody is served any more. */
    void close() {
        shard.setState(PoolShard.State.CLOSED);
        hot.clear();
        refuseWaiting(Fault.of(FaultCode.NONEXIST, "the pool is being destroyed"));
        fences.onTick();
    }

    void stop(Fault why) {
        if (shard.state() != PoolShard.State.CLOSED) shard.fail(why);
        hot.clear();
        refuseWaiting(why);
    }

    void refuseWaiting(Fault why) {
        access.refuseAll(why);
        former.refuseAll(why);
        leadReads.refuseAll(why);
    }

    void noteOutForDevice(boolean isOut) {
        Marker m = shard.marker();
        if (m.isOutForDevice() == isOut) return;
        shard.setMarker(m.withOutForDevice(isOut));
        Opening.note(context, shard);
    }
}
