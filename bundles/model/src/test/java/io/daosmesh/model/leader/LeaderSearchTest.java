package io.daosmesh.model.leader;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.leader.LeaderSearch.Manner;
import io.daosmesh.model.leader.LeaderSearch.Step;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Transcripts: what was asked, the refusal that came, in the order of a search over a:1, b:1 and c:1. */
class LeaderSearchTest {
    private static final Manner HASTY = new Manner(1, 3, false, false, 0, 0);
    private static final Manner TOOL = new Manner(9, 3, false, true, 100, 100);
    private static final Manner PATIENT = new Manner(9, 2, true, false, 50, 500);
    private static final long SECOND_NS = 1_000_000_000L;

    /** Each answer is a code, and a leader or replicas behind it; {@code ok} ends it, as does the last one. */
    private static List<String> search(Manner manner, String leader, long leftNs, String... answers) {
        LeaderSearch search = new LeaderSearch(manner, leader, Fault.of(FaultCode.TIMEDOUT));
        List<String> seen = new ArrayList<>();
        int at = 0;
        while (true) {
            Step step = search.next(leftNs);
            if (step instanceof Step.Round) {
                seen.add("round");
                search.begin(List.of("a:1", "b:1", "c:1"));
            } else if (step instanceof Step.Pause p) {
                seen.add("pause " + p.ms());
                leftNs -= p.ms() * 1_000_000;
            } else if (step instanceof Step.GiveUp g) {
                seen.add("give up " + g.why().code());
                return seen;
            } else if (step instanceof Step.Ask ask) {
                seen.add("ask " + ask.address());
                if (at == answers.length) return seen;
                String[] words = answers[at++].split(" ");
                if (words[0].equals("ok")) {
                    seen.add("leader " + search.asked());
                    return seen;
                }
                Fault f = Fault.of(FaultCode.valueOf(words[0]));
                for (int i = 1; i < words.length; i++) f = f.with(words[i].split("=")[0], words[i].split("=")[1]);
                search.onFault(f);
            }
        }
    }

    private static void assertTranscript(String expected, List<String> seen) {
        assertEquals(expected, String.join(", ", seen));
    }

    @Test
    void shouldFollowHintsAndRememberWhoAnswered() {
        assertTranscript(
                "round, ask a:1, ask z:1, leader z:1", search(TOOL, "", SECOND_NS, "NOTLEADER leader=z:1", "ok"));
        assertTranscript(
                "ask z:1, round, ask a:1, ask c:1, leader c:1",
                search(HASTY, "z:1", SECOND_NS, "UNREACH", "NOTLEADER leader=c:1", "ok"));
    }

    @Test
    void shouldAskOneThatWasSilentLast() {
        assertTranscript(
                "ask a:1, pause 50, round, ask b:1, pause 100, ask c:1, pause 200, ask a:1, leader a:1",
                search(PATIENT, "a:1", SECOND_NS, "TIMEDOUT", "NOTLEADER leader=a:1", "NOTLEADER leader=a:1", "ok"));
    }

    @Test
    void shouldPauseOnceARoundAndAskWhoeverWasNamed() {
        assertTranscript(
                "round, ask a:1, ask b:1, ask c:1, pause 100, round, ask a:1, ask b:1, ask c:1, ask y:1",
                search(
                        TOOL,
                        "",
                        SECOND_NS,
                        "NOTREPLICA replicas=[y:1]",
                        "UNREACH",
                        "NO_SERVICE",
                        "UNREACH",
                        "NO_SERVICE",
                        "UNREACH"));
    }

    @Test
    void shouldPauseLongerAndLongerWhenItIsPatient() {
        assertTranscript(
                "round, ask a:1, pause 50, ask b:1, pause 100, ask c:1, pause 200, round, ask a:1",
                search(PATIENT, "", SECOND_NS, "NO_SERVICE", "UNREACH", "TIMEDOUT"));
    }

    @Test
    void shouldNotRunInACircleOfHints() {
        String toA = "NOTLEADER leader=a:1";
        String toB = "NOTLEADER leader=b:1";

        assertTranscript(
                "round, ask a:1, ask b:1, ask a:1, ask b:1, ask c:1, pause 100, round, ask a:1",
                search(TOOL, "", SECOND_NS, toB, toA, toB, toA, "UNREACH"));
        assertTranscript(
                "round, ask a:1, ask b:1, ask a:1, pause 50, ask b:1, pause 100, ask a:1",
                search(PATIENT, "", SECOND_NS, toB, toA, toB, toA));
    }

    @Test
    void shouldWaitOnceARoundForOneThatIsSilentWhoeverTakesItForTheLeader() {
        assertTranscript(
                "round, ask a:1, ask c:1, ask b:1, give up NOTLEADER",
                search(HASTY, "", SECOND_NS, "NOTLEADER leader=c:1", "TIMEDOUT", "NOTLEADER leader=c:1"));
        assertTranscript(
                "ask z:1, round, ask a:1, ask b:1, ask c:1, pause 100, round, ask a:1, ask b:1, ask c:1, ask z:1, leader z:1",
                search(
                        TOOL,
                        "z:1",
                        SECOND_NS,
                        "TIMEDOUT",
                        "NOTLEADER leader=z:1",
                        "NOTLEADER leader=z:1",
                        "NOTLEADER leader=z:1",
                        "AGAIN",
                        "AGAIN",
                        "AGAIN",
                        "ok"));
    }

    @Test
    void shouldAskABusyLeaderAgainBeforeTheOthers() {
        assertTranscript(
                "ask z:1, pause 50, ask z:1, pause 100, ask z:1, pause 200, ask z:1, pause 400, round, ask a:1",
                search(PATIENT, "z:1", SECOND_NS, "BUSY", "BUSY", "AGAIN", "BUSY"));
        assertTranscript("ask z:1, round, ask a:1", search(HASTY, "z:1", SECOND_NS, "BUSY"));
    }

    @Test
    void shouldGiveUpWithWhatALivingOneHasSaid() {
        assertTranscript(
                "round, ask a:1, ask b:1, ask c:1, give up NO_SERVICE",
                search(HASTY, "", SECOND_NS, "UNREACH", "NO_SERVICE", "UNREACH"));
        assertTranscript(
                "round, ask a:1, ask b:1, ask c:1, give up UNREACH",
                search(TOOL, "", SECOND_NS, "UNREACH", "UNREACH", "UNREACH"));
        assertTranscript("round, ask a:1, give up NOSPACE", search(TOOL, "", SECOND_NS, "NOSPACE"));
    }

    @Test
    void shouldGiveUpWhenThePauseWouldEndBehindTheDeadline() {
        assertTranscript(
                "round, ask a:1, pause 50, ask b:1, give up UNREACH",
                search(PATIENT, "", 120_000_000, "UNREACH", "UNREACH"));
        assertTranscript("give up TIMEDOUT", search(PATIENT, "", 0));
    }

    @Test
    void shouldGoOnWhenNobodyIsKnownYet() {
        LeaderSearch search = new LeaderSearch(PATIENT, "", Fault.of(FaultCode.TIMEDOUT));

        search.begin(List.of());
        assertEquals(new Step.Pause(50), search.next(SECOND_NS));
        search.onNobody(Fault.of(FaultCode.UNREACH));
        assertEquals(new Step.Pause(100), search.next(SECOND_NS));
        assertEquals(new Step.Round(), search.next(SECOND_NS));
        search.onNobody(Fault.of(FaultCode.NONEXIST));

        assertTrue(search.next(SECOND_NS) instanceof Step.GiveUp);
    }

    @Test
    void shouldTryAgainWhatAnotherReplicaMayAnswer() {
        assertTrue(LeaderSearch.mayTryAgain(Fault.of(FaultCode.OOG)));
        assertTrue(LeaderSearch.mayTryAgain(Fault.of(FaultCode.UNINIT)));
        assertFalse(LeaderSearch.mayTryAgain(Fault.of(FaultCode.STALE)));
        assertFalse(LeaderSearch.mayTryAgain(Fault.of(FaultCode.CSUM)));
        assertFalse(LeaderSearch.mayTryAgain(Fault.of(FaultCode.INVAL)));
    }
}
