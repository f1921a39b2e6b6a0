package io.daosmesh.transport.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** What the log hears of refusals. */
class RefusalsTest {
    private long nowNs = 1;
    private final Refusals refusals = new Refusals(() -> nowNs);

    @Test
    void shouldSayOnceAndThenCount() {
        assertEquals("no", refusals.line("10.0.0.1 NO_PERM", "no"));
        for (int i = 0; i < 1000; i++) assertEquals("", refusals.line("10.0.0.1 NO_PERM", "no"));
        nowNs += Refusals.AGAIN_NS;

        assertEquals("no (and 1000 more like it)", refusals.line("10.0.0.1 NO_PERM", "no"));
    }

    @Test
    void shouldBoundLinesOfManyAddresses() {
        int lines = 0;
        for (int i = 0; i < 10_000; i++) if (!refusals.line("host" + i, "no").isEmpty()) lines++;

        assertTrue(lines <= Refusals.KINDS_MAX + 1, lines + " lines");
    }

    @Test
    void shouldLetNothingForgeLinesOrSteerTerminals() {
        assertEquals("system 'x?&&& RAS EVENT?[2J?'", Refusals.plain("system 'x\n&&& RAS EVENT\u001b[2J\u009b'"));
        assertTrue(Refusals.plain("x".repeat(100_000)).length() < 300);
    }
}
