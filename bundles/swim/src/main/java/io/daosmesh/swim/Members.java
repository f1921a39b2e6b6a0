package io.daosmesh.swim;

import io.daosmesh.model.fault.Invariant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Who is a member, what is believed of it, and what of that is still to be told. All moves between states happen in
 * {@link #move}. Owner: membership loop.
 */
final class Members {
    /** Members whose answers prove a majority in a large mesh: a minority of 5 % would need 100 probes to find them. */
    static final int CONTACTS_MAX = 5;

    private final SwimConfig config;
    private final int selfRank;
    private final GossipQueue gossip;
    final ProbeOrder order;
    /** SUSPECT and RESTARTING members: the ones with a deadline. */
    private final List<Member> timed = new ArrayList<>();

    private final Map<MemberState, Integer> countByState = new EnumMap<>(MemberState.class);
    private @Nullable Member[] byRank = new Member[16];

    private long selfIncarnation;
    private MemberState selfState = MemberState.ALIVE;
    private long selfRestartUntilNs;
    long suspicions;
    long deaths;
    long refutations;

    Members(SwimConfig config, int selfRank, long incarnation, Dice dice) {
        this.config = config;
        this.selfRank = selfRank;
        this.selfIncarnation = incarnation;
        this.order = new ProbeOrder(dice);
        this.gossip = new GossipQueue(config.limits().rankMax() + 1);
        gossip.add(selfRank);
    }

    @Nullable
    Member find(int rank) {
        return rank >= 0 && rank < byRank.length ? byRank[rank] : null;
    }

    /** The membership list names a rank; a higher incarnation than known means it has been started again. */
    void list(long nowNs, int rank, long incarnation, SwimEffects out) {
        Invariant.check(rank >= 0 && rank <= config.limits().rankMax(), "rank %s beyond swim.rank.max", rank);
        if (rank == selfRank) {
            return;
        }
        Member member = find(rank);
        if (member == null) {
            if (rank >= byRank.length) {
                byRank = Arrays.copyOf(byRank, Math.max(rank + 1, byRank.length * 2));
            }
            byRank[rank] = new Member(rank, incarnation, nowNs);
            countByState.merge(MemberState.INACTIVE, 1, Integer::sum);
            order.add(rank);
        } else if (incarnation > member.incarnation) {
            if (member.state == MemberState.DEAD) {
                member.incarnation = incarnation;
                member.forgetEvidence();
                move(nowNs, member, MemberState.INACTIVE);
            } else {
                alive(nowNs, member, incarnation, "listed with a higher incarnation", out);
            }
        }
    }

    void unlist(int rank) {
        Member member = find(rank);
        if (member != null) {
            byRank[rank] = null;
            countByState.merge(member.state, -1, Integer::sum);
            timed.remove(member);
            order.remove(rank);
            gossip.remove(rank);
        }
    }

    /** What a rank of a higher incarnation, or one that answers for the first time, is. */
    void alive(long nowNs, Member member, long incarnation, String reason, SwimEffects out) {
        boolean isNews = incarnation > member.incarnation || member.state == MemberState.INACTIVE;
        if (!isNews || incarnation < member.incarnation) {
            return;
        }
        if (incarnation > member.incarnation) {
            gossip.add(member.rank); // a first answer of the listed life is news to nobody else
        }
        member.incarnation = incarnation;
        member.forgetEvidence();
        if (member.state != MemberState.ALIVE) {
            move(nowNs, member, MemberState.ALIVE);
        }
        out.onAlive(member.rank, incarnation, reason);
    }

    /** True when this started the suspicion; a further accuser shortens a running one. */
    boolean suspect(long nowNs, Member member, long incarnation, List<Integer> accusers, SwimEffects out) {
        if (incarnation < member.incarnation || member.state == MemberState.DEAD && incarnation == member.incarnation) {
            return false;
        }
        boolean isAway = member.state == MemberState.RESTARTING && nowNs < member.restartUntilNs;
        if (isAway && incarnation == member.incarnation) {
            return false;
        }
        boolean isNew = incarnation > member.incarnation || member.state != MemberState.SUSPECT || member.isDoubted();
        if (isNew) {
            int memberCount = liveCount() + 1;
            long minNs = config.suspicionMinNs(memberCount);
            int confirmations = Math.max(0, Math.min(config.suspect().confirmationsMax(), memberCount - 2));
            member.incarnation = incarnation;
            if (member.state != MemberState.SUSPECT) {
                move(nowNs, member, MemberState.SUSPECT);
            }
            member.suspicion =
                    new Suspicion(nowNs, minNs, minNs * config.suspect().maxFactor(), confirmations);
            suspicions++;
        }
        Suspicion suspicion = member.suspicion;
        boolean isConfirmed = isNew;
        for (int accuser : accusers) {
            isConfirmed |= suspicion != null && accuser != member.rank && suspicion.confirm(accuser);
        }
        if (isConfirmed) {
            gossip.add(member.rank);
        }
        if (isNew) {
            out.onSuspect(member.rank, incarnation, "no answer to " + accusers);
        }
        return isNew;
    }

    /**
     * It did not answer, but nobody else was heard meanwhile either: a suspicion without end that nobody is told of. Cut
     * off members would else come back with a hundred false accusations that all have to be refuted at once.
     */
    void doubt(long nowNs, Member member, SwimEffects out) {
        if (member.state == MemberState.ALIVE) {
            move(nowNs, member, MemberState.SUSPECT);
            out.onSuspect(member.rank, member.incarnation, "no answer, and nobody else was heard");
        }
    }

    /** Somebody was heard again. */
    void endDoubts(long nowNs, SwimEffects out) {
        for (int i = timed.size() - 1; i >= 0; i--) {
            Member member = timed.get(i);
            if (member.isDoubted()) {
                move(nowNs, member, MemberState.ALIVE);
                out.onAlive(member.rank, member.incarnation, "it was this member that heard nobody");
            }
        }
    }

    /** True when silence of all others may be this member's own fault. */
    boolean mayBeOutage() {
        return count(MemberState.ALIVE) + count(MemberState.SUSPECT) >= 2;
    }

    /** True when it was not known. */
    boolean dead(long nowNs, Member member, long incarnation, String reason, SwimEffects out) {
        if (incarnation < member.incarnation || member.state == MemberState.DEAD && incarnation == member.incarnation) {
            return false;
        }
        member.incarnation = incarnation;
        if (member.state != MemberState.DEAD) {
            move(nowNs, member, MemberState.DEAD);
        }
        deaths++;
        gossip.add(member.rank);
        out.onDead(member.rank, incarnation, reason);
        return true;
    }

    void restarting(long nowNs, Member member, SwimUpdate update, SwimEffects out) {
        long forNs = Math.min(update.restartForNs(), config.suspect().restartMaxNs());
        boolean isNews = update.incarnation() > member.incarnation
                || update.incarnation() == member.incarnation
                        && (member.state == MemberState.ALIVE
                                || member.state == MemberState.INACTIVE
                                || member.state == MemberState.SUSPECT && member.restartUntilNs == Member.NEVER_NS);
        if (!isNews || forNs <= 0) {
            return;
        }
        member.incarnation = update.incarnation();
        if (member.state != MemberState.RESTARTING) {
            move(nowNs, member, MemberState.RESTARTING);
        }
        member.restartUntilNs = nowNs + forNs;
        gossip.add(member.rank);
        out.onRestarting(member.rank, member.incarnation, forNs);
    }

    /** Suspicions that ran out and announced absences that were overstayed. True when somebody was given up. */
    boolean onTick(long nowNs, SwimEffects out) {
        boolean isAnyDead = false;
        for (int i = timed.size() - 1; i >= 0; i--) {
            Member member = timed.get(i);
            Suspicion suspicion = member.suspicion;
            if (member.state == MemberState.RESTARTING) {
                if (nowNs >= member.restartUntilNs) {
                    suspect(nowNs, member, member.incarnation, List.of(selfRank), out);
                }
            } else if (suspicion != null
                    && suspicion.isOver(nowNs, config.probe().pingTimeoutNs())) {
                isAnyDead |= dead(
                        nowNs, member, member.incarnation, "suspicion expired, accusers " + suspicion.accusers(), out);
            }
        }
        return isAnyDead;
    }

    /** Moves every running suspicion; {@code sparesRefused} leaves those alone whose connections are refused. */
    void shiftSuspicions(long nowNs, long byNs, boolean sparesRefused) {
        for (Member member : timed) {
            Suspicion suspicion = member.suspicion;
            boolean isSpared = sparesRefused && nowNs - member.refusedNs < config.evidenceNs();
            if (suspicion != null && !isSpared) {
                suspicion.shift(byNs);
            }
        }
    }

    /** Somebody believes this member SUSPECT or DEAD: a higher incarnation says otherwise. True when it had to. */
    boolean refute(SwimUpdate accusation, SwimEffects out) {
        if (accusation.incarnation() < selfIncarnation) {
            return false;
        }
        selfIncarnation = Math.max(out.newIncarnation(), accusation.incarnation() + 1);
        refutations++;
        gossip.add(selfRank);
        out.onSelfAccused(accusation.state(), selfIncarnation);
        return true;
    }

    void announceSelf(MemberState state, long restartUntilNs, SwimEffects out) {
        selfIncarnation = Math.max(out.newIncarnation(), selfIncarnation + 1);
        selfState = state;
        selfRestartUntilNs = restartUntilNs;
        gossip.add(selfRank);
    }

    /**
     * The gossip for one message. A receiver that is accused hears that first (Lifeguard's buddy system), then what is
     * known of {@code first}.
     */
    List<SwimUpdate> updatesFor(long nowNs, @Nullable Member receiver, List<Member> first) {
        List<SwimUpdate> updates = new ArrayList<>(config.limits().updatesMax());
        int buddy = -1;
        if (receiver != null && receiver.mustHearOfItself()) {
            updates.add(update(nowNs, receiver));
            buddy = receiver.rank;
        }
        for (Member member : first) {
            if (member.rank != buddy && updates.size() < config.limits().updatesMax()) {
                updates.add(update(nowNs, member));
            }
        }
        int tellMax = config.tellMax(liveCount() + 1);
        gossip.pick(config.limits().updatesMax() - updates.size(), tellMax, buddy, rank -> {
            if (rank == selfRank) {
                updates.add(
                        new SwimUpdate(selfRank, selfState, selfIncarnation, List.of(), selfRestartUntilNs - nowNs));
            } else {
                Member member = find(rank);
                if (member != null && member.state != MemberState.INACTIVE && !first.contains(member)) {
                    updates.add(update(nowNs, member));
                }
            }
        });
        return updates;
    }

    private static SwimUpdate update(long nowNs, Member member) {
        Suspicion suspicion = member.suspicion;
        return new SwimUpdate(
                member.rank,
                member.isDoubted() ? MemberState.ALIVE : member.state,
                member.incarnation,
                suspicion == null ? List.of() : suspicion.accusers(),
                member.state == MemberState.RESTARTING ? member.restartUntilNs - nowNs : 0);
    }

    private void move(long nowNs, Member member, MemberState next) {
        Invariant.check(
                member.state.mayBecome(next), "rank %s may not go from %s to %s", member.rank, member.state, next);
        countByState.merge(member.state, -1, Integer::sum);
        countByState.merge(next, 1, Integer::sum);
        boolean wasTimed = member.state == MemberState.SUSPECT || member.state == MemberState.RESTARTING;
        boolean isTimed = next == MemberState.SUSPECT || next == MemberState.RESTARTING;
        if (wasTimed && !isTimed) {
            timed.remove(member);
        } else if (isTimed && !wasTimed) {
            timed.add(member);
        }
        member.state = next;
        member.sinceNs = nowNs;
        if (next != MemberState.SUSPECT) {
            member.suspicion = null;
            // kept through SUSPECT: an overstayed announcement must not come back by old gossip
            member.restartUntilNs = Member.NEVER_NS;
        }
    }

    /** Up to {@code count} different members that answer, at random. */
    List<Member> pickAlive(Dice dice, int count, int exceptRank) {
        List<Member> picked = new ArrayList<>(count);
        int size = order.count();
        if (size == 0) {
            return picked;
        }
        int start = dice.nextInt(size);
        int triesMax = Math.min(size, 8 * count + 16);
        for (int i = 0; i < triesMax && picked.size() < count; i++) {
            // small meshes are walked through completely, large ones sampled
            int rank = size <= 64 ? order.at((start + i) % size) : order.any();
            Member member = find(rank);
            if (member != null && rank != exceptRank && member.state == MemberState.ALIVE && !picked.contains(member)) {
                picked.add(member);
            }
        }
        return picked;
    }

    /** A DEAD member at random; sampled, so it may miss a lone one now and then. */
    @Nullable
    Member anyDead() {
        int triesMax = count(MemberState.DEAD) == 0 ? 0 : 16;
        for (int i = 0; i < triesMax; i++) {
            Member member = find(order.any());
            if (member != null && member.state == MemberState.DEAD) {
                return member;
            }
        }
        return null;
    }

    List<Member> timed() {
        return timed;
    }

    /** Other members that are ALIVE, SUSPECT or RESTARTING. */
    int liveCount() {
        return count(MemberState.ALIVE) + count(MemberState.SUSPECT) + count(MemberState.RESTARTING);
    }

    int count(MemberState state) {
        return countByState.getOrDefault(state, 0);
    }

    Map<MemberState, Integer> countsByState() {
        Map<MemberState, Integer> counts = new EnumMap<>(MemberState.class);
        for (MemberState state : MemberState.values()) {
            counts.put(state, count(state));
        }
        return counts;
    }

    /** Nobody's time runs out: neither a suspicion nor an announced absence, this member's included. */
    boolean isCalm() {
        return timed.isEmpty() && selfState == MemberState.ALIVE;
    }

    boolean isSelfOverdue(long nowNs) {
        return selfState == MemberState.RESTARTING && nowNs >= selfRestartUntilNs;
    }

    long lastMajorityContactNs(long nowNs) {
        // Those never heard count too: a member just started on the wrong side of a cut must not feel like a majority.
        // So
        // do the DEAD while they are listed: two of five that have given up three others are cut off, not the system.
        int memberCount = order.count() + 1;
        int othersNeeded = Math.min(CONTACTS_MAX, memberCount / 2);
        if (othersNeeded == 0) {
            return nowNs;
        }
        long[] latest = new long[othersNeeded];
        Arrays.fill(latest, Member.NEVER_NS);
        for (Member member : byRank) {
            if (member == null || member.state == MemberState.DEAD || member.contactNs <= latest[0]) {
                continue;
            }
            int at = 0;
            while (at + 1 < othersNeeded && latest[at + 1] < member.contactNs) {
                latest[at] = latest[at + 1];
                at++;
            }
            latest[at] = member.contactNs;
        }
        return latest[0];
    }

    long selfIncarnation() {
        return selfIncarnation;
    }

    MemberState selfState() {
        return selfState;
    }

    int gossipQueued() {
        return gossip.size();
    }
}
