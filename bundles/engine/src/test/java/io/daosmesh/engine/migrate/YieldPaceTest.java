package io.daosmesh.engine.migrate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.engine.migrate.YieldPace.Way;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What clients wait for, look by look, and the MB/s that come of it. */
@org.junit.jupiter.api.Timeout(30)
class YieldPaceTest {
    private static final long MS = 1_000_000;
    private static final int KIND = 0;
    private static final int LONG_KIND = 1;

    private final YieldPace pace = new YieldPace();
    private final long[] counts = new long[2];
    private final long[] sumNs = new long[2];
    private long nowNs = 5 * MS;

    private final List<Long> rates = new ArrayList<>();

    YieldPaceTest() {
        pace.onLook(counts, sumNs, 0, nowNs);
    }

    /** Requests of one look that took so long each; something is moved meanwhile, or not. */
    private void look(int kind, int requests, long eachUs, boolean isMoving) {
        counts[kind] += requests;
        sumNs[kind] += requests * eachUs * 1000;
        look(requests > 0 ? 1 : 0, isMoving);
    }

    private void look(int active, boolean isMoving) {
        if (isMoving) pace.spend(Way.IN, pace.bytesPerSecond() / 10, nowNs);
        nowNs += YieldPace.LOOK_NS;
        pace.onLook(counts, sumNs, active, nowNs);
        rates.add(pace.bytesPerSecond() / 1_000_000);
    }

    private void looks(int times, int requests, long eachUs, boolean isMoving) {
        for (int i = 0; i < times; i++) look(KIND, requests, eachUs, isMoving);
    }

    private String transcript(int times, int requests, long eachUs) {
        rates.clear();
        looks(times, requests, eachUs, true);
        return rates.toString();
    }

    @Test
    void shouldMoveAtFullSpeedWithoutClients() {
        looks(10, 0, 0, true);

        assertEquals(YieldPace.FULL, pace.bytesPerSecond());
        assertEquals(0, pace.pauseNs(Way.IN, nowNs));
        assertEquals(1 << 20, pace.pieceBytes(1 << 20));
    }

    @Test
    void shouldBeginCarefullyBesideClientsAndRiseWhileTheyNoticeNothing() {
        looks(20, 50, 1000, false);

        assertEquals("[8, 9, 10, 11, 12, 14]", transcript(6, 50, 1000));
        assertEquals("[40, 94, 206]", every(15, 45, 1000));
    }

    private String every(int step, int times, long eachUs) {
        rates.clear();
        looks(times, 50, eachUs, true);
        List<Long> some = new ArrayList<>();
        for (int i = step - 1; i < times; i += step) some.add(rates.get(i));
        return some.toString();
    }

    @Test
    void shouldGiveWayWhenRequestsTakeLongerAndHoldInBetween() {
        looks(20, 50, 1000, false);
        looks(60, 50, 1000, true);

        assertEquals("[159, 111, 78, 54, 38]", transcript(6, 50, 2000).replaceFirst("\\d+, ", ""));
        looks(50, 50, 1000, true);
        long held = pace.bytesPerSecond();
        looks(20, 50, 1300, true);
        assertEquals(held, pace.bytesPerSecond());
    }

    @Test
    void shouldGiveWayToRequestsThatDoNotEndAtAll() {
        looks(20, 50, 1000, false);
        looks(60, 50, 1000, true);
        long before = pace.bytesPerSecond();

        for (int i = 0; i < 20; i++) look(4, true);

        assertTrue(before > 20_000_000);
        assertEquals(YieldPace.FLOOR, pace.bytesPerSecond());
    }

    @Test
    void shouldNotMistakeOtherRequestsForSlowerOnes() {
        looks(20, 50, 1000, false);
        for (int i = 0; i < 20; i++) look(LONG_KIND, 20, 20_000, false);
        looks(10, 50, 1000, true);
        long before = pace.bytesPerSecond();

        for (int i = 0; i < 10; i++) look(LONG_KIND, 20, 20_000, true);

        assertTrue(pace.bytesPerSecond() > before);
    }

    /** Clients that ask for more than before are not taken for ever for ones that are disturbed. */
    @Test
    void shouldRiseAgainWhenRequestsHaveBecomeSlowerByThemselves() {
        looks(20, 50, 1000, false);
        looks(20, 50, 3000, true);
        assertEquals(YieldPace.FLOOR, pace.bytesPerSecond());

        looks(1000, 50, 3000, true);

        assertTrue(pace.bytesPerSecond() > 2 * YieldPace.FLOOR);
    }

    @Test
    void shouldBeAtFullSpeedSoonAfterTheLastClient() {
        looks(20, 50, 1000, false);
        looks(5, 50, 5000, true);
        assertEquals("[8, 8, 16, 32, 64, 128, 256, 512, 1000]", transcript(9, 0, 0));
    }

    @Test
    void shouldJudgeFewRequestsSeldom() {
        looks(50, 1, 1000, false);
        rates.clear();

        looks(20, 1, 1000, true);

        assertEquals("[8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 9]", rates.toString());
    }

    @Test
    void shouldNotRiseAboveWhatIsMoved() {
        looks(20, 50, 1000, false);

        for (int i = 0; i < 100; i++) {
            counts[KIND] += 50;
            sumNs[KIND] += 50 * MS;
            pace.spend(Way.OUT, 1_000_000, nowNs);
            look(1, false);
        }

        assertEquals(20, pace.bytesPerSecond() / 1_000_000);
    }

    @Test
    void shouldPauseForWhatWasMovedInEachDirection() {
        looks(20, 50, 1000, false);

        pace.spend(Way.IN, 80_000, nowNs);

        assertEquals(10 * MS, pace.pauseNs(Way.IN, nowNs));
        assertEquals(4 * MS, pace.pauseNs(Way.IN, nowNs + 6 * MS));
        assertEquals(0, pace.pauseNs(Way.IN, nowNs + 11 * MS));
        assertEquals(0, pace.pauseNs(Way.OUT, nowNs));
        assertEquals(14 * MS, pace.pausedNs());
        assertEquals(80_000, pace.pieceBytes(1 << 20));
    }

    @Test
    void shouldNeverPauseLongerThanAPullerWaits() {
        looks(20, 50, 1000, false);

        for (int i = 0; i < 100; i++) pace.spend(Way.OUT, 1 << 20, nowNs);

        assertEquals(YieldPace.PAUSE_MAX_NS, pace.pauseNs(Way.OUT, nowNs));
    }

    /** However slow the clients are: what it may move in a minute is the floor's, but for a ms of each piece. */
    @Test
    void shouldEndUnderPermanentLoad() {
        looks(20, 50, 1000, false);
        long moved = 0;
        long endNs = nowNs + 60_000 * MS;
        long lookNs = nowNs;
        while (nowNs < endNs) {
            nowNs += MS + pace.pauseNs(Way.IN, nowNs);
            pace.spend(Way.IN, 65_536, nowNs);
            moved += 65_536;
            if (nowNs - lookNs >= YieldPace.LOOK_NS) {
                lookNs = nowNs;
                counts[KIND] += 50;
                sumNs[KIND] += 50 * 100 * MS;
                pace.onLook(counts, sumNs, 10, nowNs);
            }
        }

        assertTrue(moved >= 55 * YieldPace.FLOOR, moved + " bytes");
    }
}
