package io.daosmesh.swim;

import org.jspecify.annotations.Nullable;

/**
 * Failure detection of one rank: SWIM (Das, Gupta, Motivala, DSN 2002) with incarnations, suspicion and indirect
 * probes, Lifeguard (Dadgar, Phillips, Currey, arXiv 1707.00788), announced absences, and refused connections as
 * evidence. Pure: time comes in as {@code nowNs} (monotonic, one clock for all inputs), effects go out.
 * Owner: membership loop.
 *
 * <p>Here is what can happen and the member's sense of its own time; {@link Prober} asks, {@link Hearsay} listens,
 * {@link Accuser} judges, {@link Outbox} speaks, {@link Members} is what is known.
 *
 * <p>The loop calls {@link #onTick} every {@link SwimConfig.Probe#tickNs}, or when {@link #sleep} says, and hands in what it
 * received. Tables of rules and the derivation of the times: {@code docs/swim.md}.
 */
public final class Swim {
    /** Every so many probes one DEAD member is told what is believed of it: a healed partition has to start somewhere. */
    private static final int DEAD_CONTACT_PERIODS = 5;

    /** Members to which an announced absence is sent at once: the announcer may be gone before its next ping. */
    private static final int ANNOUNCE_COUNT = 16;

    private final SwimConfig config;
    private final int selfRank;
    private final Dice dice;
    private final LocalHealth health;
    private final Members members;
    private final Outbox outbox;
    private final Accuser accuser;
    private final Prober prober;
    private final Hearsay hearsay;

    private long nextProbeNs = Member.NEVER_NS;
    private long lastTickNs = Member.NEVER_NS;
    /** The loop comes again by then, or has slept. */
    private long dueNs;

    private long probeTurn;
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
        this.outbox = new Outbox(selfRank, members, dice);
        this.accuser = new Accuser(config, selfRank, members, outbox);
        this.prober = new Prober(config, members, health, outbox, accuser, dice);
        this.hearsay = new Hearsay(config, selfRank, members, health, outbox, prober);
    }

    /** The membership list names a rank; known ranks and this one itself may be named again. */
    public void onMember(long nowNs, int rank, long incarnation, SwimEffects out) {
        members.list(nowNs, rank, incarnation, out);
    }

    /** The rank left the membership list. */
    public void onMemberGone(int rank) {
        members.unlist(rank);
        prober.forget(rank);
    }

    /** One turn of the loop: late answers, ended suspicions, next probe. */
    public void onTick(long nowNs, SwimEffects out) {
        notice(nowNs);
        guardAgainstOutage(nowNs);
        lastTickNs = nowNs;
        dueNs = nowNs + config.probe().tickNs();
        if (members.isSelfOverdue(nowNs)) {
            announceAlive(nowNs, out);
        }
        prober.onTick(nowNs, out);
        accuser.onTick(nowNs, out);
        if (nowNs >= nextProbeNs) {
            nextProbeNs = Math.max(nextProbeNs, nowNs - config.probe().tickNs())
                    + health.stretch(config.probe().periodNs());
            probeTurn++;
            prober.probeNext(nowNs, out);
            accuser.pingSuspects(nowNs, out);
            if (probeTurn % DEAD_CONTACT_PERIODS == 0) {
                accuser.contactDead(nowNs, out);
            }
        }
    }

    /**
     * For a loop that saves its wake-ups: when it has to come again after this turn. While nobody is asked, suspected or away
     * that is the next probe; what comes in meanwhile starts waits that are longer.
     */
    public long sleep(long nowNs) {
        long tickNs = config.probe().tickNs();
        long quietNs = Math.min(nextProbeNs - nowNs, config.probe().pingTimeoutNs() * 3 / 4);
        boolean isQuiet = prober.isIdle() && members.isCalm();
        dueNs = nowNs + (isQuiet ? Math.max(tickNs, quietNs) : tickNs);
        return dueNs;
    }

    public void onPing(long nowNs, SwimMessage message, SwimEffects out) {
        absorb(nowNs, message, out);
        outbox.answer(nowNs, message, hearsay.corrections(), out);
    }

    /** The sender asks this member to probe the target. */
    public void onPingReq(long nowNs, SwimMessage message, SwimEffects out) {
        absorb(nowNs, message, out);
        accuser.refusedElsewhere(nowNs, message, out);
        prober.probeFor(nowNs, message, out);
    }

    public void onAck(long nowNs, SwimMessage message, SwimEffects out) {
        boolean isCurrent = absorb(nowNs, message, out);
        // through a helper the ack comes from the helper: what counts is whose probe it answers
        if (isCurrent || message.from() != message.target()) {
            prober.onAck(nowNs, message, out);
        }
    }

    /** A helper could not reach the target either, but it is awake, so this member is not the slow one. */
    public void onNack(long nowNs, SwimMessage message, SwimEffects out) {
        absorb(nowNs, message, out);
        if (prober.onNack(message)) {
            accuser.refusedElsewhere(nowNs, message, out);
        }
    }

    /** An open connection to the rank ended: ask it and helpers at once. A swap of bundles looks like this, too. */
    public void onPeerClosed(long nowNs, int rank, SwimEffects out) {
        notice(nowNs);
        Member member = members.find(rank);
        if (member != null) {
            prober.probeUrgently(nowNs, member, out);
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
        prober.onRefused(nowNs, rank, out);
        if (!accuser.giveUpIfConfirmed(nowNs, member, out)) {
            prober.probeUrgently(nowNs, member, out);
            if (member.state == MemberState.ALIVE && members.count(MemberState.ALIVE) == 1) {
                accuser.accuse(nowNs, member, out); // nobody is left who could confirm: do not wait for the probe
            }
        }
    }

    /** This rank will be away for at most {@code forNs}; told to others at once, since it may stop right after. */
    public void announceRestart(long nowNs, long forNs, SwimEffects out) {
        long boundedNs = Math.min(forNs, config.suspect().restartMaxNs());
        members.announceSelf(MemberState.RESTARTING, nowNs + boundedNs, out);
        outbox.push(nowNs, ANNOUNCE_COUNT, out);
    }

    /** The announced absence is over, or was called off. */
    public void announceAlive(long nowNs, SwimEffects out) {
        members.announceSelf(MemberState.ALIVE, nowNs, out);
        outbox.push(nowNs, ANNOUNCE_COUNT, out);
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
     * When this member last knew that it belongs to the majority: since then more than half of the listed members (this
     * one and the DEAD ones included) have answered pings. Above {@value Members#CONTACTS_MAX} others it is a sample:
     * that many different members, drawn at random, have answered. Far in the past when there was no such moment.
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
                new SwimCounts.Traffic(probeTurn, prober.failedCount(), hearsay.receivedCount(), outbox.sentCount()),
                new SwimCounts.Verdicts(members.suspicions, members.deaths, members.refutations, lateLoops),
                members.gossipQueued());
    }

    /** A loop that slept (pause, collection, starved machine) judges nobody by that time and trusts itself less. */
    private void notice(long nowNs) {
        if (lastTickNs == Member.NEVER_NS) {
            lastTickNs = nowNs;
            dueNs = nowNs + config.probe().tickNs();
            health.heard(nowNs);
            nextProbeNs = nowNs + (dice.nextLong() >>> 1) % config.probe().periodNs();
            return;
        }
        long lateNs = nowNs - dueNs;
        if (lateNs >= config.probe().lateNs()) {
            prober.shift(lateNs);
            members.shiftSuspicions(nowNs, lateNs, false);
            health.shift(lateNs);
            lastTickNs = nowNs;
            dueNs = nowNs + config.probe().tickNs();
            lateLoops++;
            health.add(1);
        }
    }

    /** Nothing from anybody: this member is cut off, so it gives up nobody (DAOS: "network outage detected"). */
    private void guardAgainstOutage(long nowNs) {
        if (members.mayBeOutage() && health.isDeafSince(nowNs - config.outageNs())) {
            members.shiftSuspicions(nowNs, nowNs - lastTickNs, true);
        }
    }

    private boolean absorb(long nowNs, SwimMessage message, SwimEffects out) {
        notice(nowNs);
        health.heard(nowNs);
        members.endDoubts(nowNs, out);
        return hearsay.absorb(nowNs, message, out);
    }
}
