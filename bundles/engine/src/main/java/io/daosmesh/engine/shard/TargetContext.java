package io.daosmesh.engine.shard;

import io.daosmesh.engine.dtx.DtxRoom;
import io.daosmesh.engine.turn.TurnPipeline;
import io.daosmesh.storage.BufferPool;
import io.daosmesh.storage.kv.KvStore;

/**
 * What the parts of one target share. Immutable.
 *
 * @param updates what it may remember of them
 */
public record TargetContext(
        int rank,
        int target,
        KvStore kv,
        BufferPool buffers,
        TurnPipeline turns,
        TurnPipeline.Loop loop,
        Peers peers,
        Host host,
        DtxRoom updates) {
    public long nowNs() {
        return host.nowNs();
    }
}
