package io.daosmesh.itests.mesh.torture;

import io.daosmesh.client.KeyValue;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The entries of one key-value object, listed and compared with the model. Any thread. */
record Shelf(Promise promise, KeyValue store, List<Place> places, Journal journal) {
    private static final Duration CALL_MAX = Duration.ofSeconds(100);

    private record Before(int writes, Optional<Boolean> isThere) {}

    /** Only what nobody changed meanwhile can be judged. */
    void list() {
        Map<Place, Before> before = new HashMap<>();
        for (Place p : places) before.put(p, new Before(p.writes(), p.isThere()));
        String call = promise.objectClass() + " list";
        long beganMs = journal.nowMs();
        Set<String> found;
        try {
            List<String> keys = store.list()
                    .map(k -> new String(k, StandardCharsets.UTF_8))
                    .collectList()
                    .block(CALL_MAX);
            found = new HashSet<>(keys == null ? List.of() : keys);
        } catch (RuntimeException e) {
            journal.failed(call, e, store.id() + ": ");
            return;
        }
        journal.done(call, journal.nowMs() - beganMs);
        before.forEach((place, then) -> {
            boolean isListed = place.spot() instanceof Spot.Entry e && found.contains(e.key());
            boolean isWrong = then.isThere().isPresent() && then.isThere().get() != isListed;
            if (!isWrong || place.writes() != then.writes()) return;
            journal.violation(
                    "%s is %s from %.3f s on, but it is %s",
                    place, isListed ? "listed" : "not listed", beganMs / 1e3, isListed ? "absent" : "there");
        });
    }
}
