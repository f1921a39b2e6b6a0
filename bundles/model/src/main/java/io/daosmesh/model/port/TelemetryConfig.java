package io.daosmesh.model.port;

import java.nio.file.Path;
import java.util.Optional;

/**
 * How a node's metrics page is reached, beside the port in {@link NodeConfig}. Immutable; published together with it.
 *
 * @param bindHost interface to listen on
 * @param webConfig web configuration file of Prometheus's exporters; empty = plain HTTP for everyone
 */
public record TelemetryConfig(String bindHost, Optional<Path> webConfig) {}
