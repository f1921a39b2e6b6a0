package io.daosmesh.cli.events;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.wire.RasEventMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class TimeOrderTest {
    private static final long MS = 1_000_000L;

    private final TimeOrder order = new TimeOrder();
    private final List<Long> shown = new ArrayList<>();

    private void on(long timeUs, long nowMs) {
        show(order.on(Optional.of(event(timeUs)), nowMs * MS));
    }

    private void passed(long nowMs) {
        show(order.on(Optional.empty(), nowMs * MS));
    }

    private void show(List<RasEventMessage> events) {
        events.forEach(e -> shown.add(e.getTimestampUs()));
    }

    private static RasEventMessage event(long timeUs) {
        return RasEventMessage.newBuilder().setTimestampUs(timeUs).build();
    }

    @Test
    void shouldShowEventsOfSeveralNodesByTheirTimes() {
        on(30, 0);
        on(10, 100);
        on(20, 200);
        on(40, 400);
        assertEquals(List.of(), shown);

        passed(500);
        assertEquals(List.of(10L, 20L, 30L), shown);
        passed(899);
        assertEquals(3, shown.size());
        passed(900);
        assertEquals(List.of(10L, 20L, 30L, 40L), shown);
    }

    @Test
    void shouldShowWhatComesTooLateWhenItComes() {
        on(30, 0);
        passed(600);
        on(10, 700);
        passed(1_200);

        assertEquals(List.of(30L, 10L), shown);
    }

    @Test
    void shouldNotGrow() {
        for (int i = 0; i < 10 * TimeOrder.WAITING_MAX; i++) on(i, 0);

        assertTrue(shown.size() >= 9 * TimeOrder.WAITING_MAX);
    }
}
