package io.daosmesh.swim;

import java.util.List;

/** What this member says: composes its messages, each with the gossip that is due, and counts them. Owner: membership loop. */
final class Outbox {
    private final int selfRank;
    private final Members members;
    private final Dice dice;
    private long sequence;
    private long sent;

    Outbox(int selfRank, Members members, Dice dice) {
        this.selfRank = selfRank;
        this.members = members;
        this.dice = dice;
    }

    /** Of a question whose answer is waited for; others carry 0. */
    long nextSequence() {
        return ++sequence;
    }

    long sentCount() {
        return sent;
    }

    void ping(long nowNs, int toRank, long pingSequence, SwimEffects out) {
        sent++;
        out.sendPing(toRank, message(nowNs, toRank, pingSequence, toRank, false));
    }

    void pingReq(long nowNs, int helper, Pending.Probe probe, boolean isRefused, SwimEffects out) {
        sent++;
        out.sendPingReq(helper, message(nowNs, helper, probe.sequence, probe.target, isRefused));
    }

    /** Answers a ping; what its sender has wrong comes first. */
    void answer(long nowNs, SwimMessage ping, List<Member> corrections, SwimEffects out) {
        sent++;
        out.sendAck(ping.from(), message(nowNs, ping.from(), ping.sequence(), ping.target(), corrections));
    }

    void ack(long nowNs, int toRank, long originSequence, int target, SwimEffects out) {
        sent++;
        out.sendAck(toRank, message(nowNs, toRank, originSequence, target, false));
    }

    void nack(long nowNs, int toRank, long originSequence, int target, boolean isRefused, SwimEffects out) {
        sent++;
        out.sendNack(toRank, message(nowNs, toRank, originSequence, target, isRefused));
    }

    /** News to some members at once instead of with the next ping. */
    void push(long nowNs, int count, SwimEffects out) {
        for (Member member : members.pickAlive(dice, count, -1)) {
            ping(nowNs, member.rank, 0, out);
        }
    }

    /** What is believed of this member, to somebody else who may know better. */
    void tell(long nowNs, Member about, SwimEffects out) {
        for (Member listener : members.pickAlive(dice, 1, about.rank)) {
            sent++;
            out.sendPing(listener.rank, message(nowNs, listener.rank, 0, listener.rank, List.of(about)));
        }
    }

    private SwimMessage message(long nowNs, int toRank, long messageSequence, int target, boolean isRefused) {
        List<SwimUpdate> updates = members.updatesFor(nowNs, members.find(toRank), List.of());
        return new SwimMessage(selfRank, members.selfIncarnation(), messageSequence, target, isRefused, updates);
    }

    private SwimMessage message(long nowNs, int toRank, long messageSequence, int target, List<Member> first) {
        List<SwimUpdate> updates = members.updatesFor(nowNs, members.find(toRank), first);
        return new SwimMessage(selfRank, members.selfIncarnation(), messageSequence, target, false, updates);
    }
}
