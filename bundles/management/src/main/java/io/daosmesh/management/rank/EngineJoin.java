package io.daosmesh.management.rank;

import io.daosmesh.management.pool.Departure;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.wire.JoinReply;
import io.daosmesh.model.wire.MemberMessage;

/**
 * How one engine becomes a rank: it joins when its storage is ready, again after every exclusion, until it is told to stop. Each try
 * after a refusal that speaks of its life is made in a new one. Pure. Owner: management loop; others may look at the phase.
 */
public final class EngineJoin {
    /** A refusal that only an administrator can lift, and a rank that was just excluded, ask again at this pace. */
    static final long REFUSED_PAUSE_MS = 2_000;

    /** Nobody was there to ask, or not yet. */
    static final long MISSED_PAUSE_MS = 100;

    /** What has to be done. Lives are readings of the node's hybrid clock, newer than all before. */
    public interface Effects {
        long newLife();

        /** Ends in {@link #onReply} or {@link #onRefused}. */
        void join(long incarnation);

        /** Calls {@link #onWake}. */
        void wake(long pauseMs);

        void publish(int rank, long incarnation);

        /** The rank must not serve any more; ends in {@link #onWithdrawn}. */
        void withdraw();

        void complain(Fault why, boolean isFinal);

        void tellExcluded(int rank, long incarnation, String info);
    }

    /** Where it stands. */
    public enum Phase {
        /** Storage is not ready, or nobody has asked yet. */
        IDLE,
        JOINING,
        JOINED,
        /** By an administrator; until told to start. */
        STOPPED
    }

    private volatile Phase phase = Phase.IDLE;
    private int rank = -1;
    private long incarnation;
    /** The last complaint, so that the same one is made once. */
    private String complaint = "";

    public Phase phase() {
        return phase;
    }

    public void onReady(Effects out) {
        if (phase != Phase.IDLE) return;
        phase = Phase.JOINING;
        incarnation = out.newLife();
        out.join(incarnation);
    }

    public void onWake(Effects out) {
        if (phase == Phase.JOINING) out.join(incarnation);
    }

    public void onReply(JoinReply reply, Effects out) {
        if (phase != Phase.JOINING) return;
        if (reply.getState() != MemberMessage.State.JOINED) {
            // This life has been excluded or stopped while the answer was on its way: a new one joins.
            incarnation = out.newLife();
            out.wake(MISSED_PAUSE_MS);
            return;
        }
        phase = Phase.JOINED;
        rank = reply.getRank();
        complaint = "";
        out.publish(rank, incarnation);
    }

    public void onRefused(Fault why, Effects out) {
        boolean isFinal = isFinal(why.code());
        String text = why.code() == FaultCode.BUSY ? why.message() : why.code().name();
        if (!text.equals(complaint)) {
            complaint = text;
            out.complain(why, isFinal);
        }
        if (why.code() == FaultCode.STALE || why.code() == FaultCode.EXCLUDED) incarnation = out.newLife();
        out.wake(isFinal ? REFUSED_PAUSE_MS : MISSED_PAUSE_MS);
    }

    private static boolean isFinal(FaultCode c) {
        return switch (c) {
            case ID_MISMATCH, MISMATCH, INVAL, NONEXIST, EXCLUDED, OVERFLOW, NO_PERM, BAD_CERT, PROTO -> true;
            default -> false;
        };
    }

    /** The others may have given this life up: its engine must not serve any more, a new life may join. */
    public void onGroupMap(GroupMap map, Effects out) {
        if (phase != Phase.JOINED) return;
        Member m = map.member(rank).orElse(null);
        if (m == null || m.incarnation() != incarnation) return;
        if (Departure.hasDied(m)) {
            // what made it die is still there: an administrator starts it when it is not
            phase = Phase.STOPPED;
            out.withdraw();
            return;
        }
        if (m.state() != MemberState.EXCLUDED && m.state() != MemberState.ADMIN_EXCLUDED) return;
        phase = Phase.JOINING;
        out.tellExcluded(rank, incarnation, m.info());
        out.withdraw();
    }

    public void onWithdrawn(Effects out) {
        if (phase != Phase.JOINING) return;
        incarnation = out.newLife();
        out.wake(REFUSED_PAUSE_MS);
    }

    public void onStop() {
        phase = Phase.STOPPED;
    }

    public void onStart(Effects out) {
        if (phase != Phase.STOPPED) return;
        phase = Phase.IDLE;
        onReady(out);
    }
}
