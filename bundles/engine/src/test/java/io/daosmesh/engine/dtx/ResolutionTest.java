package io.daosmesh.engine.dtx;

import static io.daosmesh.engine.dtx.Resolution.Outcome.ABORT;
import static io.daosmesh.engine.dtx.Resolution.Outcome.ASK_AGAIN;
import static io.daosmesh.engine.dtx.Resolution.Outcome.COMMIT;
import static io.daosmesh.engine.dtx.Resolution.Vote.COMMITTED;
import static io.daosmesh.engine.dtx.Resolution.Vote.NO_ANSWER;
import static io.daosmesh.engine.dtx.Resolution.Vote.PREPARED;
import static io.daosmesh.engine.dtx.Resolution.Vote.UNKNOWN;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class ResolutionTest {
    @Test
    void shouldFollowTheTable() {
        assertEquals(COMMIT, Resolution.decide(List.of()));
        assertEquals(COMMIT, Resolution.decide(List.of(PREPARED)));
        assertEquals(COMMIT, Resolution.decide(List.of(PREPARED, PREPARED)));
        assertEquals(COMMIT, Resolution.decide(List.of(COMMITTED, PREPARED)));
        assertEquals(COMMIT, Resolution.decide(List.of(COMMITTED, NO_ANSWER)));
        assertEquals(COMMIT, Resolution.decide(List.of(COMMITTED, UNKNOWN)));
        assertEquals(ABORT, Resolution.decide(List.of(UNKNOWN)));
        assertEquals(ABORT, Resolution.decide(List.of(PREPARED, UNKNOWN)));
        assertEquals(ABORT, Resolution.decide(List.of(UNKNOWN, NO_ANSWER)));
        assertEquals(ASK_AGAIN, Resolution.decide(List.of(NO_ANSWER)));
        assertEquals(ASK_AGAIN, Resolution.decide(List.of(PREPARED, NO_ANSWER)));
    }
}
