package io.daosmesh.model.time;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class HlcTest {
    private final AtomicLong nanos = new AtomicLong(Hlc.ORIGIN_MS * 1_000_000L + 5_000_000_000L);
    private final Hlc hlc = new Hlc(nanos::get);

    @Test
    void shouldGrowEvenWhenTheClockStandsStillOrJumpsBack() {
        long a = hlc.now();
        long b = hlc.now();
        nanos.addAndGet(-4_000_000_000L);
        long c = hlc.now();

        assertTrue(a < b && b < c);
    }

    @Test
    void shouldBeAheadOfWhatItMerged() {
        long remote = hlc.now() + Hlc.EPSILON / 2;

        hlc.merge(remote);

        assertTrue(hlc.now() > remote);
    }

    @Test
    void shouldRefuseAClockTooFarAhead() {
        long remote = hlc.now() + 3 * Hlc.EPSILON;

        FaultException e = assertThrows(FaultException.class, () -> hlc.merge(remote));

        assertEquals(FaultCode.HLC_SYNC, e.code());
        assertTrue(hlc.now() < remote);
    }

    @Test
    void shouldTellHowLongItIsBehindWhatItWouldTakeIn() {
        long remote = hlc.now() + 3 * Hlc.EPSILON;

        assertEquals(2_000_000_000.0, hlc.behindNs(remote), 50_000.0);
        assertEquals(0, hlc.behindNs(hlc.peek() + Hlc.EPSILON / 2));
    }

    @Test
    void shouldTellWallClockTime() {
        assertEquals(Hlc.ORIGIN_MS + 5_000, Hlc.toUnixMillis(hlc.now()), 1);
    }
}
