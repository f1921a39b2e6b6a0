package io.daosmesh.engine.write;

import io.daosmesh.engine.dtx.DtxEntry;
import io.daosmesh.engine.dtx.Resolution;
import io.daosmesh.engine.lease.FormerLeaders;
import io.daosmesh.engine.shard.PoolShard;
import io.daosmesh.engine.shard.TargetContext;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.placement.ShardGroup;
import io.daosmesh.model.pool.PoolTarget;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Settles prepared DTXs that nobody drives any more (DAOS: resync): after a restart, after a change of the leader, and when
 * a commit or abort got lost. Owner: target loop.
 */
public final class Settler {
    /** Commits follow within 0.2 s; a member that has heard nothing for this long asks. */
    private static final long STALE_NS = 5_000_000_000L;
    /** Between two tries for the same DTX. */
    private static final long RETRY_NS = 300_000_000L;
    /** Questions under way for one shard. */
    private static final int ASKED_MAX = 64;

    private final TargetContext context;
    private final PoolShard shard;
    private final Outcomes outcomes;
    private final FormerLeaders former;

    public Settler(TargetContext context, PoolShard shard, Outcomes outcomes, FormerLeaders former) {
        this.context = context;
        this.shard = shard;
        this.outcomes = outcomes;
        this.former = former;
    }

    public void onTick() {
        if (shard.dtx().preparedCount() == 0 || shard.refusal() != null) return;
        long now = context.nowNs();
        int asked = 0;
        for (DtxEntry e : List.copyOf(shard.dtx().prepared())) {
            if (asked == ASKED_MAX) return;
            if (!e.isDurable() || e.isSettling() || e.isLed() || e.nextSettleNs() > now) continue;
            ShardGroup g = shard.group(e.oid(), e.group());
            if (!g.isAvailable()) continue;
            boolean isLeader = g.leader() == shard.myId();
            boolean isLeaderOlder = e.mapVersion() < shard.mapVersion();
            if (!isLeader && !isLeaderOlder && now - e.preparedNs() < STALE_NS) continue;
            // it would be visible here, and not yet where a former leader still reads
            if (isLeader && former.isHeld(e.oid(), e.group())) continue;
            e.setNextSettleNs(now + RETRY_NS);
            asked++;
            if (isLeader) askMembers(e, g);
            else askLeader(e, g.leader());
        }
    }

    /**
     * An update of this very map was not acknowledged either before the new homes had it, and nobody copies it to them
     * any more: they are asked, too. For an older one they are filled by rebuild, which waits for the outcome.
     */
    private void askMembers(DtxEntry e, ShardGroup g) {
        boolean isOlder = e.mapVersion() < shard.mapVersion();
        List<Integer> others = new ArrayList<>(isOlder ? g.settled() : g.members());
        others.remove((Integer) shard.myId());
        List<Resolution.Vote> votes = new ArrayList<>();
        int version = shard.mapVersion();
        if (others.isEmpty()) {
            apply(e, Resolution.decide(votes), version);
            return;
        }
        for (int id : others) {
            PoolTarget t = shard.target(id);
            context.peers().resolve(t.rank(), DtxMessages.question(shard, t, e), (state, fault) -> {
                votes.add(vote(state, fault));
                if (votes.size() == others.size()) apply(e, Resolution.decide(votes), version);
            });
        }
    }

    private static Resolution.Vote vote(@Nullable Integer state, @Nullable Fault fault) {
        return fault != null || state == null ? Resolution.Vote.NO_ANSWER : Resolution.vote(state);
    }

    /** The votes count only under the map they were asked for. */
    private void apply(DtxEntry e, Resolution.Outcome outcome, int version) {
        if (!isOpen(e) || version != shard.mapVersion() || outcome == Resolution.Outcome.ASK_AGAIN) return;
        ShardGroup g = shard.group(e.oid(), e.group());
        boolean isCommit = outcome == Resolution.Outcome.COMMIT;
        if (isCommit) outcomes.commitEntry(e);
        else outcomes.abort(e);
        for (int id : g.members()) {
            if (id == shard.myId()) continue;
            PoolTarget t = shard.target(id);
            var request = DtxMessages.batch(shard, t, e);
            if (isCommit) context.peers().commit(t.rank(), request);
            else context.peers().abort(t.rank(), request);
        }
    }

    private boolean isOpen(DtxEntry e) {
        return shard.dtx().prepared(e.id()) == e && !e.isSettling();
    }

    private void askLeader(DtxEntry e, int leader) {
        PoolTarget t = shard.target(leader);
        int version = shard.mapVersion();
        context.peers().resolve(t.rank(), DtxMessages.question(shard, t, e), (state, fault) -> {
            if (state == null || !isOpen(e) || version != shard.mapVersion()) return;
            Resolution.Vote vote = Resolution.vote(state);
            if (vote == Resolution.Vote.COMMITTED) outcomes.commitEntry(e);
            if (vote == Resolution.Vote.UNKNOWN) outcomes.abort(e);
        });
    }
}
