package io.daosmesh.management.runtime;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.port.RpcCall;
import java.util.function.Supplier;

/**
 * Which servers may speak for the system here: a certificate of the role says only that somebody runs a server, its address
 * says which. Any thread.
 */
final class KnownServers {
    private final NodeConfig config;
    private final Supplier<GroupMap> map;

    KnownServers(NodeConfig config, Supplier<GroupMap> map) {
        this.config = config;
        this.map = map;
    }

    /** A node that holds ranks, as far as this one knows, or is a replica of the management service by configuration. */
    boolean isMember(String address) {
        return isReplica(address)
                || map.get().members().stream().anyMatch(m -> m.address().equals(address));
    }

    private boolean isReplica(String address) {
        return config.replicas().contains(address);
    }

    /** AGAIN when it is not, or not yet: the map may be on its way. */
    void requireMember(RpcCall.Peer peer) {
        if (!isMember(peer.address())) throw stranger(peer.address()).asException();
    }

    Fault stranger(String address) {
        return Fault.of(
                        FaultCode.AGAIN,
                        "server '%s' is not in version %d of the group map",
                        address,
                        map.get().version())
                .remedy("let it join first; what joined lately is known in a moment");
    }

    /** NO_PERM unless it can lead the management service: what comes from that leader only. */
    void requireReplica(RpcCall.Peer peer) {
        if (isReplica(peer.address())) return;
        throw Fault.of(FaultCode.NO_PERM, "server '%s' is no replica of the management service", peer.address())
                .remedy("set the same access_points in every configuration file")
                .asException();
    }

    /** NO_PERM when a server speaks for another one. */
    static void requireSame(String what, String claimed, RpcCall.Peer peer) {
        if (claimed.equals(peer.address())) return;
        throw Fault.of(FaultCode.NO_PERM, "%s of '%s' comes from server '%s'", what, claimed, peer.address())
                .remedy("a node speaks for itself only; set its own address in its configuration file")
                .asException();
    }
}
