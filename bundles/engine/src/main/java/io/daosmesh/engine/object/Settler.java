package io.daosmesh.engine.object;

import io.daosmesh.engine.dtx.DtxEntry;
import io.daosmesh.engine.dtx.Resolution;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.placement.ShardGroup;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.wire.DtxResolveRequest;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Settles prepared DTXs that nobody drives any more (DAOS: resync): after a restart, after a change of the leader, and when
 * a commit or abort got lost. Owner: target loop.
 */
final class Settler {
    /** Commits follow within 0.2 s; a member that has heard nothing for this long asks. */
    private static final long STALE_NS = 5_000_000_000L;
    /** Between two tries for the same DTX. */
    private static final long RETRY_NS = 300_000_000L;
    /** Questions under way for one shard. */
    private static final int ASKED_MAX = 64;

    private final Env env;
    private final Outcomes outcomes;
    private final Reigns reigns;

    Settler(Env env, Outcomes outcomes, Reigns reigns) {
        this.env = env;
        this.outcomes = outcomes;
        this.reigns = reigns;
    }

    void onTick(PoolShard s) {
        if (s.dtx().preparedCount() == 0 || s.refusal() != null) return;
        long now = env.nowNs();
        int asked = 0;
        for (DtxEntry e : List.copyOf(s.dtx().prepared())) {
            if (asked == ASKED_MAX) return;
            if (!e.isDurable() || e.isSettling() || e.isLed() || e.nextSettleNs() > now) continue;
            ShardGroup g = s.group(e.oid(), e.group());
            if (!g.isAvailable()) continue;
            boolean isLeader = g.leader() == s.myId();
            boolean isLeaderOlder = e.mapVersion() < s.mapVersion();
            if (!isLeader && !isLeaderOlder && now - e.preparedNs() < STALE_NS) continue;
            // it would be visible here, and not yet where a former leader still reads
            if (isLeader && reigns.isHeld(s, e.oid(), e.group())) continue;
            e.setNextSettleNs(now + RETRY_NS);
            asked++;
            if (isLeader) askMembers(s, e, g);
            else askLeader(s, e, g.leader());
        }
    }

    /**
     * An update of this very map was not acknowledged either before the new homes had it, and nobody copies it to them
     * any more: they are asked, too. For an older one they are filled by rebuild, which waits for the outcome.
     */
    private void askMembers(PoolShard s, DtxEntry e, ShardGroup g) {
        boolean isOlder = e.mapVersion() < s.mapVersion();
        List<Integer> others = new ArrayList<>(isOlder ? g.settled() : g.members());
        others.remove((Integer) s.myId());
        List<Resolution.Vote> votes = new ArrayList<>();
        int version = s.mapVersion();
        if (others.isEmpty()) {
            apply(s, e, Resolution.decide(votes), version);
            return;
        }
        for (int id : others) {
            PoolTarget t = s.target(id);
            env.peers().resolve(t.rank(), request(s, e, t), (state, fault) -> {
                votes.add(vote(state, fault));
                if (votes.size() == others.size()) apply(s, e, Resolution.decide(votes), version);
            });
        }
    }

    private static Resolution.Vote vote(@Nullable Integer state, @Nullable Fault fault) {
        return fault != null || state == null ? Resolution.Vote.NO_ANSWER : Resolution.vote(state);
    }

    /** The votes count only under the map they were asked for. */
    private void apply(PoolShard s, DtxEntry e, Resolution.Outcome outcome, int version) {
        if (!isOpen(s, e) || version != s.mapVersion() || outcome == Resolution.Outcome.ASK_AGAIN) return;
        ShardGroup g = s.group(e.oid(), e.group());
        boolean isCommit = outcome == Resolution.Outcome.COMMIT;
        if (isCommit) outcomes.commitEntry(s, e);
        else outcomes.abort(s, e);
        for (int id : g.members()) {
            if (id == s.myId()) continue;
            PoolTarget t = s.target(id);
            var request = LeaderWrites.batch(s, t, List.of(LeaderWrites.ref(e.id(), e.epoch())));
            if (isCommit) env.peers().commit(t.rank(), request);
            else env.peers().abort(t.rank(), request);
        }
    }

    private static boolean isOpen(PoolShard s, DtxEntry e) {
        return s.dtx().prepared(e.id()) == e && !e.isSettling();
    }

    private void askLeader(PoolShard s, DtxEntry e, int leader) {
        PoolTarget t = s.target(leader);
        int version = s.mapVersion();
        env.peers().resolve(t.rank(), request(s, e, t), (state, fault) -> {
            if (state == null || !isOpen(s, e) || version != s.mapVersion()) return;
            Resolution.Vote vote = Resolution.vote(state);
            if (vote == Resolution.Vote.COMMITTED) outcomes.commitEntry(s, e);
            if (vote == Resolution.Vote.UNKNOWN) outcomes.abort(s, e);
        });
    }

    static DtxResolveRequest request(PoolShard s, DtxEntry e, PoolTarget t) {
        ShardAddress a = new ShardAddress(s.pool(), e.container(), e.oid(), e.group(), s.mapVersion());
        return DtxResolveRequest.newBuilder()
                .setAddress(a.toWire(t.index()))
                .setDkey(com.google.protobuf.ByteString.copyFrom(e.dkey()))
                .setDtx(WriteOp.dtxMessage(e.id()))
                .setEpoch(e.epoch())
                .build();
    }
}
