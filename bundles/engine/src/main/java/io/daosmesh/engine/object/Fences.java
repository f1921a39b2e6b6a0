package io.daosmesh.engine.object;

import io.daosmesh.engine.dtx.DtxEntry;
import io.daosmesh.engine.target.Answer;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.util.ArrayList;
import java.util.List;

/**
 * Waits until a map version is adopted, nothing of an older one is under way, nobody may read by one on the strength of a
 * lease from here, and every DTX of an older one is settled. Owner: target loop.
 */
final class Fences {
    /** Longest wait; rebuild tries again. */
    private static final long WAIT_NS = 30_000_000_000L;

    private static final int FENCES_MAX = 64;

    private final Env env;
    private final List<Fence> waiting = new ArrayList<>();

    private record Fence(PoolShard shard, int mapVersion, long deadlineNs, Answer<Long> answer) {}

    Fences(Env env) {
        this.env = env;
    }

    void add(PoolShard s, int mapVersion, Answer<Long> answer) {
        if (waiting.size() >= FENCES_MAX) {
            answer.refuse(Fault.of(FaultCode.BUSY, "too many fences"));
            return;
        }
        Fence f = new Fence(s, mapVersion, env.nowNs() + WAIT_NS, answer);
        if (!isDone(f)) waiting.add(f);
    }

    void onTick() {
        waiting.removeIf(this::isDone);
    }

    private boolean isDone(Fence f) {
        PoolShard s = f.shard;
        if (s.mapVersion() > f.mapVersion) {
            f.answer.refuse(Fault.of(FaultCode.STALE).with("have", f.mapVersion).with("need", s.mapVersion()));
            return true;
        }
        var me = s.me();
        boolean isOut = me != null && me.state().isDisabled();
        if (s.state() == PoolShard.State.CLOSED || (s.state() == PoolShard.State.FAILED && !isOut)) {
            Fault why = s.refusal();
            f.answer.refuse(why != null ? why : Fault.of(FaultCode.NONEXIST));
            return true;
        }
        if (isReached(s, f.mapVersion)) {
            f.answer.answer(env.host().hlcNow(), null);
            return true;
        }
        if (env.nowNs() < f.deadlineNs) return false;
        f.answer.refuse(Fault.of(
                FaultCode.TIMEDOUT,
                "map version %d: have %d, %d DTXs prepared, state %s",
                f.mapVersion,
                s.mapVersion(),
                s.dtx().preparedCount(),
                s.state()));
        return true;
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
