package io.daosmesh.swim;

import io.daosmesh.swim.Pending.Probe;
import io.daosmesh.swim.Pending.Relay;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Failure detection of one rank: SWIM (Das, Gupta, Motivala, DSN 2002) with incarnations, suspicion and indirect
 * probes, Lifeguard (Dadgar, Phillips, Currey, arXiv 1707.00788), announced absences, and refused connections as
 * evidence. Pure: time comes in as {@code nowNs} (monotonic, one clock for all inputs), effects go out.
 * Owner: membership loop.
 *
 * <p>The loop calls {@link #onTick} every {@link SwimConfig.Probe#tickNs} and hands in what it received. Tables of
 * rules and the derivation of the times: {@code docs/swim.md}.
 */
public final class Swim {
    /** Every so many probes one DEAD member is told what is believed of it: a healed partition has to start somewhere. */
    private static final int DEAD_CONTACT_PERIODS = 5;

    /** Suspects of our own accusing that are pinged again each period: each ping is one more chance to refute. */
    private static final int SUSPECT_PINGS_MAX = 2;

    /** Members to which a verdict is sent at once instead of with the next ping. */
    private static final int PUSH_COUNT = 2;

    /** Members to which an announced absence is sent at once: the announcer may be gone before its next ping. */
    private static final int ANNOUNCE_COUNT = 16;

    private final SwimConfig config;
    private final int selfRank;
    private final Dice dice;
    private final LocalHealth health;
    private final Members members;
    private final Pending pending;

    private long sequence;
    private long nextProbeNs = Member.NEVER_NS;
    private long lastTickNs = Member.NEVER_NS;
    private long lastHeardNs;
    private long probeTurn;
    private int suspectTurn;
    private long probesFailed;
    private long received;
    private long sent;
    private long lateLoops;

    /**
     * @param incarnation of this life of the rank: the hybrid logical clock at its start
     * @param seed of the order in which members are asked
     */
    public Swim(SwimConfig config, int selfRank, long incarnation, long seed) {
        this.config = config;
        this.selfRank = selfRank;
        this.dice = new Dice(seed);
        this.health = new LocalHealth(config.limits().healthMax());
        this.members = new Members(config, selfRank, incarnation, dice);
        this.pending = new Pending(config.limits().pendingMax());
    }

    /** The membership list names a rank; known ranks and this one itself may be named again. */
    public void onMember(long nowNs, int rank, long incarnation, SwimEffects out) {
        members.list(nowNs, rank, incarnation, out);
    }

    /** The rank left the membership list. */
    public void onMemberGone(int rank) {
        members.unlist(rank);
        pending.forget(rank);
    }

    /** One turn of the loop: late answers, ended suspicions, next probe. */
    public void onTick(long nowNs, SwimEffects out) {
        notice(nowNs);
        guardAgainstOutage(nowNs);
        lastTickNs = nowNs;
        if (members.isSelfOverdue(nowNs)) {
            announceAlive(nowNs, out);
        }
        pending.eachProbe(probe -> advance(nowNs, probe, out));
        pending.eachRelay(relay -> nackInTime(nowNs, relay, out));
        pending.dropRelays(relay -> nowNs >= relay.dropAtNs);
        lastCalls(nowNs, out);
        if (members.onTick(nowNs, out)) {
            push(nowNs, PUSH_COUNT, out);
        }
        if (nowNs >= nextProbeNs) {
            nextProbeNs = Math.max(nextProbeNs, nowNs - config.probe().tickNs())
                    + health.stretch(config.probe().periodNs());
            probeTurn++;
            probeNext(nowNs, out);
            pingSuspects(nowNs, out);
            if (probeTurn % DEAD_CONTACT_PERIODS == 0) {
                contactDead(nowNs, out);
            }
        }
    }

    public void onPing(long nowNs, SwimMessage message, SwimEffects out) {
        absorb(nowNs, message, out);
        sent++;
        out.sendAck(message.from(), message(nowNs, message.from(), message.sequence(), message.target(), false));
    }

    /** The sender asks this member to probe the target. */
    public void onPingReq(long nowNs, SwimMessage message, SwimEffects out) {
        absorb(nowNs, message, out);
        Member target = members.find(message.target());
        if (target != null && message.refused()) {
            target.refusedElsewhereNs = nowNs;
            target.refusedElsewhereBy = message.from();
            giveUpIfConfirmed(nowNs, target, out);
        }
        boolean isRefused = target != null && nowNs - target.refusedNs < config.evidenceNs();
        if (target == null || isRefused || pending.isRelayFull()) {
            sendNack(nowNs, message.from(), message.sequence(), message.target(), isRefused, out);
            return;
        }
        SwimConfig.Probe times = config.probe();
        // 80 % of the origin's wait: the nack must be back before the origin judges
        long nackAtNs = nowNs + times.indirectTimeoutNs() * 4 / 5;
        long dropAtNs = nowNs + 2 * times.indirectTimeoutNs();
        Relay relay = new Relay(++sequence, message, nackAtNs, dropAtNs);
        pending.add(relay);
        sendPing(nowNs, target.rank, relay.sequence, out);
    }

    public void onAck(long nowNs, SwimMessage message, SwimEffects out) {
        boolean isCurrent = absorb(nowNs, message, out);
        // through a helper the ack comes from the helper: what counts is whose probe it answers
        if (message.from() == message.target() && !isCurrent) {
            return;
        }
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
            sent++;
            out.sendAck(relay.origin, message(nowNs, relay.origin, relay.originSequence, relay.target, false));
        }
    }

    /** A helper could not reach the target either, but it is awake, so this member is not the slow one. */
    public void onNack(long nowNs, SwimMessage message, SwimEffects out) {
        absorb(nowNs, message, out);
        Probe probe = pending.findProbe(message.sequence());
        if (probe == null || probe.target != message.target()) {
            return;
        }
        probe.nackCount++;
        Member target = members.find(message.target());
        if (target != null && message.refused()) {
            target.refusedElsewhereNs = nowNs;
            target.refusedElsewhereBy = message.from();
            giveUpIfConfirmed(nowNs, target, out);
        }
    }

    /** An open connection to the rank ended: ask it and helpers at once. A swap of bundles looks like this, too. */
    public void onPeerClosed(long nowNs, int rank, SwimEffects out) {
        notice(nowNs);
        Member member = members.find(rank);
        if (member != null) {
            probeUrgently(nowNs, member, out);
        }
    }

    /** Nobody listens at the rank's address. Confirmed by a second member this is death at once. */
    public void onPeerRefused(long nowNs, int rank, SwimEffects out) {
        notice(nowNs);
        Member member = members.find(rank);
        if (member == null) {
            return;
        }
        member.refusedNs = nowNs;
        pending.eachRelay(relay -> {
            if (relay.target == rank && !relay.isNackSent) {
                relay.isNackSent = true;
                sendNack(nowNs, relay.origin, relay.originSequence, rank, true, out);
            }
        });
        if (!giveUpIfConfirmed(nowNs, member, out)) {
            probeUrgently(nowNs, member, out);
            if (member.state == MemberState.ALIVE && members.count(MemberState.ALIVE) == 1) {
                accuse(nowNs, member, out); // nobody is left who could confirm: at least do not wait for the probe
            }
        }
    }

    /** This rank will be away for at most {@code forNs}; told to others at once, since it may stop right after. */
    public void announceRestart(long nowNs, long forNs, SwimEffects out) {
        long boundedNs = Math.min(forNs, config.suspect().restartMaxNs());
        members.announceSelf(MemberState.RESTARTING, nowNs + boundedNs, out);
        push(nowNs, ANNOUNCE_COUNT, out);
    }

    /** The announced absence is over, or was called off. */
    public void announceAlive(long nowNs, SwimEffects out) {
        members.announceSelf(MemberState.ALIVE, nowNs, out);
        push(nowNs, ANNOUNCE_COUNT, out);
    }

    /** What is believed of a rank; this member believes itself. Null for a rank that is not a member. */
    public @Nullable MemberState state(int rank) {
        if (rank == selfRank) {
            return members.selfState();
        }
        Member member = members.find(rank);
        return member == null ? null : member.state;
    }

    /**
     * When this member last knew that it belongs to the majority: since then more than half of the live members (this
     * one included) have answered pings. Above {@value Members#CONTACTS_MAX} others it is a sample: that many different
     * members, drawn at random, have answered. Far in the past when there was no such moment.
     */
    public long lastMajorityContactNs(long nowNs) {
        return members.lastMajorityContactNs(nowNs);
    }

    public long selfIncarnation() {
        return members.selfIncarnation();
    }

    public SwimCounts counts() {
        return new SwimCounts(
                members.countsByState(),
                health.score(),
                new SwimCounts.Traffic(probeTurn, probesFailed, received, sent),
                new SwimCounts.Verdicts(members.suspicions, members.deaths, members.refutations, lateLoops),
                members.gossipQueued());
    }

    /** A loop that slept (pause, collection, starved machine) judges nobody by that time and trusts itself less. */
    private void notice(long nowNs) {
        if (lastTickNs == Member.NEVER_NS) {
            lastTickNs = nowNs;
            lastHeardNs = nowNs;
            nextProbeNs = nowNs + (dice.nextLong() >>> 1) % config.probe().periodNs();
            return;
        }
        long lateNs = nowNs - lastTickNs - config.probe().tickNs();
        if (lateNs >= config.probe().lateNs()) {
            pending.shift(lateNs);
            members.shiftSuspicions(nowNs, lateNs, false);
            lastHeardNs += lateNs;
            lastTickNs = nowNs;
            lateLoops++;
            health.add(1);
        }
    }

    /** Nothing from anybody: this member is cut off, so it gives up nobody (DAOS: "network outage detected"). */
    private void guardAgainstOutage(long nowNs) {
        boolean mayBeOutage = members.count(MemberState.ALIVE) + members.count(MemberState.SUSPECT) >= 2;
        if (mayBeOutage && nowNs - lastHeardNs > config.outageNs()) {
            members.shiftSuspicions(nowNs, nowNs - lastTickNs, true);
        }
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
        probesFailed++;
        // helpers that answered nack show that this member hears well (Lifeguard, section 4.1)
        health.add(probe.helperCount == 0 ? 1 : Math.max(0, probe.helperCount - probe.nackCount));
        boolean isBooting = target.state == MemberState.INACTIVE
                && nowNs - target.sinceNs < config.suspect().bootGraceNs();
        if (!isBooting) {
            accuse(nowNs, target, out);
        }
        return true;
    }

    private void accuse(long nowNs, Member target, SwimEffects out) {
        if (members.suspect(nowNs, target, target.incarnation, List.of(selfRank), out)) {
            sendPing(nowNs, target.rank, 0, out);
            push(nowNs, PUSH_COUNT, out);
        }
    }

    private void nackInTime(long nowNs, Relay relay, SwimEffects out) {
        if (!relay.isNackSent && nowNs >= relay.nackAtNs) {
            relay.isNackSent = true;
            sendNack(nowNs, relay.origin, relay.originSequence, relay.target, false, out);
        }
    }

    private void probeNext(long nowNs, SwimEffects out) {
        for (int i = members.order.count(); i > 0; i--) {
            Member target = members.find(members.order.next());
            if (target != null && target.state != MemberState.DEAD && target.state != MemberState.RESTARTING) {
                probe(nowNs, target, false, out);
                return;
            }
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
        Probe probe = new Probe(++sequence, target.rank, nowNs, nowNs + directNs, nowNs + directNs + indirectNs);
        pending.add(probe);
        sendPing(nowNs, target.rank, probe.sequence, out);
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
            sent++;
            out.sendPingReq(helper.rank, message(nowNs, helper.rank, probe.sequence, target.rank, isRefused));
        }
        if (nowNs >= probe.indirectAtNs && !isRefused) {
            sendPing(nowNs, target.rank, probe.sequence, out);
        }
    }

    /** A probe out of turn, at most one in a ping timeout and member. */
    private void probeUrgently(long nowNs, Member member, SwimEffects out) {
        boolean isAccusable = member.state == MemberState.ALIVE || member.state == MemberState.SUSPECT;
        if (!isAccusable || nowNs - member.urgentNs < config.probe().pingTimeoutNs() / 2) {
            return;
        }
        member.urgentNs = nowNs;
        probe(nowNs, member, true, out);
    }

    private boolean giveUpIfConfirmed(long nowNs, Member member, SwimEffects out) {
        boolean isAccusable = member.state == MemberState.ALIVE || member.state == MemberState.SUSPECT;
        boolean isOwn = nowNs - member.refusedNs < config.evidenceNs();
        boolean isElsewhere = nowNs - member.refusedElsewhereNs < config.evidenceNs();
        if (!isAccusable || !isOwn || !isElsewhere) {
            return false;
        }
        String reason = "connection refused, confirmed by rank " + member.refusedElsewhereBy;
        members.dead(nowNs, member, member.incarnation, reason, out);
        push(nowNs, PUSH_COUNT, out);
        return true;
    }

    private void pingSuspects(long nowNs, SwimEffects out) {
        List<Member> timed = members.timed();
        int pinged = 0;
        for (int i = 0; i < timed.size() && pinged < SUSPECT_PINGS_MAX; i++) {
            Member member = timed.get((suspectTurn + i) % timed.size());
            Suspicion suspicion = member.suspicion;
            if (suspicion != null && suspicion.isAccusedBy(selfRank)) {
                sendPing(nowNs, member.rank, 0, out);
                pinged++;
            }
        }
        suspectTurn++;
    }

    /**
     * Whoever is about to give up asks once more itself: most false deaths in large lossy meshes are suspicions that
     * were refuted long ago, whose refutation has not come round yet.
     */
    private void lastCalls(long nowNs, SwimEffects out) {
        for (Member member : members.timed()) {
            Suspicion suspicion = member.suspicion;
            if (suspicion != null && suspicion.mayCall(nowNs, config.probe().pingTimeoutNs())) {
                sendPing(nowNs, member.rank, 0, out);
            }
        }
    }

    private void contactDead(long nowNs, SwimEffects out) {
        Member member = members.anyDead();
        if (member != null) {
            sendPing(nowNs, member.rank, 0, out);
        }
    }

    /** True when the sender speaks for its current life and is not given up: only then its word counts. */
    private boolean absorb(long nowNs, SwimMessage message, SwimEffects out) {
        notice(nowNs);
        received++;
        lastHeardNs = nowNs;
        Member sender = members.find(message.from());
        if (sender != null) {
            sender.isStale = message.fromIncarnation() < sender.incarnation;
            boolean isGivenUp = sender.state == MemberState.DEAD && message.fromIncarnation() <= sender.incarnation;
            if (sender.isStale || isGivenUp) {
                hearAboutSelf(nowNs, message, out);
                return false;
            }
        }
        int updatesMax = config.limits().updatesMax() * 2;
        for (SwimUpdate update : message.updates()) {
            if (updatesMax-- == 0) {
                break;
            }
            apply(nowNs, update, out);
        }
        if (sender != null) {
            sender.forgetEvidence();
            members.alive(nowNs, sender, message.fromIncarnation(), "heard from it", out);
        }
        return true;
    }

    private void hearAboutSelf(long nowNs, SwimMessage message, SwimEffects out) {
        for (SwimUpdate update : message.updates()) {
            if (update.rank() == selfRank) {
                apply(nowNs, update, out);
            }
        }
    }

    private void apply(long nowNs, SwimUpdate update, SwimEffects out) {
        if (update.rank() == selfRank) {
            boolean isAccusation = update.state() == MemberState.SUSPECT || update.state() == MemberState.DEAD;
            boolean isFromLaterLife = update.incarnation() > members.selfIncarnation();
            if ((isAccusation || isFromLaterLife) && members.refute(update, out)) {
                health.add(1);
                push(nowNs, PUSH_COUNT, out);
            }
            return;
        }
        Member member = members.find(update.rank());
        if (member == null) {
            return;
        }
        switch (update.state()) {
            case ALIVE -> members.alive(nowNs, member, update.incarnation(), "told by others", out);
            case RESTARTING -> members.restarting(nowNs, member, update, out);
            case DEAD -> members.dead(nowNs, member, update.incarnation(), "told by others", out);
            case SUSPECT -> {
                if (members.suspect(nowNs, member, update.incarnation(), update.accusers(), out)) {
                    maybeVerify(nowNs, member, out);
                }
            }
            case INACTIVE -> {} // says only that the sender knows nothing
        }
    }

    /**
     * An accusation by hearsay is checked by about 2 K members at once: in a small mesh their turn to probe the
     * suspect might come too late to confirm, in a large one everybody doing so would be a storm.
     */
    private void maybeVerify(long nowNs, Member suspect, SwimEffects out) {
        int checkersWanted = 2 * Math.max(1, config.suspect().confirmationsMax());
        int othersCount = Math.max(1, members.liveCount() - 1);
        if (dice.nextInt(othersCount) < checkersWanted && !pending.isProbing(suspect.rank)) {
            probe(nowNs, suspect, false, out);
        }
    }

    private void push(long nowNs, int count, SwimEffects out) {
        for (Member member : members.pickAlive(dice, count, -1)) {
            sendPing(nowNs, member.rank, 0, out);
        }
    }

    private void sendPing(long nowNs, int toRank, long pingSequence, SwimEffects out) {
        sent++;
        out.sendPing(toRank, message(nowNs, toRank, pingSequence, toRank, false));
    }

    private void sendNack(long nowNs, int toRank, long originSequence, int target, boolean isRefused, SwimEffects out) {
        sent++;
        out.sendNack(toRank, message(nowNs, toRank, originSequence, target, isRefused));
    }

    private SwimMessage message(long nowNs, int toRank, long messageSequence, int target, boolean isRefused) {
        List<SwimUpdate> updates = members.updatesFor(nowNs, members.find(toRank));
        return new SwimMessage(selfRank, members.selfIncarnation(), messageSequence, target, isRefused, updates);
    }
}
