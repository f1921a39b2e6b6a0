package io.daosmesh.storage.health;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class SeenTimeTest {
    private static final long MS = 1_000_000L;

    private final SeenTime time = new SeenTime();

    @Test
    void shouldPassWhileSomebodyLooks() {
        for (long at = 5_000; at <= 15_000; at += 250) time.onLook(at * MS);

        assertEquals(10_000 * MS, time.ns());
    }

    /** A process that was stopped for a minute has not seen its devices do nothing for a minute. */
    @Test
    void shouldHardlyPassWhileNobodyLooks() {
        time.onLook(0);
        time.onLook(60_000 * MS);

        assertEquals(SeenTime.STEP_NS_MAX, time.ns());
    }
}
