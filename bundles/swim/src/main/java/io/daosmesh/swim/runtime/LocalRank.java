package io.daosmesh.swim.runtime;

import io.daosmesh.model.port.Membership.Liveness;
import io.daosmesh.model.port.RankIdentity;
import io.daosmesh.model.wire.SwimMessage.Kind;
import io.daosmesh.swim.MemberState;
import io.daosmesh.swim.Swim;
import io.daosmesh.swim.SwimConfig;
import io.daosmesh.swim.SwimCounts;
import io.daosmesh.swim.SwimEffects;
import io.daosmesh.swim.SwimMessage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One rank of this node and its protocol. Owner: membership loop; the snapshots are for any thread. */
final class LocalRank implements SwimEffects {
    private static final Logger LOG = LoggerFactory.getLogger(LocalRank.class);

    /** What the loop tells others about itself. */
    interface Host {
        void send(int toRank, Kind kind, SwimMessage message);

        void learn(int rank, Liveness liveness, long incarnation, String reason);

        long newIncarnation();
    }

    private final RankIdentity identity;
    private final Host host;
    private final Swim swim;
    private volatile long majorityContactNs;
    private volatile SwimCounts counts;

    LocalRank(RankIdentity identity, SwimConfig config, long nowNs, Host host) {
        this.identity = identity;
        this.host = host;
        // not the identity's: when this bundle is replaced, the announced absence has used a later one already
        long incarnation = Math.max(identity.incarnation(), host.newIncarnation());
        // the incarnation differs at each start and between ranks: good enough to spread the phases of the probes
        this.swim = new Swim(config, identity.rank(), incarnation, incarnation ^ identity.rank());
        this.majorityContactNs = nowNs;
        this.counts = swim.counts();
        host.learn(identity.rank(), Liveness.ALIVE, incarnation, "started here");
    }

    Swim swim() {
        return swim;
    }

    int rank() {
        return identity.rank();
    }

    RankIdentity identity() {
        return identity;
    }

    void onTick(long nowNs) {
        swim.onTick(nowNs, this);
        majorityContactNs = Math.max(majorityContactNs, swim.lastMajorityContactNs(nowNs));
        counts = swim.counts();
    }

    void onMessage(long nowNs, SwimWire.Received received) {
        switch (received.kind()) {
            case PING -> swim.onPing(nowNs, received.message(), this);
            case PING_REQ -> swim.onPingReq(nowNs, received.message(), this);
            case ACK -> swim.onAck(nowNs, received.message(), this);
            case NACK -> swim.onNack(nowNs, received.message(), this);
        }
    }

    long majorityContactNs() {
        return majorityContactNs;
    }

    SwimCounts counts() {
        return counts;
    }

    @Override
    public void sendPing(int toRank, SwimMessage message) {
        host.send(toRank, Kind.PING, message);
    }

    @Override
    public void sendPingReq(int toRank, SwimMessage message) {
        host.send(toRank, Kind.PING_REQ, message);
    }

    @Override
    public void sendAck(int toRank, SwimMessage message) {
        host.send(toRank, Kind.ACK, message);
    }

    @Override
    public void sendNack(int toRank, SwimMessage message) {
        host.send(toRank, Kind.NACK, message);
    }

    @Override
    public void onAlive(int rank, long incarnation, String reason) {
        host.learn(rank, Liveness.ALIVE, incarnation, reason);
    }

    @Override
    public void onSuspect(int rank, long incarnation, String reason) {
        host.learn(rank, Liveness.SUSPECT, incarnation, reason);
    }

    @Override
    public void onDead(int rank, long incarnation, String reason) {
        host.learn(rank, Liveness.DEAD, incarnation, reason);
    }

    @Override
    public void onRestarting(int rank, long incarnation, long forNs) {
        host.learn(rank, Liveness.RESTARTING, incarnation, "announced, at most " + forNs / 1_000_000 + " ms");
    }

    @Override
    public void onSelfAccused(MemberState accusation, long newIncarnation) {
        LOG.info("rank {} was believed {}; refuted with {}", rank(), accusation, Long.toHexString(newIncarnation));
        host.learn(rank(), Liveness.ALIVE, newIncarnation, "refuted " + accusation);
    }

    @Override
    public long newIncarnation() {
        return host.newIncarnation();
    }
}
