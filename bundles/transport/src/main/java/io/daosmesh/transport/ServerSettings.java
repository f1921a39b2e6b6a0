package io.daosmesh.transport;

import io.daosmesh.model.port.NodeConfig;

/**
 * How a node listens. Immutable.
 *
 * @param address control address that peers reach it at; empty: bind host and real port
 * @param port 0 = any free one
 * @param loops event loops, 1 or more
 */
public record ServerSettings(String system, String address, String bindHost, int port, NodeConfig.Tls tls, int loops) {
    /** Of its address, which peers must find in its certificate. */
    String host() {
        return address.isEmpty() ? bindHost : address;
    }

    /** One loop for each target, on half of the cores at most: the other half is for commits, the index and devices. */
    public static ServerSettings of(NodeConfig c, int cores) {
        int targets =
                c.engines().stream().mapToInt(NodeConfig.Engine::targetCount).sum();
        int loops = Math.max(1, Math.min(targets, cores / 2));
        return new ServerSettings(c.system(), c.address(), c.bindHost(), c.port(), c.tls(), loops);
    }
}
