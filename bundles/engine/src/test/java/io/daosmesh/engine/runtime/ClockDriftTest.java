package io.daosmesh.engine.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.time.Hlc;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ClockDriftTest {
    private static final long MS = 1_000_000L;

    /** At the beginning of a tick of the hybrid clock. */
    private long wallNs = 1L << 40;

    private long waitedMs;
    private final Hlc hlc = new Hlc(() -> Hlc.ORIGIN_MS * MS + wallNs);
    private final List<String> events = new ArrayList<>();
    private final ClockDrift drift = new ClockDrift(
            hlc,
            3,
            10_000,
            (id, message, fields) -> events.add(id + " rank " + fields.get("rank") + " "
                    + fields.get("data").replaceAll(".* is (\\d+) ms .*", "$1")));

    private long ahead(long ms) {
        return Hlc.fromNanos(wallNs + ms * MS);
    }

    private void pass(long ms) {
        waitedMs += ms;
        wallNs += ms * MS;
    }

    @Test
    void shouldWaitForAClockThatIsBehindAndTellOfIt() {
        long newest = ahead(5_000);
        drift.found(newest);
        drift.found(ahead(-7_000));

        drift.awaitFound(this::pass);

        assertTrue(hlc.now() > newest);
        assertEquals(4_000, waitedMs, 2, "what is within a second of it is taken in");
        assertEquals(List.of("ENGINE_CLOCK_DRIFT rank 3 4000"), events);
    }

    @Test
    void shouldGoOnWhenTheClockIsMendedMeanwhile() {
        drift.found(ahead(9_000));

        drift.awaitFound(ms -> {
            pass(ms);
            wallNs += 20_000 * MS;
        });

        assertTrue(waitedMs <= 100, waitedMs + " ms");
    }

    @Test
    void shouldNotWaitForNothing() {
        drift.awaitFound(this::pass);
        drift.found(ahead(900));

        drift.awaitFound(this::pass);

        assertEquals(0, waitedMs);
        assertEquals(List.of(), events);
    }

    @Test
    void shouldRefuseAStartWhenTheClockIsTooFarBehind() {
        drift.found(ahead(60_000));

        FaultException e = assertThrows(FaultException.class, () -> drift.awaitFound(this::pass));

        assertEquals(FaultCode.HLC_SYNC, e.code());
        assertTrue(e.fault().message().contains("59000 ms behind the newest record"), e.fault()::message);
        assertTrue(e.fault().remedy().contains("NTP"), e.fault()::remedy);
        assertEquals(0, waitedMs);
        assertEquals(List.of("ENGINE_CLOCK_DRIFT rank 3 59000"), events);
    }

    @Test
    void shouldNotWaitForeverForAClockThatStandsStill() {
        drift.found(ahead(3_000));

        assertThrows(FaultException.class, () -> drift.awaitFound(ms -> waitedMs += ms));

        assertTrue(waitedMs > 10_000 && waitedMs < 12_000, waitedMs + " ms");
    }

    @Test
    void shouldRefuseWhatComesFromFarAheadAndTellOfItOnce() {
        long epoch = ahead(3_000);

        for (int i = 0; i < 5; i++) {
            FaultException e = assertThrows(FaultException.class, () -> drift.merge(epoch));
            assertEquals(FaultCode.HLC_SYNC, e.code());
        }

        assertEquals(List.of("ENGINE_CLOCK_DRIFT rank 3 2000"), events);
        drift.merge(ahead(500));
        assertTrue(hlc.now() > ahead(500));
    }
}
