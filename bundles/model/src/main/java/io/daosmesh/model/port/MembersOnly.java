package io.daosmesh.model.port;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Registers what ranks answer to servers that belong to the system only: a certificate of the role says that somebody runs a server,
 * its address, which the transport has compared with the certificate, says which. A server that is in no group map known here, and
 * no replica of the management service either, is told AGAIN: the map may be on its way. Clients pass. Any thread.
 */
public final class MembersOnly implements RpcServer {
    private final RpcServer server;
    private final Supplier<GroupMap> map;
    private final Set<String> replicas;
    private volatile Known known = new Known(new GroupMap("", 0, List.of()), Set.of());

    private record Known(GroupMap map, Set<String> addresses) {}

    /**
     * @param map the newest group map of this node
     * @param replicas control addresses of the nodes that can lead the management service
     */
    public MembersOnly(RpcServer server, Supplier<GroupMap> map, List<String> replicas) {
        this.server = server;
        this.map = map;
        this.replicas = Set.copyOf(replicas);
    }

    @Override
    public AutoCloseable register(int rank, RpcMethod method, Handler handler) {
        return server.register(rank, method, call -> {
            Optional<FaultException> refused = refusal(call.peer());
            return refused.isPresent() ? Mono.error(refused.get()) : handler.handle(call);
        });
    }

    @Override
    public AutoCloseable registerStream(int rank, RpcMethod method, StreamHandler handler) {
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
        if (peer.role() != Role.SERVER || addresses().contains(peer.address())) return Optional.empty();
        Fault why = Fault.of(
                        FaultCode.AGAIN,
                        "server '%s' is not in version %d of the group map",
                        peer.address(),
                        known.map().version())
                .remedy("let it join first; what joined lately is known in a moment");
        return Optional.of(why.asException());
    }

    /** One look a map, not one a request. */
    private Set<String> addresses() {
        GroupMap now = map.get();
        Known last = known;
        if (last.map() == now && !last.addresses().isEmpty()) return last.addresses();
        Set<String> addresses = new HashSet<>(replicas);
        now.members().stream().map(Member::address).forEach(addresses::add);
        known = new Known(now, addresses);
        return addresses;
    }
}
