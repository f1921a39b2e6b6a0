package io.daosmesh.model.port;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.daosmesh.model.ras.RasEvent.Severity;
import io.daosmesh.model.ras.RasId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class KeptRasTest {
    private final List<String> told = new ArrayList<>();
    private final Ras service = (id, severity, message, fields) -> told.add(message);
    private final KeptRas kept = new KeptRas();

    private void raise(String message) {
        kept.raise(RasId.ENGINE_DIED, Severity.ERROR, message, Map.of());
    }

    @Test
    void shouldTellWhatHappenedBeforeTheServiceCameInOrder() {
        raise("one");
        raise("two");
        kept.bind(service);
        raise("three");
        kept.unbind(service);
        raise("four");

        assertEquals(List.of("one", "two", "three"), told);
        kept.bind(service);
        assertEquals(List.of("one", "two", "three", "four"), told);
    }

    @Test
    void shouldNotGrow() {
        for (int i = 0; i < 10 * KeptRas.KEPT_MAX; i++) raise("x");

        kept.bind(service);

        assertEquals(KeptRas.KEPT_MAX, told.size());
    }
}
