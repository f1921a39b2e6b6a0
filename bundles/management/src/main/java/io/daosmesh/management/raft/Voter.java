package io.daosmesh.management.raft;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.wire.RaftVoterMessage;
import java.util.UUID;
import org.apache.ratis.protocol.RaftPeer;

/**
 * One replica of a group as the group's configuration knows it: where it is, and which one it is. A replica that lost its log comes
 * back under the same address with another identity, and is not the voter it was. Immutable.
 *
 * @param address control address of its node
 * @param identity made at its first start; empty for a replica of before there was one
 */
public record Voter(String address, String identity) {
    /** A UUID as text. */
    private static final int IDENTITY_MAX = 36;

    public Voter {
        if (identity.length() > IDENTITY_MAX)
            throw Fault.of(FaultCode.INVAL, "an identity of %d characters", identity.length())
                    .asException();
    }

    /** A replica that begins. */
    public static Voter fresh(String address) {
        return new Voter(address, UUID.randomUUID().toString());
    }

    static Voter of(RaftPeer peer) {
        String identity = peer.getAddress();
        return new Voter(PeerIds.address(peer.getId()), identity == null ? "" : identity);
    }

    static Voter fromWire(RaftVoterMessage m) {
        return new Voter(m.getAddress(), m.getIdentity());
    }

    RaftVoterMessage toWire() {
        return RaftVoterMessage.newBuilder()
                .setAddress(address)
                .setIdentity(identity)
                .build();
    }

    /** The library keeps the address of a peer in its configuration and never looks at it: ours is the id. */
    RaftPeer toPeer() {
        RaftPeer.Builder b = RaftPeer.newBuilder().setId(PeerIds.of(address));
        return (identity.isEmpty() ? b : b.setAddress(identity)).build();
    }

    /** False for another replica at the same address. */
    boolean mayBe(String claimed) {
        return identity.isEmpty() || identity.equals(claimed);
    }
}
