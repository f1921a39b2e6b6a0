package io.daosmesh.client.hedge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.client.hedge.Hedging.Choice;
import io.daosmesh.client.hedge.Hedging.Kind;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class HedgingTest {
    private static final long MS = 1_000_000L;

    private long nowNs = 77 * MS;
    private final Hedging hedging = new Hedging(nowNs);

    private void answered(Kind kind, long tookNs, int times) {
        for (int i = 0; i < times; i++) hedging.onAnswered(kind, tookNs);
        hedging.onTick(nowNs);
    }

    private void overtaken(int rank, int times) {
        for (int i = 0; i < times; i++) hedging.onOvertaken(rank, nowNs);
    }

    private Choice choose(int salt, boolean isFirstTry, Integer... ranks) {
        return hedging.choose(new Hedging.Holders(ranks.length, i -> ranks[i], salt), isFirstTry, nowNs);
    }

    @Test
    void shouldWaitLongWhileItKnowsNothing() {
        hedging.onTick(nowNs);

        assertEquals(500 * MS, hedging.delayNs(Kind.SHORT));
    }

    @Test
    void shouldDeriveTheDelayOfAKindFromItsOwnLatencies() {
        answered(Kind.SHORT, 4 * MS, 1_000);
        answered(Kind.LONG, 40 * MS, 1_000);

        long ofShort = hedging.delayNs(Kind.SHORT);
        long ofLong = hedging.delayNs(Kind.LONG);
        assertTrue(ofShort >= 12 * MS && ofShort <= 15 * MS, "ns: " + ofShort);
        assertTrue(ofLong >= 120 * MS && ofLong <= 150 * MS, "ns: " + ofLong);
    }

    @Test
    void shouldKeepTheDelayBetweenItsBounds() {
        answered(Kind.SHORT, MS / 5, 1_000);
        answered(Kind.LONG, 2_000 * MS, 1_000);

        assertEquals(5 * MS, hedging.delayNs(Kind.SHORT));
        assertEquals(500 * MS, hedging.delayNs(Kind.LONG));
    }

    @Test
    void shouldFollowWhatHasBecomeSlowerAndFaster() {
        answered(Kind.SHORT, 4 * MS, 1_000);
        for (int window = 0; window < 2; window++) {
            nowNs += Hedging.WINDOW_NS;
            answered(Kind.SHORT, 40 * MS, 1_000);
        }
        assertTrue(hedging.delayNs(Kind.SHORT) >= 120 * MS);
        for (int window = 0; window < 3; window++) {
            nowNs += Hedging.WINDOW_NS;
            answered(Kind.SHORT, 4 * MS, 1_000);
        }

        assertTrue(hedging.delayNs(Kind.SHORT) <= 15 * MS);
    }

    @Test
    void shouldHedgeOneRequestInTwentyAtMost() {
        int hedges = 0;
        for (int i = 0; i < 10_000; i++) {
            hedging.onSent();
            if (hedging.mayHedge()) hedges++;
        }

        assertTrue(hedges >= 500 && hedges <= 500 + Hedging.SAVED_MAX, "hedges: " + hedges);
    }

    @Test
    void shouldSaveUpAFewHedges() {
        for (int i = 0; i < 10_000; i++) hedging.onSent();
        int hedges = 0;
        while (hedging.mayHedge()) hedges++;

        assertEquals(Hedging.SAVED_MAX, hedges);
    }

    @Test
    void shouldAskAnotherOneFirstOnceARankWasOvertakenThreeTimes() {
        overtaken(1, 2);
        assertEquals(new Choice(0, 1), choose(0, true, 1, 2));

        overtaken(1, 1);

        assertTrue(hedging.isAvoided(1, nowNs));
        assertEquals(new Choice(1, 0), choose(0, true, 1, 2));
        assertEquals(new Choice(0, 1), choose(0, false, 1, 2), "others have refused");
        assertEquals(new Choice(0, 1), choose(0, true, 2, 1), "another leader is asked as ever");
        assertEquals(new Choice(0, -1), choose(0, true, 1), "there is nobody else");
    }

    @Test
    void shouldProbeASlowRankWithOneReadAtATimeAndEverMoreSeldom() {
        overtaken(1, 3);
        int probes = 0;
        long untilNs = nowNs + 10_000 * MS;
        while (nowNs < untilNs) {
            nowNs += MS;
            if (choose(0, true, 1, 2).first() != 0) continue;
            probes++;
            assertEquals(1, choose(0, true, 1, 2).first(), "one at a time");
            overtaken(1, 1);
        }

        assertTrue(probes >= 8 && probes <= 16, "probes: " + probes);
    }

    @Test
    void shouldTrustARankAgainThatAnswers() {
        overtaken(1, 30);
        nowNs += 2_000 * MS;
        assertTrue(hedging.mayAsk(1, nowNs));

        hedging.onInTime(1, nowNs);

        assertFalse(hedging.isAvoided(1, nowNs));
        for (int i = 0; i < 20; i++) {
            assertEquals(0, choose(0, true, 1, 2).first());
            hedging.onInTime(1, nowNs);
        }
        overtaken(1, 2);
        assertFalse(hedging.isAvoided(1, nowNs), "as if nothing had been");
    }

    @Test
    void shouldNotAvoidARankForWhatIsRare() {
        for (int i = 0; i < 100; i++) {
            overtaken(1, 1);
            for (int k = 0; k < 10; k++) hedging.onInTime(1, nowNs);
            assertFalse(hedging.isAvoided(1, nowNs));
        }
    }

    /** A device that hangs for what is not in memory, with others of its reads answered. */
    @Test
    void shouldAvoidARankThatIsOvertakenByHalf() {
        boolean wasAvoided = false;
        for (int i = 0; i < 20; i++) {
            overtaken(1, 1);
            wasAvoided |= hedging.isAvoided(1, nowNs);
            hedging.onInTime(1, nowNs);
        }

        assertTrue(wasAvoided);
    }

    @Test
    void shouldSpreadTheReadsOfALeaderOverTheOthers() {
        Set<Integer> seconds = new HashSet<>();
        for (int salt = -10; salt < 10; salt++) {
            Choice c = choose(salt, true, 1, 2, 3);
            assertEquals(0, c.first());
            seconds.add(c.second());
        }

        assertEquals(Set.copyOf(Arrays.asList(1, 2)), seconds);
    }

    @Test
    void shouldGoAroundEveryRankThatIsSlow() {
        overtaken(1, 3);
        overtaken(2, 3);
        for (int salt = 0; salt < 4; salt++) assertEquals(new Choice(2, 0), choose(salt, true, 1, 2, 3));

        overtaken(3, 3);

        assertEquals(0, choose(0, true, 1, 2, 3).first(), "all are: the leader needs nobody's word");
    }
}
