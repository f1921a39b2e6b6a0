package io.daosmesh.control.ras;

import io.daosmesh.model.ras.RasEvent.Type;
import io.daosmesh.model.ras.RasId;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Lets at most {@value #EVENTS_MAX} INFO_ONLY events of one id through in {@value #WINDOW_S} seconds and counts the others;
 * STATE_CHANGE events always pass. One counter an id, so it does not grow. Any thread, one short lock; time comes in.
 */
final class RateLimit {
    static final int EVENTS_MAX = 100;
    static final int WINDOW_S = 10;
    private static final long WINDOW_NS = WINDOW_S * 1_000_000_000L;

    private static final class Window {
        long startNs;
        int passed;
        long held;
    }

    /** How many events of an id were not told. */
    record Held(RasId id, long count) {}

    private final Map<RasId, Window> windows = new EnumMap<>(RasId.class);

    synchronized boolean passes(RasId id, long nowNs) {
        if (id.type() == Type.STATE_CHANGE) return true;
        Window w = windows.computeIfAbsent(id, x -> begun(nowNs));
        // with events held back the window ends when that is told
        if (nowNs - w.startNs >= WINDOW_NS && w.held == 0) {
            w.startNs = nowNs;
            w.passed = 0;
        }
        if (w.passed < EVENTS_MAX) {
            w.passed++;
            return true;
        }
        w.held++;
        return false;
    }

    /** What was held back in windows that are over; each is told once, and its id may pass again. */
    synchronized List<Held> due(long nowNs) {
        List<Held> due = new ArrayList<>();
        windows.forEach((id, w) -> {
            if (w.held == 0 || nowNs - w.startNs < WINDOW_NS) return;
            due.add(new Held(id, w.held));
            w.startNs = nowNs;
            w.passed = 0;
            w.held = 0;
        });
        return due;
    }

    private static Window begun(long nowNs) {
        Window w = new Window();
        w.startNs = nowNs;
        return w;
    }
}
