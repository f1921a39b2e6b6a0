package io.daosmesh.engine.scrub;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Ticks of 50 ms in, the number of values that may be read out. */
class ScrubPaceTest {
    private static final int VALUE_BYTES = 1 << 20;

    private final ScrubPace pace = new ScrubPace(0);
    private long nowNs;
    private long operations;

    private int tick(ScrubPolicy.Mode mode, boolean isAtWork) {
        nowNs += 50_000_000L;
        pace.onTick(mode, operations, isAtWork, nowNs);
        int count = 0;
        for (; pace.mayRead(operations); count++) pace.spend(VALUE_BYTES);
        return count;
    }

    private List<Integer> ticks(ScrubPolicy.Mode mode, int count, boolean isUsed) {
        List<Integer> values = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            if (isUsed) operations++;
            values.add(tick(mode, false));
        }
        return values;
    }

    @Test
    void shouldReadLazilyOnlyAfterASecondWithoutRequests() {
        List<Integer> firstSecond = ticks(ScrubPolicy.Mode.LAZY, 19, false);
        assertEquals(List.of(0), firstSecond.stream().distinct().toList());
        assertEquals(List.of(4, 4), ticks(ScrubPolicy.Mode.LAZY, 2, false));
        assertEquals(
                List.of(0),
                ticks(ScrubPolicy.Mode.LAZY, 100, true).stream().distinct().toList(),
                "never while it is used");
        List<Integer> after = ticks(ScrubPolicy.Mode.LAZY, 21, false);
        assertEquals(2, after.stream().filter(n -> n > 0).count());
    }

    @Test
    void shouldReadOneValueInAFewTicksWhenTimedAndInUse() {
        assertEquals(List.of(4, 4), ticks(ScrubPolicy.Mode.TIMED, 2, false));
        assertEquals(List.of(0, 0, 0, 1, 0, 0, 0, 1), ticks(ScrubPolicy.Mode.TIMED, 8, true));
        assertEquals(0, tick(ScrubPolicy.Mode.TIMED, true), "a commit under way");
        assertEquals(List.of(4), ticks(ScrubPolicy.Mode.TIMED, 1, false));
    }

    @Test
    void shouldStopAtOnceWhenSomebodyAsks() {
        pace.onTick(ScrubPolicy.Mode.TIMED, 0, false, 50_000_000L);
        assertEquals(true, pace.mayRead(0));
        assertEquals(false, pace.mayRead(1));
    }

    @Test
    void shouldBoundShortRecordsOfATickToo() {
        pace.onTick(ScrubPolicy.Mode.TIMED, 0, false, 50_000_000L);
        int count = 0;
        for (; pace.mayRead(0); count++) pace.spend(1);
        assertEquals(2048, count);
    }
}
