package io.daosmesh.management.runtime;

import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.port.Ras;
import io.daosmesh.model.port.Rpc;
import io.daosmesh.model.port.RpcServer;
import io.daosmesh.model.time.Hlc;

/**
 * What every part of management stands on. Immutable. {@code ras} loses events while nobody takes them.
 */
record NodeContext(NodeConfig config, Rpc rpc, RpcServer server, Hlc hlc, Loop loop, Ras ras, Timing timing) {
    String address() {
        return config.address();
    }
}
