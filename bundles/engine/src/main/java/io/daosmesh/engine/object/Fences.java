package io.daosmesh.engine.object;

import io.daosmesh.engine.dtx.DtxEntry;
import io.daosmesh.engine.target.Answer;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;

/**
 * Waits until a map version is adopted, nothing of an older one is under way, nobody may read by one on the strength of a
 * lease from here, and every DTX of an older one is settled. Owner: target loop.
 */
final class Fences {
    /** Longest wait; rebuild tries again. */
    private static final long WAIT_NS = 30_000_000_000L;

    private static final int FENCES_MAX = 64;

    private final Env env;
    private final Waiting<Fence> waiting = new Waiting<>("fences", FENCES_MAX, WAIT_NS);

    private record Fence(PoolShard shard, int mapVersion, Answer<Long> answer) {}

    Fences(Env env) {
        this.env = env;
    }

    void add(PoolShard s, int mapVersion, Answer<Long> answer) {
        Fence f = new Fence(s, mapVersion, answer);
        Waiting.Waiter<Fence> w =
                new Waiting.Waiter<>(f, env.nowNs(), () -> decide(f), answer::refuse, () -> late(s, mapVersion));
        if (isOver(f)) decide(f);
        else waiting.add(w);
    }

    void onTick() {
        waiting.take(w -> isOver(w.key())).forEach(w -> w.retry().run());
        waiting.onTick(env.nowNs());
    }

    private boolean isOver(Fence f) {
        PoolShard s = f.shard;
        return s.mapVersion() > f.mapVersion || isClosed(s) || isReached(s, f.mapVersion);
    }

    private static boolean isClosed(PoolShard s) {
        var me = s.me();
        boolean isOut = me != null && me.state().isDisabled();
        return s.state() == PoolShard.State.CLOSED || (s.state() == PoolShard.State.FAILED && !isOut);
    }

    private void decide(Fence f) {
        PoolShard s = f.shard;
        if (s.mapVersion() > f.mapVersion) {
            f.answer.refuse(Fault.of(FaultCode.STALE).with("have", f.mapVersion).with("need", s.mapVersion()));
        } else if (isClosed(s)) {
            Fault why = s.refusal();
            f.answer.refuse(why != null ? why : Fault.of(FaultCode.NONEXIST));
        } else {
            f.answer.answer(env.host().hlcNow(), null);
        }
    }

    private static Fault late(PoolShard s, int mapVersion) {
        return Fault.of(
                FaultCode.TIMEDOUT,
                "map version %d: have %d, %d DTXs prepared, state %s",
                mapVersion,
                s.mapVersion(),
                s.dtx().preparedCount(),
                s.state());
    }

    private boolean isReached(PoolShard s, int version) {
        if (s.mapVersion() != version) return false;
        // a target that the map has put out takes no part
        if (!Target.isServing(s)) return s.state() != PoolShard.State.CLEANING;
        if (s.reclaiming > 0) return false;
        // who is filled from here knows nothing of the leases given here, and may lead before they have run out
        if (!Reigns.isCalm(env, s)) return false;
        for (int v : s.preparing.keySet()) if (v < version) return false;
        for (DtxEntry e : s.dtx().prepared()) {
            // without a settled holder nobody can decide it, and nobody exports the group either
            if (e.mapVersion() < version && s.group(e.oid(), e.group()).isAvailable()) return false;
        }
        return true;
    }
}
