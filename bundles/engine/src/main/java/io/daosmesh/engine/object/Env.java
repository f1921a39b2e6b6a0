package io.daosmesh.engine.object;

import io.daosmesh.engine.target.TurnPipeline;
import io.daosmesh.storage.BufferPool;
import io.daosmesh.storage.kv.KvStore;

/** What the parts of one target share. Immutable. */
public record Env(
        int rank,
        int target,
        KvStore kv,
        BufferPool buffers,
        TurnPipeline turns,
        TurnPipeline.Loop loop,
        Peers peers,
        Host host) {
    long nowNs() {
        return host.nowNs();
    }
}
