package io.daosmesh.itests.mesh.chaos;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.daosmesh.itests.mesh.chaos.Ledger.Fate;
import io.daosmesh.itests.mesh.chaos.Screen.Answer;
import org.junit.jupiter.api.Test;

class LedgerTest {
    @Test
    void shouldTakeWhatARefusalLeftForWhatItWas() {
        assertEquals(Fate.GONE, Fate.made(Answer.REFUSED));
        assertEquals(Fate.THERE, Fate.ended(Answer.REFUSED));
    }

    /** Whose answer is missing may be carried out later. */
    @Test
    void shouldStayUnsureUntilItIsSeenToHaveHappened() {
        Fate making = Fate.made(Answer.UNKNOWN);
        Fate ending = Fate.ended(Answer.UNKNOWN);

        assertEquals(making, making.seen(false));
        assertEquals(ending, ending.seen(true));
        assertEquals(Fate.THERE, making.seen(true));
        assertEquals(Fate.GONE, ending.seen(false));
    }

    @Test
    void shouldNotBeMovedByALook() {
        assertEquals(Fate.THERE, Fate.THERE.seen(false));
        assertEquals(Fate.GONE, Fate.GONE.seen(true));
    }
}
