package io.daosmesh.engine.lease;

import io.daosmesh.engine.shard.Access;
import io.daosmesh.engine.shard.Leases;
import io.daosmesh.engine.shard.Opening;
import io.daosmesh.engine.shard.PoolShard;
import io.daosmesh.engine.shard.ShardAddress;
import io.daosmesh.engine.shard.TargetContext;
import io.daosmesh.engine.shard.Waiting;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.placement.Placement;
import io.daosmesh.model.placement.ShardGroup;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import java.util.ArrayDeque;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Keeps updates of a group back while a leader that a newer map has put out may still answer reads by an older one: what it
 * answers then was true at that moment. Nothing waits for a former leader that is still a member, because it has to take
 * part in every update itself. Who led by maps that did not come here is not known: then updates wait for all ranks that
 * this one has granted a lease. Owner: target loop.
 */
public final class FormerLeaders {
    /** Maps that followed each other within a lease; of older ones it is forgotten who led. */
    private static final int PAST_MAX = 16;
    /** Longer than a lease with its margin can last. */
    private static final long PAST_NS = 2_000_000_000L;

    private record Reign(PoolMap map, long endedNs) {}

    private record Group(ObjectId oid, int index) {}

    private final TargetContext context;
    private final PoolShard shard;
    private final ArrayDeque<Reign> past = new ArrayDeque<>();
    /** Bounded in time as well: a lease runs out by itself. */
    private final Waiting<Group> held = new Waiting<>("updates", Access.PARKED_MAX, Waiting.UNBOUNDED_NS);
    /** A leader that is not known here may answer reads. */
    private boolean isAnyHeld;

    public FormerLeaders(TargetContext context, PoolShard shard) {
        this.context = context;
        this.shard = shard;
    }

    /** @param before the map until now; null = this is the first one since the start */
    public void onMap(@Nullable PoolMap before) {
        long now = context.nowNs();
        if (before == null) {
            isAnyHeld |= shard.marker().calmVersion() != shard.mapVersion();
        } else {
            past.addLast(new Reign(before, now));
            // the maps between had leaders, too, and this rank may have granted them leases by its older one
            isAnyHeld |= shard.mapVersion() != before.version() + 1;
        }
        if (past.size() > PAST_MAX) {
            past.removeFirst();
            isAnyHeld = true;
        }
        // whoever waits looks at the new map
        held.takeAll().forEach(w -> context.loop().execute(w.retry()));
    }

    /** How long no update of the group may be prepared or settled here. */
    public boolean isHeld(ObjectId oid, int group) {
        if (isOver()) return false;
        if (isAnyHeld) return true;
        for (Reign r : past) if (mayStillRead(r.map, oid, group)) return true;
        return false;
    }

    private boolean isOver() {
        if (!isAnyHeld && past.isEmpty()) return true;
        long now = context.nowNs();
        if (isAnyHeld && isCalm()) isAnyHeld = false;
        while (!past.isEmpty() && now - past.getFirst().endedNs > PAST_NS) past.removeFirst();
        return !isAnyHeld && past.isEmpty();
    }

    /** Nobody may answer reads by an older map on the strength of a lease from here. */
    public boolean isCalm() {
        return context.host().leases().leftNs(shard.pool(), Leases.ANY_RANK, shard.mapVersion()) == 0;
    }

    private boolean mayStillRead(PoolMap old, ObjectId oid, int group) {
        ShardGroup then = Placement.group(old, oid, group);
        if (!then.isAvailable()) return false;
        if (shard.group(oid, group).members().contains(then.leader())) return false;
        PoolTarget leader = old.target(then.leader());
        return context.host().leases().leftNs(shard.pool(), leader.rank(), shard.mapVersion()) > 0;
    }

    /** Parks the update if it has to wait; true if it was taken care of. */
    public boolean holds(ShardAddress a, Runnable retry, Consumer<Fault> refuse) {
        if (!isHeld(a.oid(), a.group())) return false;
        Supplier<Fault> late = () -> Fault.of(FaultCode.AGAIN, "a former leader may read the group still");
        held.add(new Waiting.Waiter<>(new Group(a.oid(), a.group()), context.nowNs(), retry, refuse, late));
        return true;
    }

    public void onTick() {
        if (shard.map() != null && shard.marker().calmVersion() != shard.mapVersion() && isOver()) {
            shard.setMarker(shard.marker().withCalm(shard.mapVersion()));
            Opening.note(context, shard);
        }
        held.take(w -> !isHeld(w.key().oid, w.key().index))
                .forEach(w -> context.loop().execute(w.retry()));
    }

    public void refuseAll(Fault why) {
        held.refuseAll(why);
    }
}
