package io.daosmesh.storage.slot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class UnansweredTest {
    private static final long SECOND_NS = 1_000_000_000L;

    private final Unanswered unanswered = new Unanswered(2 * SECOND_NS);

    @Test
    void shouldGiveUpTheOldestFirst() {
        List<BlobOp> given = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            given.add(BlobOp.flush(fault -> {}));
            unanswered.add(given.get(i));
        }

        List<BlobOp> late = List.of();
        for (int s = 0; s < 4; s++) late = unanswered.onLook(s * SECOND_NS);

        assertEquals(given, late);
        assertTrue(unanswered.isSilent());
    }

    @Test
    void shouldNotGiveUpWhatWasAnsweredInTime() {
        BlobOp op = BlobOp.flush(fault -> {});
        unanswered.add(op);
        unanswered.onLook(0);

        assertTrue(unanswered.remove(op));

        for (int s = 1; s < 4; s++) assertEquals(List.of(), unanswered.onLook(s * SECOND_NS));
        assertFalse(unanswered.isSilent());
    }
}
