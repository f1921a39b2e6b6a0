package io.daosmesh.model.port;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.RpcCall;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.rpc.RpcServer;
import java.util.Optional;
import java.util.function.Predicate;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Registers what ranks answer to servers that belong to the system only: a certificate of the role says that somebody runs a server,
 * its address, which the transport has compared with the certificate, says which. A server that is in no group map known here, and
 * no replica of the management service either, is told AGAIN: the map may be on its way. Clients pass. Any thread.
 */
public final class MembersOnly implements RpcServer {
    private final RpcServer server;
    private final Predicate<String> isMember;

    /** @param isMember as {@link Maps#isMember} */
    public MembersOnly(RpcServer server, Predicate<String> isMember) {
        this.server = server;
        this.isMember = isMember;
    }

    @Override
    public Registration register(int rank, RpcMethod method, Handler handler) {
        return server.register(rank, method, call -> {
            Optional<FaultException> refused = refusal(call.peer());
            return refused.isPresent() ? Mono.error(refused.get()) : handler.handle(call);
        });
    }

    @Override
    public Registration registerStream(int rank, RpcMethod method, StreamHandler handler) {
        return server.registerStream(rank, method, call -> {
            Optional<FaultException> refused = refusal(call.peer());
            return refused.isPresent() ? Flux.error(refused.get()) : handler.handle(call);
        });
    }

    @Override
    public String address() {
        return server.address();
    }

    private Optional<FaultException> refusal(RpcCall.Peer peer) {
        if (peer.role() != Role.SERVER || isMember.test(peer.address())) return Optional.empty();
        Fault why = Fault.of(
                        FaultCode.AGAIN, "server '%s' is not in the group map that this node knows", peer.address())
                .remedy("let it join first; what joined lately is known in a moment");
        return Optional.of(why.asException());
    }
}
