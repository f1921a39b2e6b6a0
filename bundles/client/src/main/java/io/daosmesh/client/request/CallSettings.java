package io.daosmesh.client.request;

import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.time.Hlc;
import java.time.Duration;
import java.util.List;

/**
 * Of a client's configuration what its requests need. Immutable.
 *
 * @param addresses control addresses of some servers
 * @param clock names updates
 * @param operationLimit of one call of the application, retries included
 * @param tryLimit of one request
 */
public record CallSettings(Rpc rpc, List<String> addresses, Hlc clock, Duration operationLimit, Duration tryLimit) {}
