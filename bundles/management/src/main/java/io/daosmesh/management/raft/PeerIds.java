package io.daosmesh.management.raft;

import org.apache.ratis.protocol.RaftPeerId;

/** A node's control address as a Raft peer id and back. Ratis makes JMX names of ids, which may not hold a colon. */
public final class PeerIds {
    private PeerIds() {}

    public static RaftPeerId of(String address) {
        return RaftPeerId.valueOf(address.replace(':', '~'));
    }

    static String address(RaftPeerId id) {
        return address(id.toString());
    }

    static String address(String id) {
        return id.replace('~', ':');
    }
}
