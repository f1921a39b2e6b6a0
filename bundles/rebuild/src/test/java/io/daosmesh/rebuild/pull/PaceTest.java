package io.daosmesh.rebuild.pull;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class PaceTest {
    private static final long MB = 1_000_000;
    private static final long SECOND = 1_000_000_000L;

    private final Pace pace = new Pace();

    @Test
    void shouldKeepToItsRate() {
        long now = -5 * SECOND;
        long start = now;
        for (int i = 0; i < 100; i++) now += pace.pauseNs(MB, 10 * MB, now);

        assertEquals(10 * SECOND, now - start);
    }

    @Test
    void shouldShareTheRateOfPullsSideBySide() {
        assertEquals(SECOND / 10, pace.pauseNs(MB, 10 * MB, 0));
        assertEquals(SECOND / 5, pace.pauseNs(MB, 10 * MB, 0));
    }

    @Test
    void shouldSaveNothingUpWhileNothingComes() {
        pace.pauseNs(MB, 10 * MB, 0);

        assertEquals(SECOND / 10, pace.pauseNs(MB, 10 * MB, 60 * SECOND));
    }

    @Test
    void shouldObeyANewRateAtOnce() {
        pace.pauseNs(10 * MB, 10 * MB, 0);

        assertEquals(0, pace.pauseNs(MB, 0, 0));
        assertEquals(SECOND / 100, pace.pauseNs(MB, 100 * MB, 0));
    }

    @Test
    void shouldNeverPauseForLong() {
        assertEquals(Pace.PAUSE_MAX_NS, pace.pauseNs(100 * MB, MB, 0));
        assertEquals(Pace.PAUSE_MAX_NS, pace.pauseNs(100 * MB, MB, 0));
    }
}
