package io.daosmesh.engine.rank;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.engine.shard.Access;
import io.daosmesh.model.pool.TargetState;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Requests that speak of a newer map than the target has: some lie. */
class ParkingTest extends TargetFixture {
    private static final int LIE = Integer.MAX_VALUE;

    private final List<String> liar = new ArrayList<>();
    private final List<String> honest = new ArrayList<>();
    private int number;

    @BeforeEach
    void start() {
        start(map(1, TargetState.UPIN));
    }

    private void ask(String who, int version, List<String> out) {
        target.setAsker(who);
        number++;
        target.write(
                write(single, "k" + number, 10, version, id(number)),
                (v, f) -> out.add(f == null ? "ok" : f.code().name()));
        target.setAsker(null);
        loop.drain();
    }

    @Test
    void shouldGiveEachAskerItsShareWhenOneIsGreedy() {
        for (int i = 0; i < Access.PARKED_MAX; i++) ask("greedy", LIE, liar);
        for (int i = 0; i < Access.PARKED_OF_ASKER_MAX; i++) ask("honest", 2, honest);

        assertEquals(
                Collections.nCopies(Access.PARKED_MAX - Access.PARKED_OF_ASKER_MAX, "BUSY"),
                liar,
                "more than its share is refused");
        assertEquals(List.of(), honest, "all wait");
        target.onMap(map(2, TargetState.UPIN));
        loop.drain();
        assertEquals(Collections.nCopies(Access.PARKED_OF_ASKER_MAX, "ok"), honest);
    }

    @Test
    void shouldParkNoMoreThanItCanWhenManyAsk() {
        for (int i = 0; i < Access.PARKED_MAX + 10; i++) ask("asker " + i, 2, honest);

        assertEquals(Collections.nCopies(10, "BUSY"), honest);
    }

    @Test
    void shouldRefuseAtOnceWhatThePoolServiceDoesNotConfirm() {
        ask("liar", LIE, liar);
        ask("honest", 3, honest);
        nowNs += 1_000;
        long askedNs = nowNs;
        nowNs += 1_000;
        ask("late", LIE, honest);

        target.onMap(map(3, TargetState.UPIN));
        target.onNewestMap(pool, 3, askedNs);
        loop.drain();

        assertEquals(List.of("STALE"), liar);
        assertEquals(List.of("ok"), honest, "who came after the question may know more than its answer");
        nowNs += Access.PARK_NS;
        target.onTick();
        loop.drain();
        assertEquals(List.of("ok", "AGAIN"), honest);
    }

    @Test
    void shouldGiveBackTheShareWhenTheWaitIsOver() {
        for (int i = 0; i < Access.PARKED_OF_ASKER_MAX; i++) ask("greedy", 2, liar);
        target.onMap(map(2, TargetState.UPIN));
        loop.drain();
        liar.clear();

        for (int i = 0; i < Access.PARKED_OF_ASKER_MAX; i++) ask("greedy", 3, liar);

        assertTrue(liar.isEmpty(), "all wait again");
    }
}
