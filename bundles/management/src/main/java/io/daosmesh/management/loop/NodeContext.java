package io.daosmesh.management.loop;

import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.port.Ras;
import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.rpc.RpcServer;
import io.daosmesh.model.time.Hlc;

/**
 * What every part of management stands on. Immutable. {@code ras} loses events while nobody takes them.
 */
public record NodeContext(NodeConfig config, Rpc rpc, RpcServer server, Hlc hlc, Loop loop, Ras ras, Timing timing) {
    public String address() {
        return config.address();
    }
}
