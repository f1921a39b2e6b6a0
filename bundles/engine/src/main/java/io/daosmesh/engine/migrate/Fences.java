package io.daosmesh.engine.migrate;

import io.daosmesh.engine.dtx.DtxEntry;
import io.daosmesh.engine.lease.FormerLeaders;
import io.daosmesh.engine.shard.PoolShard;
import io.daosmesh.engine.shard.TargetContext;
import io.daosmesh.engine.shard.Waiting;
import io.daosmesh.engine.turn.Answer;
import io.daosmesh.engine.write.MemberWrites;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;

/**
 * Waits until a map version is adopted, nothing of an older one is under way, nobody may read by one on the strength of a
 * lease from here, and every DTX of an older one is settled. Owner: target loop.
 */
public final class Fences {
    /** Longest wait; rebuild tries again. */
    private static final long WAIT_NS = 30_000_000_000L;

    private static final int FENCES_MAX = 64;

    private final Waiting<Fence> waiting = new Waiting<>("fences", FENCES_MAX, WAIT_NS);

    private record Fence(int mapVersion, Answer<Long> answer) {}

    private final TargetContext context;
    private final PoolShard shard;
    private final FormerLeaders former;
    private final MemberWrites member;
    private final Migration migration;

    public Fences(
            TargetContext context, PoolShard shard, FormerLeaders former, MemberWrites member, Migration migration) {
        this.context = context;
        this.shard = shard;
        this.former = former;
        this.member = member;
        this.migration = migration;
    }

    /** See EngineMigration.fence; answers the clock. */
    public void add(int mapVersion, Answer<Long> answer) {
        Fence f = new Fence(mapVersion, answer);
        Waiting.Waiter<Fence> w =
                new Waiting.Waiter<>(f, context.nowNs(), () -> decide(f), answer::refuse, () -> late(mapVersion));
        if (isOver(f)) decide(f);
        else waiting.add(w);
    }

    public void onTick() {
        waiting.take(w -> isOver(w.key())).forEach(w -> w.retry().run());
        waiting.onTick(context.nowNs());
    }

    private boolean isOver(Fence f) {
        return shard.mapVersion() > f.mapVersion || isClosed() || isReached(f.mapVersion);
    }

    private boolean isClosed() {
        var me = shard.me();
        boolean isOut = me != null && me.state().isDisabled();
        return shard.state() == PoolShard.State.CLOSED || (shard.state() == PoolShard.State.FAILED && !isOut);
    }

    private void decide(Fence f) {
        if (shard.mapVersion() > f.mapVersion) {
            f.answer.refuse(Fault.of(FaultCode.STALE).with("have", f.mapVersion).with("need", shard.mapVersion()));
        } else if (isClosed()) {
            Fault why = shard.refusal();
            f.answer.refuse(why != null ? why : Fault.of(FaultCode.NONEXIST));
        } else {
            f.answer.answer(context.host().hlcNow(), null);
        }
    }

    private Fault late(int mapVersion) {
        return Fault.of(
                FaultCode.TIMEDOUT,
                "map version %d: have %d, %d DTXs prepared, state %s",
                mapVersion,
                shard.mapVersion(),
                shard.dtx().preparedCount(),
                shard.state());
    }

    private boolean isReached(int version) {
        if (shard.mapVersion() != version) return false;
        // a target that the map has put out takes no part
        if (!shard.isServing()) return true;
        // what is exported page by page must not change its place between two of them
        if (migration.isReclaiming() || shard.writer().isReplacing()) return false;
        // who is filled from here knows nothing of the leases given here, and may lead before they have run out
        if (!former.isCalm()) return false;
        if (member.isPreparingBefore(version)) return false;
        for (DtxEntry e : shard.dtx().prepared()) {
            // without a settled holder nobody can decide it, and nobody exports the group either
            if (e.mapVersion() < version && shard.group(e.oid(), e.group()).isAvailable()) return false;
        }
        return true;
    }
}
