package io.daosmesh.engine.shard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class WaitingTest {
    private static final int COUNT_MAX = 3;
    private static final long WAIT_NS = 100;

    private final Waiting<Integer> waiting = new Waiting<>("requests", COUNT_MAX, WAIT_NS);
    private final List<String> told = new ArrayList<>();

    private boolean add(int key, long sinceNs) {
        return waiting.add(new Waiting.Waiter<>(
                key,
                sinceNs,
                () -> told.add(key + " again"),
                f -> told.add(key + " " + f.code() + ": " + f.text()),
                () -> Fault.of(FaultCode.AGAIN, "late")));
    }

    @Test
    void shouldRefuseWhenTooManyWait() {
        for (int i = 0; i < COUNT_MAX; i++) assertTrue(add(i, 0));

        assertFalse(add(7, 0));

        assertEquals(List.of("7 BUSY: 3 requests wait already"), told);
        assertEquals(COUNT_MAX, waiting.count(k -> true));
    }

    @Test
    void shouldGiveThoseWhoseWaitIsOverInTheirOrder() {
        for (int key : List.of(2, 1, 4)) add(key, 0);

        List<Integer> over = new ArrayList<>();
        waiting.take(w -> w.key() % 2 == 0).forEach(w -> over.add(w.key()));

        assertEquals(List.of(2, 4), over);
        assertEquals(1, waiting.count(k -> k == 1));
    }

    @Test
    void shouldLetOneComeBackWhileOthersAreTriedAgain() {
        add(1, 0);
        add(2, 0);

        waiting.take(w -> true).forEach(w -> add(w.key() + 10, 0));

        assertEquals(2, waiting.count(k -> k > 10));
    }

    @Test
    void shouldSayWhyWhenTheTimeRunsOut() {
        add(1, 0);
        add(2, 1);

        waiting.onTick(WAIT_NS);

        assertEquals(List.of("1 AGAIN: late"), told);
    }

    @Test
    void shouldWaitForAsLongAsItTakesWithoutABound() {
        Waiting<Integer> patient = new Waiting<>("updates", COUNT_MAX, Waiting.UNBOUNDED_NS);
        patient.add(new Waiting.Waiter<>(1, 0, () -> {}, f -> told.add("refused"), () -> Fault.of(FaultCode.AGAIN)));

        patient.onTick(Long.MAX_VALUE - 1);

        assertEquals(List.of(), told);
    }

    @Test
    void shouldTellAllThatWaitWhyNobodyServesThem() {
        add(1, 0);
        add(2, 0);

        waiting.refuseAll(Fault.of(FaultCode.NONEXIST, "gone"));

        assertEquals(List.of("1 NONEXIST: gone", "2 NONEXIST: gone"), told);
        assertTrue(waiting.isEmpty());
    }
}
