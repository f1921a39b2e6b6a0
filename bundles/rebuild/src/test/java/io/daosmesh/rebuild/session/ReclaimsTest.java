package io.daosmesh.rebuild.session;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class ReclaimsTest {
    private static final UUID POOL = new UUID(1, 1);

    private final List<Integer> asked = new ArrayList<>();
    private final Reclaims reclaims = new Reclaims((pool, version) -> asked.add(version));

    @Test
    void shouldTryAgainUntilItIsDone() {
        long now = 0;
        reclaims.add(POOL, 6, now);
        for (long pauseNs = Reclaims.RETRY_MIN_NS; pauseNs <= Reclaims.RETRY_MAX_NS; pauseNs *= 2) {
            asked.clear();
            reclaims.onFailed(POOL, now);
            reclaims.onTick(now + pauseNs - 1);
            assertEquals(List.of(), asked);
            now += pauseNs;
            reclaims.onTick(now);
            reclaims.onTick(now);
            assertEquals(List.of(6), asked, "once at a time");
        }

        reclaims.onDone(POOL, 6, now);
        reclaims.onTick(Long.MAX_VALUE);
        reclaims.add(POOL, 6, now);

        assertEquals(List.of(6), asked, "once for each map");
        assertEquals(0, reclaims.count());
    }

    @Test
    void shouldRunAgainForAMapThatCameMeanwhile() {
        reclaims.add(POOL, 6, 0);
        reclaims.add(POOL, 8, 0);
        reclaims.add(POOL, 7, 0);
        reclaims.onDone(POOL, 6, 0);
        assertEquals(List.of(6, 8), asked);

        reclaims.onDone(POOL, 8, 0);

        assertEquals(0, reclaims.count());
    }

    @Test
    void shouldForgetAPoolThatIsGone() {
        reclaims.add(POOL, 6, 0);
        reclaims.onFailed(POOL, 0);

        reclaims.onPoolGone(POOL);
        reclaims.onTick(Long.MAX_VALUE);

        assertEquals(List.of(6), asked);
        assertEquals(0, reclaims.count());
    }
}
