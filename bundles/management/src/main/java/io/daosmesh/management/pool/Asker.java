package io.daosmesh.management.pool;

import com.google.protobuf.ByteString;
import io.daosmesh.model.access.User;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.RpcCall;
import java.util.Optional;

/**
 * Who asks a pool's service for something, and the handle that he shows. Immutable. A client needs one; administrators and
 * servers do not: what they may do is said by their role alone.
 */
public record Asker(boolean isClient, Optional<User> user, ByteString handle) {
    public static Asker of(RpcCall.Peer peer, ByteString handle) {
        return new Asker(peer.role() == Role.AGENT, peer.user(), handle);
    }

    /** NO_PERM when it speaks for nobody: an agent itself opens nothing. */
    public User required() {
        return user.orElseThrow(() -> Fault.of(FaultCode.NO_PERM, "the connection carries no credential of a user")
                .remedy("run the agent on this machine, and the program with its configuration")
                .asException());
    }
}
