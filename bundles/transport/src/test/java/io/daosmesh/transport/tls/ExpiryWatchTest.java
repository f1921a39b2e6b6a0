package io.daosmesh.transport.tls;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.daosmesh.transport.tls.ExpiryWatch.Warning;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ExpiryWatchTest {
    private static final Instant END = Instant.parse("2030-01-31T00:00:00Z");
    private static final Map<String, Instant> ENDS = Map.of("own", END);

    private final ExpiryWatch watch = new ExpiryWatch();

    private List<Warning> at(Duration beforeEnd) {
        return watch.onTick(END.minus(beforeEnd), ENDS);
    }

    @Test
    void shouldTellOnceADayFromThirtyDaysAhead() {
        Warning warning = new Warning("own", END);

        assertEquals(List.of(), at(Duration.ofDays(30).plusSeconds(1)));
        assertEquals(List.of(warning), at(Duration.ofDays(30)));
        assertEquals(List.of(), at(Duration.ofDays(30).minusSeconds(2)));
        assertEquals(List.of(), at(Duration.ofDays(29).plusSeconds(1)));
        assertEquals(List.of(warning), at(Duration.ofDays(29)));
        assertEquals(List.of(warning), at(Duration.ofDays(-3)));
    }

    @Test
    void shouldTellAgainOfARenewedOne() {
        Instant next = END.plus(Duration.ofDays(365));
        at(Duration.ofDays(2));

        assertEquals(List.of(), watch.onTick(END, Map.of("own", next)));
        assertEquals(
                List.of(new Warning("own", next)), watch.onTick(next.minus(Duration.ofDays(1)), Map.of("own", next)));
    }
}
