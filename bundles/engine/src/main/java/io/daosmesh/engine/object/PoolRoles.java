package io.daosmesh.engine.object;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.pool.PoolMap;

/** What one target does for one pool: an object for each role, which owns its state. Owner: target loop. */
final class PoolRoles {
    final PoolShard shard;
    final Access access;
    final FormerLeaders former;
    final LeadReads leadReads;
    final LeaderWrites leader;
    final MemberWrites member;
    final DtxStates states;
    final Settler settler;
    final Reads reads;
    final Listing listing;
    final Cleaner cleaner;
    final Aggregation aggregation;
    final ContainerDestroy containers;
    final Migration migration;
    final Fences fences;
    private final Env env;

    /**
     * What the roles of all pools share.
     *
     * @param asker who has sent the request at work
     * @param search bounded for the whole target
     */
    record Shared(Access.Asker asker, RecordSearch search, VosLatencies latencies) {}

    PoolRoles(Env env, PoolShard shard, Shared shared) {
        this.env = env;
        this.shard = shard;
        DestroyedIds destroyed = DestroyedIds.of(env, shard);
        this.access = new Access(env, shard, destroyed, shared.asker);
        this.former = new FormerLeaders(env, shard);
        Outcomes outcomes = new Outcomes(env, shard, access);
        this.leader = new LeaderWrites(env, shard, access, former, outcomes, shared.latencies);
        this.member = new MemberWrites(env, shard, access, former, outcomes, shared.latencies);
        this.states = new DtxStates(env, shard, access, shared.search);
        this.settler = new Settler(env, shard, outcomes, former);
        this.leadReads = new LeadReads(env, shard, access);
        this.reads = new Reads(env, shard, access, leadReads, shared.latencies);
        this.listing = new Listing(env, shard, access, leadReads);
        this.cleaner = new Cleaner(env, shard);
        this.aggregation = new Aggregation(env, shard);
        this.containers = new ContainerDestroy(env, shard, destroyed);
        this.migration = new Migration(env, shard, access, destroyed);
        this.fences = new Fences(env, shard, former, member, migration);
    }

    /** A map of the pool; an older one than the present is ignored. */
    void onMap(PoolMap map, boolean mayGrantLeases) {
        if (map.version() <= shard.mapVersion()) return;
        if (map.version() < shard.marker().knownVersion()) {
            env.host().needMap(shard.pool(), shard.marker().knownVersion());
            return;
        }
        PoolMap before = shard.map();
        if (mayGrantLeases) env.host().leases().adopted(shard.pool(), map.version());
        shard.adopt(map);
        // durable before any update that is prepared by this map
        Opening.note(env, shard);
        former.onMap(before);
        leadReads.onMap();
        leader.onMap();
        if (shard.state() == PoolShard.State.SERVING && shard.needsCleaning()) cleaner.start();
        access.onMap();
        settler.onTick();
    }

    void onTick() {
        if (shard.state() != PoolShard.State.CLOSED && shard.state() != PoolShard.State.FAILED) {
            cleaner.onTick();
            leader.onTick();
            settler.onTick();
            former.onTick();
            leadReads.onTick();
            aggregation.onTick();
            access.onTick();
        }
        fences.onTick();
    }

    /** Nobody is served any more. */
    void close() {
        shard.setState(PoolShard.State.CLOSED);
        refuseWaiting(Fault.of(FaultCode.NONEXIST, "the pool is being destroyed"));
        fences.onTick();
    }

    void stop(Fault why) {
        if (shard.state() != PoolShard.State.CLOSED) shard.fail(why);
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
        Opening.note(env, shard);
    }
}
