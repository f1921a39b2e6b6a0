package io.daosmesh.management.runtime;

import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.port.Ras;
import io.daosmesh.model.port.Rpc;
import io.daosmesh.model.port.RpcServer;
import io.daosmesh.model.time.Hlc;
import java.time.Duration;

/**
 * What every part of management stands on. Immutable. {@code ras} loses events while nobody takes them.
 *
 * @param replicaGrace how long a replica of a pool's service may be lost before another rank gets it
 */
record NodeContext(NodeConfig config, Rpc rpc, RpcServer server, Hlc hlc, Loop loop, Ras ras, Duration replicaGrace) {
    String address() {
        return config.address();
    }
}
