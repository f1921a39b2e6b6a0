package io.daosmesh.model.rpc;

import java.time.Duration;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Calls to other nodes. Any thread. Every failure is a {@code FaultException}: typed refusals as the peer sent them,
 * DER_UNREACH when no connection can be had or it broke, DER_TIMEDOUT at the deadline, DER_BUSY when the bounded number
 * of requests or bytes in flight to the peer is reached for too long, DER_NO_PERM / DER_BAD_CERT for certificates,
 * DER_PROTO for a peer of another release. Results are emitted on a transport thread: hop off it before long work.
 */
public interface Rpc {
    /** Request/response. The decoder runs once on a transport thread. */
    <T> Mono<T> call(Endpoint to, RpcMethod method, RpcMessage request, Duration deadline, RpcReply.Decoder<T> decoder);

    /** Fire and forget: completes when handed to the connection; losses are silent. */
    Mono<Void> fire(Endpoint to, RpcMethod method, RpcMessage request);

    /** Request/stream: the subscriber's demand rules the sender. */
    <T> Flux<T> stream(Endpoint to, RpcMethod method, RpcMessage request, RpcReply.Decoder<T> decoder);

    /** Tells about connections that were refused or closed by the other side; close the result to stop. */
    AutoCloseable onPeerClosed(PeerListener listener);

    /** Runs on a transport thread; must not block. */
    @FunctionalInterface
    interface PeerListener {
        /** @param refused true: connect was refused; false: an established connection was closed or reset by the peer */
        void peerClosed(String address, boolean refused);
    }
}
