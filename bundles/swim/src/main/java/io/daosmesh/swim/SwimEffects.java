package io.daosmesh.swim;

/**
 * What the protocol wants done. Called only from inside the inputs of {@link Swim}, on the membership loop;
 * implementations must return at once and must not call back into it.
 */
public interface SwimEffects {
    void sendPing(int toRank, SwimMessage message);

    void sendPingReq(int toRank, SwimMessage message);

    void sendAck(int toRank, SwimMessage message);

    void sendNack(int toRank, SwimMessage message);

    /** The rank answers, or has refuted, or lives again with a higher incarnation. */
    void onAlive(int rank, long incarnation, String reason);

    void onSuspect(int rank, long incarnation, String reason);

    void onDead(int rank, long incarnation, String reason);

    /** The rank announced that it will be away for at most {@code forNs}. */
    void onRestarting(int rank, long incarnation, long forNs);

    /** Others believed this member SUSPECT or DEAD; it has already refuted with {@code newIncarnation}. */
    void onSelfAccused(MemberState accusation, long newIncarnation);

    /** The hybrid logical clock, now; becomes the new incarnation if it is above the old one. */
    long newIncarnation();
}
