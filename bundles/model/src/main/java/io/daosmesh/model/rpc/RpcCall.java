package io.daosmesh.model.rpc;

import io.daosmesh.model.access.User;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * An incoming request.
 *
 * @param peer who asks; its role has been checked against the table
 * @param rank destination rank, {@link Endpoint#NODE} for the node
 * @param deadlineMs what is left of the caller's deadline on arrival; 0 = none given
 * @param body the method's request message, ready for {@code parseFrom}
 * @param data bulk bytes, direct, read only in effect; body and data are valid until the Mono or Flux that the handler
 *     returned has ended: the transport releases them then and nobody else does
 */
public record RpcCall(RpcMethod method, Peer peer, int rank, int deadlineMs, ByteBuffer body, ByteBuffer data) {
    /**
     * The other side of a connection as its SETUP and certificate say.
     *
     * @param rank -1 when it is not a rank
     * @param address control address of a server, else empty
     * @param user on whose behalf a client calls; empty for servers, administrators and agents themselves
     * @param remote IP address that the connection comes from; empty when it comes from nowhere, in tests
     * @param claim who an administrator says it is: never proven, for people who read the record; empty for all others
     */
    public record Peer(
            Role role,
            int rank,
            long incarnation,
            String address,
            String release,
            Optional<User> user,
            String remote,
            String claim) {
        /** A peer that stands for itself. */
        public Peer(Role role, int rank, long incarnation, String address, String release) {
            this(role, rank, incarnation, address, release, Optional.empty());
        }

        public Peer(Role role, int rank, long incarnation, String address, String release, Optional<User> user) {
            this(role, rank, incarnation, address, release, user, "");
        }

        public Peer(
                Role role,
                int rank,
                long incarnation,
                String address,
                String release,
                Optional<User> user,
                String remote) {
            this(role, rank, incarnation, address, release, user, remote, "");
        }
    }
}
