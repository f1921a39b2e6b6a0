package io.daosmesh.client.hedge;

import reactor.core.publisher.Mono;

/**
 * The same read of another replica. Immutable.
 *
 * @param rank that is asked
 * @param request sent when it is subscribed to
 */
public record Alternative<T>(int rank, Mono<T> request) {}
