package io.daosmesh.engine.scrub;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ScrubPolicyTest {
    @Test
    void shouldTakeDefaultsForWhatIsNotSaid() {
        assertEquals(
                new ScrubPolicy(ScrubPolicy.Mode.OFF, 604_800_000_000_000L, 0, Set.of()), ScrubPolicy.of(Map.of()));
        assertEquals(ScrubPolicy.NONE, ScrubPolicy.of(Map.of()));
        assertEquals(
                new ScrubPolicy(ScrubPolicy.Mode.TIMED, 60_000_000_000L, 7, Set.of()),
                ScrubPolicy.of(Map.of("scrub", "timed", "scrub_freq", "60", "scrub_thresh", "7", "reclaim", "lazy")));
        assertEquals(
                ScrubPolicy.Mode.LAZY, ScrubPolicy.of(Map.of("scrub", "lazy")).mode());
    }

    @Test
    void shouldTakeDefaultsForWhatItDoesNotUnderstand() {
        for (String odd : List.of("", "on", "Timed", "timed;lazy"))
            assertEquals(
                    ScrubPolicy.Mode.OFF, ScrubPolicy.of(Map.of("scrub", odd)).mode());
        for (String odd : List.of("", "0", "-1", "1e3", "31449601", "99999999999999999999"))
            assertEquals(
                    604_800_000_000_000L,
                    ScrubPolicy.of(Map.of("scrub_freq", odd)).periodNs());
        for (String odd : List.of("", "-1", "all", "99999999999999999999"))
            assertEquals(0, ScrubPolicy.of(Map.of("scrub_thresh", odd)).corruptionMax());
    }
}
