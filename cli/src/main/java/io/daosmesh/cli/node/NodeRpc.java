package io.daosmesh.cli.node;

import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.port.RpcClients;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.rpc.RpcReply;
import java.time.Duration;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Asks as the node what servers may ask, and does the rest as an administrator: the table of roles holds here as anywhere.
 * Several threads: a command that asks many hosts at once calls from each of them.
 */
final class NodeRpc implements Rpc, AutoCloseable {
    private final Rpc own;
    private final Supplier<RpcClients.Client> administrator;
    private RpcClients.@Nullable Client opened; // at the first call that needs it

    NodeRpc(Rpc own, Supplier<RpcClients.Client> administrator) {
        this.own = own;
        this.administrator = administrator;
    }

    private synchronized Rpc of(RpcMethod method) {
        // what servers change, they change for each other and nobody writes it down
        if (method.mayBeCalledBy(Role.SERVER) && !method.isAudited()) return own;
        if (opened == null) opened = administrator.get();
        return opened.rpc();
    }

    @Override
    public <T> Mono<T> call(
            Endpoint to, RpcMethod method, RpcMessage request, Duration deadline, RpcReply.Decoder<T> decoder) {
        try {
            return of(method).call(to, method, request, deadline, decoder);
        } catch (FaultException e) {
            return Mono.error(e);
        }
    }

    @Override
    public Mono<Void> fire(Endpoint to, RpcMethod method, RpcMessage request) {
        try {
            return of(method).fire(to, method, request);
        } catch (FaultException e) {
            return Mono.error(e);
        }
    }

    @Override
    public <T> Flux<T> stream(Endpoint to, RpcMethod method, RpcMessage request, RpcReply.Decoder<T> decoder) {
        try {
            return of(method).stream(to, method, request, decoder);
        } catch (FaultException e) {
            return Flux.error(e);
        }
    }

    @Override
    public AutoCloseable onPeerClosed(PeerListener listener) {
        return own.onPeerClosed(listener);
    }

    @Override
    public synchronized void close() {
        if (opened != null) opened.close();
    }
}
