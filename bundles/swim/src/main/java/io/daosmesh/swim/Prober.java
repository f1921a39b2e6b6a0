package io.daosmesh.swim;

import io.daosmesh.swim.Pending.Probe;
import io.daosmesh.swim.Pending.Relay;

/** Asks members whether they live: directly, through helpers, and for others. Owner: membership loop. */
final class Prober {
    private final SwimConfig config;
    private final Members members;
    private final LocalHealth health;
    private final Outbox outbox;
    private final Accuser accuser;
    private final Dice dice;
    private final Pending pending;
    private long failed;

    Prober(SwimConfig config, Members members, LocalHealth health, Outbox outbox, Accuser accuser, Dice dice) {
        this.config = config;
        this.members = members;
        this.health = health;
        this.outbox = outbox;
        this.accuser = accuser;
        this.dice = dice;
        this.pending = new Pending(config.limits().pendingMax());
    }

    long failedCount() {
        return failed;
    }

    /** No answer is waited for, its own or one for others. */
    boolean isIdle() {
        return pending.isEmpty();
    }

    /** Answers that are due by now. */
    void onTick(long nowNs, SwimEffects out) {
        pending.eachProbe(probe -> advance(nowNs, probe, out));
        pending.eachRelay(relay -> nackInTime(nowNs, relay, out));
        pending.dropRelays(relay -> nowNs >= relay.dropAtNs);
    }

    /** This member slept: its waits go on from here. */
    void shift(long byNs) {
        pending.shift(byNs);
    }

    void forget(int rank) {
        pending.forget(rank);
    }

    /** The next member in turn. */
    void probeNext(long nowNs, SwimEffects out) {
        for (int i = members.order.count(); i > 0; i--) {
            Member target = members.find(members.order.next());
            if (target != null && target.state != MemberState.DEAD && target.state != MemberState.RESTARTING) {
                probe(nowNs, target, false, out);
                return;
            }
        }
    }

    /** A probe out of turn, at most one in a ping timeout and member. */
    void probeUrgently(long nowNs, Member member, SwimEffects out) {
        if (!member.isAccusable() || nowNs - member.urgentNs < config.probe().pingTimeoutNs() / 2) {
            return;
        }
        member.urgentNs = nowNs;
        probe(nowNs, member, true, out);
    }

    /**
     * An accusation by hearsay is checked by about 2 K members at once: in a small mesh their turn to probe the
     * suspect might come too late to confirm, in a large one everybody doing so would be a storm.
     */
    void maybeVerify(long nowNs, Member suspect, SwimEffects out) {
        int checkersWanted = 2 * Math.max(1, config.suspect().confirmationsMax());
        int othersCount = Math.max(1, members.liveCount() - 1);
        if (dice.nextInt(othersCount) < checkersWanted && !pending.isProbing(suspect.rank)) {
            probe(nowNs, suspect, false, out);
        }
    }

    /** Somebody wants the target of its message to be asked from here. */
    void probeFor(long nowNs, SwimMessage request, SwimEffects out) {
        Member target = members.find(request.target());
        boolean isRefused = target != null && nowNs - target.refusedNs < config.evidenceNs();
        if (target == null || isRefused || pending.isRelayFull()) {
            outbox.nack(nowNs, request.from(), request.sequence(), request.target(), isRefused, out);
            return;
        }
        SwimConfig.Probe times = config.probe();
        // 80 % of the origin's wait: the nack must be back before the origin judges
        long nackAtNs = nowNs + times.indirectTimeoutNs() * 4 / 5;
        long dropAtNs = nowNs + 2 * times.indirectTimeoutNs();
        Relay relay = new Relay(outbox.nextSequence(), request, nackAtNs, dropAtNs);
        pending.add(relay);
        outbox.ping(nowNs, target.rank, relay.sequence, out);
    }

    void onAck(long nowNs, SwimMessage message, SwimEffects out) {
        Probe probe = pending.findProbe(message.sequence());
        if (probe != null && probe.target == message.target()) {
            pending.remove(probe);
            health.add(-1);
            Member target = members.find(probe.target);
            if (target != null && message.from() == probe.target) {
                target.contactNs = Math.max(target.contactNs, probe.sentNs);
            }
        }
        Relay relay = pending.takeRelay(message.sequence());
        if (relay != null) {
            outbox.ack(nowNs, relay.origin, relay.originSequence, relay.target, out);
        }
    }

    /** True when the nack belongs to a probe under way. */
    boolean onNack(SwimMessage message) {
        Probe probe = pending.findProbe(message.sequence());
        if (probe == null || probe.target != message.target()) {
            return false;
        }
        probe.nackCount++;
        return true;
    }

    /** Whoever has asked for a probe of the rank learns at once that its connections are refused here, too. */
    void onRefused(long nowNs, int rank, SwimEffects out) {
        pending.eachRelay(relay -> {
            if (relay.target == rank && !relay.isNackSent) {
                relay.isNackSent = true;
                outbox.nack(nowNs, relay.origin, relay.originSequence, rank, true, out);
            }
        });
    }

    /** True when the probe is over. */
    private boolean advance(long nowNs, Probe probe, SwimEffects out) {
        Member target = members.find(probe.target);
        if (target == null || target.state == MemberState.DEAD) {
            return true;
        }
        if (!probe.isIndirectSent && nowNs >= probe.indirectAtNs) {
            sendIndirect(nowNs, probe, target, out);
        }
        if (nowNs < probe.failAtNs) {
            return false;
        }
        failed++;
        // helpers that answered nack show that this member hears well (Lifeguard, section 4.1)
        health.add(probe.helperCount == 0 ? 1 : Math.max(0, probe.helperCount - probe.nackCount));
        boolean isBooting = target.state == MemberState.INACTIVE
                && nowNs - target.sinceNs < config.suspect().bootGraceNs();
        boolean isRefused = nowNs - target.refusedNs < config.evidenceNs();
        if (!isRefused && members.mayBeOutage() && health.isDeafSince(probe.sentNs)) {
            members.doubt(nowNs, target, out);
        } else if (!isBooting) {
            accuser.accuse(nowNs, target, out);
        }
        return true;
    }

    private void nackInTime(long nowNs, Relay relay, SwimEffects out) {
        if (!relay.isNackSent && nowNs >= relay.nackAtNs) {
            relay.isNackSent = true;
            outbox.nack(nowNs, relay.origin, relay.originSequence, relay.target, false, out);
        }
    }

    private void probe(long nowNs, Member target, boolean isUrgent, SwimEffects out) {
        if (pending.isFull()) {
            return;
        }
        long directNs = isUrgent ? 0 : health.stretch(config.probe().pingTimeoutNs());
        long indirectNs = health.stretch(config.probe().indirectTimeoutNs());
        if (isUrgent) {
            indirectNs += config.probe().pingTimeoutNs();
        }
        Probe probe =
                new Probe(outbox.nextSequence(), target.rank, nowNs, nowNs + directNs, nowNs + directNs + indirectNs);
        pending.add(probe);
        outbox.ping(nowNs, target.rank, probe.sequence, out);
        if (isUrgent) {
            sendIndirect(nowNs, probe, target, out);
        }
    }

    /** Helpers, and the target once more: one lost datagram should not cost anybody its good name. */
    private void sendIndirect(long nowNs, Probe probe, Member target, SwimEffects out) {
        probe.isIndirectSent = true;
        boolean isRefused = nowNs - target.refusedNs < config.evidenceNs();
        for (Member helper : members.pickAlive(dice, config.limits().helpersMax(), target.rank)) {
            probe.helperCount++;
            outbox.pingReq(nowNs, helper.rank, probe, isRefused, out);
        }
        if (nowNs >= probe.indirectAtNs && !isRefused) {
            outbox.ping(nowNs, target.rank, probe.sequence, out);
        }
    }
}
