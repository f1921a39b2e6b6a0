package io.daosmesh.swim;

import java.util.List;

/**
 * From the first doubt about a member to giving it up, and the chances to refute that it gets on the way. Owner:
 * membership loop.
 */
final class Accuser {
    /** Suspects of our own accusing that are pinged again each period: each ping is one more chance to refute. */
    private static final int SUSPECT_PINGS_MAX = 2;

    /** Members to which a verdict is sent at once instead of with the next ping. */
    static final int PUSH_COUNT = 2;

    private final SwimConfig config;
    private final int selfRank;
    private final Members members;
    private final Outbox outbox;
    private int suspectTurn;

    Accuser(SwimConfig config, int selfRank, Members members, Outbox outbox) {
        this.config = config;
        this.selfRank = selfRank;
        this.members = members;
        this.outbox = outbox;
    }

    /** Last calls, suspicions that ran out, announced absences that were overstayed. */
    void onTick(long nowNs, SwimEffects out) {
        lastCalls(nowNs, out);
        if (members.onTick(nowNs, out)) {
            outbox.push(nowNs, PUSH_COUNT, out);
        }
    }

    /** Its probe has failed, or nobody is left to confirm what this member has seen. */
    void accuse(long nowNs, Member target, SwimEffects out) {
        if (members.suspect(nowNs, target, target.incarnation, List.of(selfRank), out)) {
            outbox.ping(nowNs, target.rank, 0, out);
            outbox.push(nowNs, PUSH_COUNT, out);
        }
    }

    /** The sender says that its own connections to the target of the message are refused. */
    void refusedElsewhere(long nowNs, SwimMessage message, SwimEffects out) {
        Member target = members.find(message.target());
        if (target != null && message.refused()) {
            target.refusedElsewhereNs = nowNs;
            target.refusedElsewhereBy = message.from();
            giveUpIfConfirmed(nowNs, target, out);
        }
    }

    /** True when two members have seen their connections to it refused: it is dead then. */
    boolean giveUpIfConfirmed(long nowNs, Member member, SwimEffects out) {
        boolean isOwn = nowNs - member.refusedNs < config.evidenceNs();
        boolean isElsewhere = nowNs - member.refusedElsewhereNs < config.evidenceNs();
        if (!member.isAccusable() || !isOwn || !isElsewhere) {
            return false;
        }
        String reason = "connection refused, confirmed by rank " + member.refusedElsewhereBy;
        members.dead(nowNs, member, member.incarnation, reason, out);
        outbox.push(nowNs, PUSH_COUNT, out);
        return true;
    }

    /** Once a period. */
    void pingSuspects(long nowNs, SwimEffects out) {
        List<Member> timed = members.timed();
        int pinged = 0;
        for (int i = 0; i < timed.size() && pinged < SUSPECT_PINGS_MAX; i++) {
            Member member = timed.get((suspectTurn + i) % timed.size());
            Suspicion suspicion = member.suspicion;
            if (suspicion != null && suspicion.isAccusedBy(selfRank)) {
                outbox.ping(nowNs, member.rank, 0, out);
                pinged++;
            }
        }
        suspectTurn++;
    }

    /**
     * Whoever is about to give up asks once more itself, and tells a bystander, who answers if it knows better: false
     * deaths in large lossy meshes are suspicions that were refuted long ago, whose refutation has not come round yet.
     */
    private void lastCalls(long nowNs, SwimEffects out) {
        for (Member member : members.timed()) {
            Suspicion suspicion = member.suspicion;
            if (suspicion != null && suspicion.mayCall(nowNs, config.probe().pingTimeoutNs())) {
                outbox.ping(nowNs, member.rank, 0, out);
                outbox.tell(nowNs, member, out);
            }
        }
    }

    /** A healed partition has to start somewhere: tells one DEAD member what is believed of it. */
    void contactDead(long nowNs, SwimEffects out) {
        Member member = members.anyDead();
        if (member != null) {
            outbox.ping(nowNs, member.rank, 0, out);
        }
    }
}
