package io.daosmesh.client.hedge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;

class LatenciesTest {
    private final Latencies latencies = new Latencies();

    private void record(long nanos, int times) {
        for (int i = 0; i < times; i++) latencies.record(nanos);
    }

    private void assertAbout(long nanos) {
        long p99Ns = latencies.p99Ns();
        assertTrue(p99Ns >= nanos && p99Ns <= nanos + nanos / 4 + 4_000, p99Ns + " for " + nanos);
    }

    @Test
    void shouldSayNothingAboutOneInAHundredOfAFew() {
        record(1_000_000, Latencies.SAMPLES_MIN - 1);
        assertEquals(0, latencies.p99Ns());

        record(1_000_000, 1);

        assertAbout(1_000_000);
    }

    @Test
    void shouldFindWhatOneInAHundredExceeds() {
        record(200_000, 980);
        record(7_000_000, 20);
        assertAbout(7_000_000);

        record(200_000, 2_000);

        assertAbout(200_000);
    }

    @Test
    void shouldBeOffByAQuarterAtMostWhateverTheLatency() {
        Random random = new Random(1);
        for (int i = 0; i < 200; i++) {
            Latencies one = new Latencies();
            long nanos = (long) Math.pow(10, 4 + random.nextDouble() * 6);
            for (int k = 0; k < Latencies.SAMPLES_MIN; k++) one.record(nanos);
            long p99Ns = one.p99Ns();
            assertTrue(p99Ns >= nanos && p99Ns <= nanos + nanos / 4 + 4_000, p99Ns + " for " + nanos);
        }
    }

    @Test
    void shouldTakeTheLongestForOne() {
        record(Long.MAX_VALUE, 100);

        assertTrue(latencies.p99Ns() > 1_000_000_000_000L);
    }

    @Test
    void shouldForgetWhatIsTwoWindowsOld() {
        record(900_000_000, 100);
        latencies.turn();
        record(1_000_000, 100);
        assertAbout(900_000_000);
        latencies.turn();

        assertAbout(1_000_000);
    }

    @Test
    void shouldKeepWhatItKnowsWhileLittleHappens() {
        record(1_000_000, 100);
        for (int i = 0; i < 5; i++) latencies.turn();

        assertAbout(1_000_000);
    }
}
