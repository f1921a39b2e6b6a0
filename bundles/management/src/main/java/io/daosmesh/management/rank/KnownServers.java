package io.daosmesh.management.rank;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.rpc.RpcCall;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * Which servers may speak for the system here: a certificate of the role says only that somebody runs a server, its address
 * says which. Any thread.
 */
public final class KnownServers {
    private final NodeConfig config;
    private final Supplier<GroupMap> map;
    private volatile Addresses latest = new Addresses(new GroupMap("", 0, List.of()), Set.of());

    /** Of all nodes with ranks in this map. */
    private record Addresses(GroupMap map, Set<String> of) {}

    public KnownServers(NodeConfig config, Supplier<GroupMap> map) {
        this.config = config;
        this.map = map;
    }

    /** A node that holds ranks, as far as this one knows, or is a replica of the management service by configuration. */
    public boolean isMember(String address) {
        return isReplica(address) || addresses().contains(address);
    }

    /** Gathered once a map: every request between ranks asks. */
    private Set<String> addresses() {
        GroupMap now = map.get();
        Addresses last = latest;
        if (last.map() == now) return last.of();
        Set<String> of = now.members().stream().map(Member::address).collect(Collectors.toUnmodifiableSet());
        latest = new Addresses(now, of);
        return of;
    }

    private boolean isReplica(String address) {
        return config.replicas().contains(address);
    }

    /** AGAIN when it is not, or not yet: the map may be on its way. */
    public void requireMember(RpcCall.Peer peer) {
        if (!isMember(peer.address())) throw stranger(peer.address()).asException();
    }

    public Fault stranger(String address) {
        return Fault.of(
                        FaultCode.AGAIN,
                        "server '%s' is not in version %d of the group map",
                        address,
                        map.get().version())
                .remedy("let it join first; what joined lately is known in a moment");
    }

    /** NO_PERM unless it can lead the management service: what comes from that leader only. */
    public void requireReplica(RpcCall.Peer peer) {
        if (isReplica(peer.address())) return;
        throw Fault.of(FaultCode.NO_PERM, "server '%s' is no replica of the management service", peer.address())
                .remedy("set the same access_points in every configuration file")
                .asException();
    }

    /** NO_PERM when a server speaks for another one. */
    public static void requireSame(String what, String claimed, RpcCall.Peer peer) {
        if (claimed.equals(peer.address())) return;
        throw Fault.of(FaultCode.NO_PERM, "%s of '%s' comes from server '%s'", what, claimed, peer.address())
                .remedy("a node speaks for itself only; set its own address in its configuration file")
                .asException();
    }
}
