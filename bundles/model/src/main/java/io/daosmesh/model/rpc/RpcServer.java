package io.daosmesh.model.rpc;

import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Where services register what they answer. Any thread. A method of the table that has no handler for the wanted rank is
 * refused with DER_AGAIN and argument {@code state=restarting} (a bundle is being replaced), an unknown rank with DER_OOG.
 * Registrations end when closed: requests under way finish.
 */
public interface RpcServer {
    /** Handlers run on a transport thread and must not block; errors become typed refusals (FaultException) or MISC. */
    @FunctionalInterface
    interface Handler {
        Mono<RpcMessage> handle(RpcCall call);
    }

    @FunctionalInterface
    interface StreamHandler {
        Flux<RpcMessage> handle(RpcCall call);
    }

    /** Withdraws what was registered when closed; closing again does nothing. */
    interface Registration extends AutoCloseable {
        @Override
        void close();
    }

    /** For CALL and FIRE methods (a FIRE handler's reply is dropped). {@code rank} may be {@link Endpoint#NODE}. */
    Registration register(int rank, RpcMethod method, Handler handler);

    Registration registerStream(int rank, RpcMethod method, StreamHandler handler);

    /** Control address {@code host:port} that peers reach this server at. */
    String address();
}
