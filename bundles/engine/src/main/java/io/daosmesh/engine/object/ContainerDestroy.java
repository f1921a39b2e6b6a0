package io.daosmesh.engine.object;

import io.daosmesh.engine.target.Done;
import io.daosmesh.engine.target.StagedOp;
import io.daosmesh.engine.vos.Keys;
import java.util.List;
import java.util.UUID;

/** Destroys a container of a pool shard. Owner: target loop. */
public final class ContainerDestroy {
    private final Env env;
    private final PoolShard shard;
    private final DestroyedIds destroyed;

    public ContainerDestroy(Env env, PoolShard shard, DestroyedIds destroyed) {
        this.env = env;
        this.shard = shard;
        this.destroyed = destroyed;
    }

    /** Refuses the container from now on, over restarts as well, and deletes what it holds here. Again changes nothing. */
    public void start(UUID container, Done done) {
        List<byte[]> doomed = List.of(Keys.container(shard.pool(), container));
        StagedOp op = new StagedOp(true);
        destroyed.note(container, op);
        env.turns().stage(op, fault -> {
            if (fault != null) done.done(fault);
            else Deletion.start(env, shard, doomed, done);
        });
    }
}
