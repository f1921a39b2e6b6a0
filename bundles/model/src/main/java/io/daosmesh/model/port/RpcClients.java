package io.daosmesh.model.port;

import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.Rpc;

/**
 * Calls under another certificate than the node's own: what an administrator asks for at the console of a node is asked for as
 * an administrator. Published by the transport. Any thread.
 */
public interface RpcClients {
    /**
     * Connects nowhere yet. NO_CERT or BAD_CERT when the certificates cannot be used, NO_PERM for keys others can read.
     *
     * @param claim who asks, for the record of the servers
     */
    Client open(Role role, String system, NodeConfig.Tls tls, String claim);

    /** With threads and connections of its own, until it is closed. */
    interface Client extends AutoCloseable {
        Rpc rpc();

        @Override
        void close();
    }
}
