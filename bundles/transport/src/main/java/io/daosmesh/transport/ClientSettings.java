package io.daosmesh.transport;

import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.port.Role;

/**
 * How a tool or an application connects. Immutable.
 *
 * @param role what its certificate is for
 * @param system name of the system, as in its servers' configuration
 * @param tls files of certificate, key and authority, or insecure; {@code clearData} asks for data channels without TLS
 */
public record ClientSettings(Role role, String system, NodeConfig.Tls tls) {}
