package io.daosmesh.engine.object;

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
final class Reigns {
    /** Maps that followed each other within a lease; of older ones it is forgotten who led. */
    private static final int PAST_MAX = 16;
    /** Longer than a lease with its margin can last. */
    private static final long PAST_NS = 2_000_000_000L;

    private final Env env;

    Reigns(Env env) {
        this.env = env;
    }

    private record Reign(PoolMap map, long endedNs) {}

    private record Group(ObjectId oid, int index) {}

    /** What a shard remembers. */
    static final class Memory {
        private final ArrayDeque<Reign> past = new ArrayDeque<>();
        /** Bounded in time as well: a lease runs out by itself. */
        final Waiting<Group> held = new Waiting<>("updates", Access.PARKED_MAX, Waiting.UNBOUNDED_NS);
        /** A leader that is not known here may answer reads. */
        private boolean isAnyHeld;
    }

    /** @param before the map until now; null = this is the first one since the start */
    void onMap(PoolShard s, @Nullable PoolMap before) {
        long now = env.nowNs();
        Memory m = s.reigns;
        if (before == null) {
            m.isAnyHeld |= s.calmVersion != s.mapVersion();
        } else {
            m.past.addLast(new Reign(before, now));
            // the maps between had leaders, too, and this rank may have granted them leases by its older one
            m.isAnyHeld |= s.mapVersion() != before.version() + 1;
        }
        if (m.past.size() > PAST_MAX) {
            m.past.removeFirst();
            m.isAnyHeld = true;
        }
        // whoever waits looks at the new map
        m.held.takeAll().forEach(w -> env.loop().execute(w.retry()));
    }

    /** How long no update of the group may be prepared or settled here. */
    boolean isHeld(PoolShard s, ObjectId oid, int group) {
        Memory m = s.reigns;
        if (isOver(s)) return false;
        if (m.isAnyHeld) return true;
        for (Reign r : m.past) if (mayStillRead(s, r.map, oid, group)) return true;
        return false;
    }

    private boolean isOver(PoolShard s) {
        Memory m = s.reigns;
        if (!m.isAnyHeld && m.past.isEmpty()) return true;
        long now = env.nowNs();
        if (m.isAnyHeld && isCalm(env, s)) m.isAnyHeld = false;
        while (!m.past.isEmpty() && now - m.past.getFirst().endedNs > PAST_NS) m.past.removeFirst();
        return !m.isAnyHeld && m.past.isEmpty();
    }

    /** Nobody may answer reads by an older map on the strength of a lease from here. */
    static boolean isCalm(Env env, PoolShard s) {
        return env.host().leases().leftNs(s.pool(), Leases.ANY_RANK, s.mapVersion()) == 0;
    }

    private boolean mayStillRead(PoolShard s, PoolMap old, ObjectId oid, int group) {
        ShardGroup then = Placement.group(old, oid, group);
        if (!then.isAvailable()) return false;
        if (s.group(oid, group).members().contains(then.leader())) return false;
        PoolTarget leader = old.target(then.leader());
        return env.host().leases().leftNs(s.pool(), leader.rank(), s.mapVersion()) > 0;
    }

    /** Parks the update if it has to wait; true if it was taken care of. */
    boolean holds(PoolShard s, ShardAddress a, Runnable retry, Consumer<Fault> refuse) {
        if (!isHeld(s, a.oid(), a.group())) return false;
        Supplier<Fault> late = () -> Fault.of(FaultCode.AGAIN, "a former leader may read the group still");
        s.reigns.held.add(new Waiting.Waiter<>(new Group(a.oid(), a.group()), env.nowNs(), retry, refuse, late));
        return true;
    }

    void onTick(PoolShard s) {
        if (s.map() != null && s.calmVersion != s.mapVersion() && isOver(s)) {
            s.calmVersion = s.mapVersion();
            Opening.note(env, s);
        }
        s.reigns
                .held
                .take(w -> !isHeld(s, w.key().oid, w.key().index))
                .forEach(w -> env.loop().execute(w.retry()));
    }
}
