package io.daosmesh.transport.tls;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Tells early that a certificate ends: each day once, from 30 days ahead. Owner: the thread that watches. Pure. */
final class ExpiryWatch {
    static final Duration AHEAD = Duration.ofDays(30);
    private static final Duration AGAIN = Duration.ofDays(1);

    private final Map<String, Instant> told = new HashMap<>();

    /** @param which own, ca or crl */
    record Warning(String which, Instant at) {}

    List<Warning> onTick(Instant now, Map<String, Instant> ends) {
        List<Warning> out = new ArrayList<>();
        told.keySet().retainAll(ends.keySet());
        ends.forEach((which, at) -> {
            if (now.isBefore(at.minus(AHEAD))) {
                told.remove(which);
                return;
            }
            Instant last = told.get(which);
            if (last != null && now.isBefore(last.plus(AGAIN))) return;
            told.put(which, now);
            out.add(new Warning(which, at));
        });
        return out;
    }
}
