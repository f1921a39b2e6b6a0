package io.daosmesh.transport;

import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.rpc.Role;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * How a tool or an application connects. Immutable.
 *
 * @param role what its certificate is for
 * @param system name of the system, as in its servers' configuration
 * @param tls files of certificate, key and authority, or insecure; {@code clearData} asks for data channels without TLS.
 *     Without certificate and key the credential alone lets an agent's client in
 * @param credential signed credential to show, asked for at each new connection on an event loop, so it must not block; empty:
 *     with the role of an agent this process signs for its own user, otherwise there is none
 */
public record ClientSettings(Role role, String system, NodeConfig.Tls tls, Optional<Supplier<byte[]>> credential) {
    public ClientSettings(Role role, String system, NodeConfig.Tls tls) {
        this(role, system, tls, Optional.empty());
    }

    public ClientSettings withCredential(Supplier<byte[]> source) {
        return new ClientSettings(role, system, tls, Optional.of(source));
    }
}
