package io.daosmesh.itests.mesh.chaos;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class LedgerTest {
    private final Map<String, Set<String>> notes = new HashMap<>();

    private boolean mayBe(String found) {
        return Ledger.mayBe(notes.getOrDefault("k", Set.of()), found);
    }

    @Test
    void shouldTakeTheLastAcknowledgedValueOnly() {
        Ledger.noted(notes, "k", "1", true);
        Ledger.noted(notes, "k", "2", true);

        assertTrue(mayBe("2"));
        assertFalse(mayBe("1"));
        assertFalse(mayBe(""));
    }

    /** Its answer is missing: it may have been done, or be done later. */
    @Test
    void shouldTakeWhatWasNotAnsweredBesides() {
        Ledger.noted(notes, "k", "1", true);
        Ledger.noted(notes, "k", "2", false);
        Ledger.noted(notes, "k", "3", true);

        assertTrue(mayBe("2"));
        assertTrue(mayBe("3"));
        assertFalse(mayBe("1"));
    }

    @Test
    void shouldTakeTheOldValueWhileNothingWasAcknowledged() {
        Ledger.noted(notes, "k", "1", false);

        assertTrue(mayBe("1"));
        assertTrue(mayBe("what was there before"));
    }

    @Test
    void shouldNotUsePoolsThatMayBeGone() {
        Ledger ledger = new Ledger();
        ledger.add("a", Ledger.Fate.THERE);
        ledger.add("b", Ledger.Fate.UNSURE);

        assertEquals(
                List.of("a"), ledger.poolsThere().stream().map(p -> p.label).toList());
    }
}
