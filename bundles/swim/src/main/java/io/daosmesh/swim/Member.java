package io.daosmesh.swim;

import org.jspecify.annotations.Nullable;

/** What is known of one other rank. Owner: membership loop; only {@link Members} changes state and incarnation. */
final class Member {
    /** Long before any time that is compared with it, without overflow in differences. */
    static final long NEVER_NS = Long.MIN_VALUE / 4;

    final int rank;
    long incarnation;
    MemberState state = MemberState.INACTIVE;
    long sinceNs;
    long restartUntilNs = NEVER_NS;
    /** Running only in SUSPECT; none there is a doubt: see {@link Members#doubt}. */
    @Nullable
    Suspicion suspicion;

    /** When the last ping was sent that it has answered itself. */
    long contactNs = NEVER_NS;
    /** When the own connection to it was refused last. */
    long refusedNs = NEVER_NS;
    /** When another member said the same, and who. */
    long refusedElsewhereNs = NEVER_NS;

    int refusedElsewhereBy = -1;
    /** When a lost or refused connection last started a probe out of turn. */
    long urgentNs = NEVER_NS;

    Member(int rank, long incarnation, long nowNs) {
        this.rank = rank;
        this.incarnation = incarnation;
        this.sinceNs = nowNs;
    }

    /** It still speaks with an incarnation below the known one. */
    boolean isStale;

    /** It is accused, or behind its own incarnation: it has to be told so that it can refute. */
    boolean mustHearOfItself() {
        return isStale || state == MemberState.SUSPECT && !isDoubted() || state == MemberState.DEAD;
    }

    boolean isDoubted() {
        return state == MemberState.SUSPECT && suspicion == null;
    }

    /** Nobody accuses who has not been heard yet, is away with notice, or is given up already. */
    boolean isAccusable() {
        return state == MemberState.ALIVE || state == MemberState.SUSPECT;
    }

    void forgetEvidence() {
        refusedNs = NEVER_NS;
        refusedElsewhereNs = NEVER_NS;
        refusedElsewhereBy = -1;
    }
}
