package io.daosmesh.transport;

import io.daosmesh.model.port.NodeConfig;

/**
 * How a node listens. Immutable.
 *
 * @param address control address that peers reach it at; empty: bind host and real port
 * @param port 0 = any free one
 */
public record ServerSettings(String system, String address, String bindHost, int port, NodeConfig.Tls tls) {
    public static ServerSettings of(NodeConfig c) {
        return new ServerSettings(c.system(), c.address(), c.bindHost(), c.port(), c.tls());
    }
}
