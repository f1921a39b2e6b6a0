package io.daosmesh.management.raft;

import io.daosmesh.model.rpc.Rpc;
import org.apache.ratis.conf.Parameters;
import org.apache.ratis.rpc.RpcFactory;
import org.apache.ratis.rpc.RpcType;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.RaftServerRpc;
import org.apache.ratis.server.ServerFactory;

/** Names {@link RaftWire} to Ratis, which makes it by class name. Immutable. */
public final class MeshRpcType implements RpcType {
    /** Key of the transport in Ratis's parameters. */
    static final String RPC = "mesh.rpc";

    /** Key of this node's identities. */
    static final String IDS = "mesh.ids";

    @Override
    public String name() {
        return MeshRpcType.class.getName();
    }

    @Override
    public RpcFactory newFactory(Parameters parameters) {
        return new Factory(parameters.getNonNull(RPC, Rpc.class), parameters.getNonNull(IDS, ReplicaIds.class));
    }

    private record Factory(Rpc rpc, ReplicaIds ids) implements ServerFactory {
        @Override
        public RaftServerRpc newRaftServerRpc(RaftServer server) {
            return new RaftWire(server, rpc, ids);
        }

        @Override
        public RpcType getRpcType() {
            return new MeshRpcType();
        }
    }
}
