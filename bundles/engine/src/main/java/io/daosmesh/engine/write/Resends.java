package io.daosmesh.engine.write;

import io.daosmesh.engine.dtx.Resolution;
import io.daosmesh.engine.shard.PoolShard;
import io.daosmesh.engine.shard.TargetContext;
import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.engine.turn.Answer;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.placement.ShardGroup;
import io.daosmesh.model.pool.PoolTarget;
import java.util.ArrayList;
import java.util.List;

/**
 * A resent update that this leader does not know, soon after a change of the map: rebuild brings a new holder the ids of a
 * group's updates (see {@code migrate.CarriedIds}), but not those that an older release has kept without their group. The other holders
 * are asked before it is carried out. Owner: target loop.
 */
final class Resends {
    private final TargetContext context;
    private final PoolShard shard;

    Resends(TargetContext context, PoolShard shard) {
        this.context = context;
        this.shard = shard;
    }

    /** Answers what is committed already, else runs {@code unknown}; AGAIN when a holder does not say. */
    void ask(WriteOp op, Answer<Long> answer, Runnable unknown) {
        ShardGroup g = shard.group(op.address().oid(), op.address().group());
        List<Integer> others = new ArrayList<>(g.settled());
        others.remove((Integer) shard.myId());
        if (others.isEmpty()) {
            unknown.run();
            return;
        }
        List<Resolution.Vote> votes = new ArrayList<>();
        for (int id : others) {
            PoolTarget t = shard.target(id);
            context.peers().resolve(t.rank(), DtxMessages.question(t, op), (state, fault) -> {
                votes.add(fault != null || state == null ? Resolution.Vote.NO_ANSWER : Resolution.vote(state));
                if (votes.size() == others.size()) decide(votes, answer, unknown);
            });
        }
    }

    private void decide(List<Resolution.Vote> votes, Answer<Long> answer, Runnable unknown) {
        if (votes.contains(Resolution.Vote.COMMITTED))
            answer.answer(context.host().hlcNow(), null);
        else if (votes.contains(Resolution.Vote.NO_ANSWER))
            answer.refuse(Fault.of(FaultCode.AGAIN, "a holder does not say whether it knows the update"));
        else unknown.run();
    }
}
