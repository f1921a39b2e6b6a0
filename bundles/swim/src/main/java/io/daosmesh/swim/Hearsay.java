package io.daosmesh.swim;

import io.daosmesh.model.port.Membership;
import java.util.ArrayList;
import java.util.List;

/** What other members say, and how much of it counts. Owner: membership loop. */
final class Hearsay {
    private final int selfRank;
    private final int updatesMax;
    private final Members members;
    private final LocalHealth health;
    private final Outbox outbox;
    private final Prober prober;
    /** Members that the last message accused although they have refuted that. */
    private final List<Member> corrections = new ArrayList<>();

    private long received;

    Hearsay(SwimConfig config, int selfRank, Members members, LocalHealth health, Outbox outbox, Prober prober) {
        this.selfRank = selfRank;
        this.updatesMax = config.limits().updatesMax() * 2;
        this.members = members;
        this.health = health;
        this.outbox = outbox;
        this.prober = prober;
    }

    long receivedCount() {
        return received;
    }

    /** What the sender of the last message should hear first: its next ping to somebody else would be as wrong. */
    List<Member> corrections() {
        return corrections;
    }

    /** True when the sender speaks for its current life and is not given up: only then its word counts. */
    boolean absorb(long nowNs, SwimMessage message, SwimEffects out) {
        received++;
        corrections.clear();
        Member sender = members.find(message.from());
        if (sender != null) {
            sender.isStale = message.fromIncarnation() < sender.incarnation;
            boolean isGivenUp = sender.state == MemberState.DEAD && message.fromIncarnation() <= sender.incarnation;
            if (sender.isStale || isGivenUp) {
                hearAboutSelf(nowNs, message, out);
                return false;
            }
        }
        int updatesLeft = updatesMax;
        for (SwimUpdate update : message.updates()) {
            if (updatesLeft-- == 0) {
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
            boolean isFromLaterLife = update.incarnation() > members.selfIncarnation();
            if ((update.isAccusation() || isFromLaterLife) && members.refute(update, out)) {
                health.add(1);
                outbox.push(nowNs, Accuser.PUSH_COUNT, out);
            }
            return;
        }
        Member member = members.find(update.rank());
        if (member == null) {
            return;
        }
        if (update.isAccusation() && update.incarnation() < member.incarnation) {
            corrections.add(member);
        }
        switch (update.state()) {
            case ALIVE -> members.alive(nowNs, member, update.incarnation(), Membership.TOLD_BY_OTHERS, out);
            case RESTARTING -> members.restarting(nowNs, member, update, out);
            case DEAD -> members.dead(nowNs, member, update.incarnation(), Membership.TOLD_BY_OTHERS, out);
            case SUSPECT -> {
                if (members.suspect(nowNs, member, update.incarnation(), update.accusers(), out)) {
                    prober.maybeVerify(nowNs, member, out);
                }
            }
            case INACTIVE -> {} // says only that the sender knows nothing
        }
    }
}
