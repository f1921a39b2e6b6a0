package io.daosmesh.swim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.Invariant.InvariantBroken;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SwimTest {
    private static final long TICK_NS = SwimConfig.defaults().probe().tickNs();

    private final RecordingEffects effects = new RecordingEffects();
    private final Swim swim = new Swim(SwimConfig.defaults(), 0, 10, 1);
    private long nowNs;

    @BeforeEach
    void twoOthersAreKnown() {
        know(1, 10);
        know(2, 10);
    }

    @Test
    void shouldIgnoreAccusationOfEarlierLife() {
        hear(1, update(2, MemberState.SUSPECT, 9), update(2, MemberState.DEAD, 9));

        assertEquals(MemberState.ALIVE, swim.state(2));
    }

    @Test
    void shouldLetSuspectOverrideAliveAndDeadOverrideBothAtEqualIncarnation() {
        hear(1, update(2, MemberState.SUSPECT, 10));
        assertEquals(MemberState.SUSPECT, swim.state(2));
        hear(1, update(2, MemberState.ALIVE, 10));
        assertEquals(MemberState.SUSPECT, swim.state(2));
        hear(1, update(2, MemberState.DEAD, 10));
        assertEquals(MemberState.DEAD, swim.state(2));
        hear(1, update(2, MemberState.SUSPECT, 10));
        assertEquals(MemberState.DEAD, swim.state(2));
    }

    @Test
    void shouldLeaveDeadOnlyByHigherIncarnation() {
        hear(1, update(2, MemberState.DEAD, 10));

        hear(2);
        assertEquals(MemberState.DEAD, swim.state(2));
        swim.onPing(nowNs, new SwimMessage(2, 11, 1, 0, false, List.of()), effects);

        assertEquals(MemberState.ALIVE, swim.state(2));
    }

    @Test
    void shouldNotTakeTheWordOfTheDead() {
        hear(1, update(2, MemberState.DEAD, 10));

        hear(2, update(1, MemberState.DEAD, 10));

        assertEquals(MemberState.ALIVE, swim.state(1));
    }

    @Test
    void shouldRefuteWithHigherIncarnationThanTheAccusation() {
        hear(1, update(0, MemberState.DEAD, 5_000));

        assertEquals(5_001, swim.selfIncarnation());
        assertEquals(1, swim.counts().verdicts().refutations());
        assertEquals(1, swim.counts().localHealth());
    }

    @Test
    void shouldTellTheSuspectFirst() {
        IntStream.range(3, 60).forEach(rank -> know(rank, 10));
        effects.take();
        hear(1, update(2, MemberState.SUSPECT, 10));
        IntStream.range(3, 50).forEach(rank -> hear(1, update(rank, MemberState.ALIVE, 11)));
        effects.take();

        swim.onPing(nowNs, new SwimMessage(2, 10, 7, 0, false, List.of()), effects);

        assertTrue(effects.take().get(0).startsWith("ack r2 about r0 seq=7 [r2:SUSPECT@10"));
    }

    @Test
    void shouldPiggybackNoMoreThanTheLimit() {
        IntStream.range(3, 200).forEach(rank -> know(rank, 10));
        IntStream.range(3, 200).forEach(rank -> hear(1, update(rank, MemberState.ALIVE, 11)));
        effects.take();

        hear(1);

        String ack = effects.take().get(0);
        assertEquals(SwimConfig.defaults().limits().updatesMax(), ack.split("ALIVE", -1).length - 1);
    }

    @Test
    void shouldNotAccuseBeforeTheAnnouncedAbsenceIsOver() {
        hear(1, new SwimUpdate(2, MemberState.RESTARTING, 11, List.of(), SwimConfig.ms(5_000)));

        tick(4_900, 1);
        assertEquals(MemberState.RESTARTING, swim.state(2));
        tick(200, 1);

        assertEquals(MemberState.SUSPECT, swim.state(2));
    }

    @Test
    void shouldBoundAnAnnouncedAbsence() {
        hear(1, new SwimUpdate(2, MemberState.RESTARTING, 11, List.of(), SwimConfig.ms(999_999_999)));

        tick(121_000, 1);

        assertEquals(MemberState.SUSPECT, swim.state(2));
    }

    @Test
    void shouldAccuseListedMemberThatNeverAnsweredOnlyAfterTheGrace() {
        swim.onMember(nowNs, 3, 10, effects);

        tick(29_000, 1, 2);
        assertEquals(MemberState.INACTIVE, swim.state(3));
        tick(6_000, 1, 2);

        assertEquals(MemberState.SUSPECT, swim.state(3));
    }

    @Test
    void shouldGiveUpNobodyWhenCutOff() {
        tick(60_000);

        assertEquals(MemberState.SUSPECT, swim.state(1));
        assertEquals(MemberState.SUSPECT, swim.state(2));
    }

    @Test
    void shouldTakeItsDoubtsBackWhenItHearsAgain() {
        tick(60_000);
        effects.take();

        swim.onPing(nowNs, new SwimMessage(1, 10, 1, 0, false, List.of()), effects);

        assertEquals(MemberState.ALIVE, swim.state(1));
        assertEquals(MemberState.ALIVE, swim.state(2));
        assertTrue(effects.take().stream().noneMatch(line -> line.contains("SUSPECT")), "nobody is told of doubts");
    }

    @Test
    void shouldBelieveRefusedConnectionsAlsoWhenNobodyElseIsHeard() {
        for (int i = 0; i < 150; i++) {
            swim.onPeerRefused(nowNs, 1, effects);
            swim.onPeerRefused(nowNs, 2, effects);
            tick(100);
        }

        assertEquals(MemberState.DEAD, swim.state(1));
        assertEquals(MemberState.DEAD, swim.state(2));
    }

    @Test
    void shouldCorrectWhoSpreadsARefutedAccusation() {
        IntStream.range(3, 60).forEach(rank -> know(rank, 10));
        hear(1, update(2, MemberState.ALIVE, 11));
        IntStream.range(3, 60).forEach(rank -> hear(1, update(rank, MemberState.ALIVE, 11)));

        hear(1, update(2, MemberState.SUSPECT, 10), update(3, MemberState.DEAD, 10));

        assertTrue(effects.take().get(0).startsWith("ack r1 about r0 seq=1 [r2:ALIVE@11 r3:ALIVE@11 "));
    }

    @Test
    void shouldTellABystanderBeforeItGivesUp() {
        IntStream.range(3, 60).forEach(rank -> know(rank, 10));
        effects.take();
        hear(1, new SwimUpdate(2, MemberState.SUSPECT, 10, List.of(1, 3, 4, 5), 0));
        IntStream.range(3, 60).forEach(rank -> hear(1, update(rank, MemberState.ALIVE, 11)));
        tick(4_300, IntStream.range(3, 60).toArray());
        effects.take();

        tick(100, IntStream.range(3, 60).toArray());

        assertTrue(effects.take().stream()
                .anyMatch(line -> line.startsWith("ping r") && line.contains("seq=0 [r2:SUSPECT@10/1,3,4,5 ")));
    }

    @Test
    void shouldNotMistakeTheOwnPauseForSilence() {
        tick(2_000, 1);
        assertEquals(MemberState.SUSPECT, swim.state(2), "suspected, 3 s to go");

        nowNs += SwimConfig.ms(60_000);
        swim.onTick(nowNs, effects);

        assertEquals(MemberState.SUSPECT, swim.state(2));
        assertEquals(1, swim.counts().verdicts().lateLoops());
    }

    @Test
    void shouldStopSuspectingRefusedConnectionOfMemberThatSpeaks() {
        swim.onPeerRefused(nowNs, 2, effects);
        hear(2);

        swim.onNack(nowNs, new SwimMessage(1, 10, 1, 2, true, List.of()), effects);

        assertEquals(MemberState.ALIVE, swim.state(2), "the refusal was before its last word");
    }

    @Test
    void shouldNotCallAClosedConnectionDeath() {
        swim.onPeerClosed(nowNs, 2, effects);
        swim.onNack(nowNs, new SwimMessage(1, 10, 1, 2, true, List.of()), effects);

        assertEquals(MemberState.ALIVE, swim.state(2), "one refusal and one closed connection are no two refusals");
    }

    @Test
    void shouldForgetOldEvidence() {
        swim.onPeerRefused(nowNs, 2, effects);
        tick(2_100, 1);

        swim.onPingReq(nowNs, new SwimMessage(1, 10, 9, 2, true, List.of()), effects);

        assertEquals(MemberState.SUSPECT, swim.state(2), "only silence counts any more");
    }

    @Test
    void shouldProbeOutOfTurnNotMoreOftenThanTwicePerTimeout() {
        IntStream.range(0, 100).forEach(i -> swim.onPeerClosed(nowNs, 2, effects));

        assertEquals(
                1,
                effects.take().stream()
                        .filter(line -> line.startsWith("ping-req"))
                        .count());
    }

    @Test
    void shouldNackWhenTooManyProbesForOthersAreUnderWay() {
        effects.take();

        IntStream.range(0, 200)
                .forEach(i -> swim.onPingReq(nowNs, new SwimMessage(1, 10, i, 2, false, List.of()), effects));

        List<String> lines = effects.take();
        assertEquals(
                64, lines.stream().filter(line -> line.startsWith("ping r2")).count());
        assertEquals(
                136, lines.stream().filter(line -> line.startsWith("nack r1")).count());
    }

    @Test
    void shouldForgetMemberThatLeftTheList() {
        hear(1, update(2, MemberState.SUSPECT, 10));

        swim.onMemberGone(2);
        tick(20_000, 1);

        assertNull(swim.state(2));
        assertEquals(0, swim.counts().verdicts().deaths());
    }

    @Test
    void shouldComeBackAsInactiveWhenListedInANewLife() {
        hear(1, update(2, MemberState.DEAD, 10));

        swim.onMember(nowNs, 2, 50, effects);
        assertEquals(MemberState.INACTIVE, swim.state(2));
        swim.onPing(nowNs, new SwimMessage(2, 50, 1, 0, false, List.of()), effects);

        assertEquals(MemberState.ALIVE, swim.state(2));
    }

    @Test
    void shouldRefuseRanksBeyondTheLimit() {
        Assertions.assertThrows(InvariantBroken.class, () -> swim.onMember(nowNs, 16_384, 1, effects));
    }

    @Test
    void shouldIgnoreWhatIsSaidOfUnknownRanks() {
        hear(77, update(78, MemberState.DEAD, 1), update(-5, MemberState.DEAD, 1));

        assertNull(swim.state(78));
        assertEquals("ack r77 about r0 seq=1", effects.take().get(0).split(" \\[")[0]);
    }

    @Test
    void shouldKnowWhenItLastBelongedToTheMajority() {
        tick(2_000, 1);
        long withOneOfTwoNs = swim.lastMajorityContactNs(nowNs);
        assertTrue(nowNs - withOneOfTwoNs <= SwimConfig.ms(1_300), "one answer of two others is a majority of three");

        tick(5_000);

        assertTrue(swim.lastMajorityContactNs(nowNs) <= SwimConfig.ms(2_000), "nobody has answered since");
    }

    @Test
    void shouldNotCountItselfAsMajorityBeforeAnybodyAnswered() {
        Swim alone = new Swim(SwimConfig.defaults(), 0, 1, 1);
        assertEquals(7, alone.lastMajorityContactNs(7), "a system of one is its own majority");

        alone.onMember(0, 1, 1, effects);

        assertTrue(alone.lastMajorityContactNs(7) < 0);
    }

    @Test
    void shouldNotFeelLikeTheMajorityAfterGivingUpMoreThanHalf() {
        know(3, 10);
        know(4, 10);
        tick(2_000, 1);

        tick(20_000, 1);

        assertEquals(MemberState.DEAD, swim.state(2));
        assertEquals(MemberState.DEAD, swim.state(3));
        assertEquals(MemberState.DEAD, swim.state(4));
        assertTrue(swim.lastMajorityContactNs(nowNs) < 0, "one other of five is no majority");
        swim.onMemberGone(2);
        swim.onMemberGone(3);
        swim.onMemberGone(4);
        assertTrue(nowNs - swim.lastMajorityContactNs(nowNs) <= SwimConfig.ms(1_300), "of the two that are left it is");
    }

    @Test
    void shouldSleepUntilTheNextProbeOnlyWhileNobodyIsAskedOrSuspected() {
        tick(5_000, 1, 2);
        long quietNs = swim.sleep(nowNs - TICK_NS) - nowNs;
        hear(1, update(2, MemberState.SUSPECT, 10));

        assertEquals(nowNs, swim.sleep(nowNs - TICK_NS));
        assertTrue(quietNs >= 0 && quietNs <= SwimConfig.defaults().probe().pingTimeoutNs(), "slept " + quietNs);
    }

    @Test
    void shouldNotTakeAnAgreedSleepForAPause() {
        tick(5_000, 1, 2);
        nowNs = swim.sleep(nowNs - TICK_NS);

        tick(500, 1, 2);

        assertEquals(0, swim.counts().verdicts().lateLoops());
    }

    private void know(int rank, long incarnation) {
        swim.onMember(nowNs, rank, incarnation, effects);
        swim.onAck(nowNs, new SwimMessage(rank, incarnation, 0, rank, false, List.of()), effects);
        effects.take();
    }

    private void hear(int from, SwimUpdate... updates) {
        effects.take();
        swim.onPing(nowNs, new SwimMessage(from, 10, 1, 0, false, List.of(updates)), effects);
    }

    private static SwimUpdate update(int rank, MemberState state, long incarnation) {
        return SwimUpdate.of(rank, state, incarnation);
    }

    /** Runs the loop while only {@code answering} members answer. */
    private void tick(long forMs, int... answering) {
        IntStream.of(1, 2, 3, 4).forEach(effects::letFallSilent);
        IntStream.of(answering).forEach(rank -> effects.letAnswer(rank, 10));
        for (long untilNs = nowNs + SwimConfig.ms(forMs); nowNs < untilNs; nowNs += TICK_NS) {
            swim.onTick(nowNs, effects);
            effects.deliver(new RecordingEffects.Answers() {
                @Override
                public void ack(SwimMessage message) {
                    swim.onAck(nowNs, message, effects);
                }

                @Override
                public void nack(SwimMessage message) {
                    swim.onNack(nowNs, message, effects);
                }
            });
        }
    }
}
