package io.daosmesh.engine.space;

import io.daosmesh.engine.shard.DestroyedIds;
import io.daosmesh.engine.shard.PoolShard;
import io.daosmesh.engine.shard.TargetContext;
import io.daosmesh.engine.turn.Done;
import io.daosmesh.engine.turn.StagedOp;
import io.daosmesh.engine.vos.Keys;
import java.util.List;
import java.util.UUID;

/** Destroys a container of a pool shard. Owner: target loop. */
public final class ContainerDestroy {
    private final TargetContext context;
    private final PoolShard shard;
    private final DestroyedIds destroyed;

    public ContainerDestroy(TargetContext context, PoolShard shard, DestroyedIds destroyed) {
        this.context = context;
        this.shard = shard;
        this.destroyed = destroyed;
    }

    /** Refuses the container from now on, over restarts as well, and deletes what it holds here. Again changes nothing. */
    public void start(UUID container, Done done) {
        List<byte[]> doomed = List.of(Keys.container(shard.pool(), container));
        StagedOp op = new StagedOp(true);
        destroyed.note(container, op);
        context.turns().stage(op, fault -> {
            if (fault != null) done.done(fault);
            else Deletion.start(context, shard, doomed, done);
        });
    }
}
