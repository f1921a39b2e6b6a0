package io.daosmesh.management.log;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class LostVotersTest {
    private final LostVoters lost = new LostVoters();

    private void assertNext(String expected) {
        assertEquals(Optional.of(expected).filter(e -> !e.isEmpty()), lost.next(List.of("a", "b", "c")));
    }

    @Test
    void shouldNameTheFirstThatWasFoundLostTwiceInARow() {
        lost.onLook(List.of("c", "b"));
        assertNext("");
        lost.onLook(List.of("b", "c", "d"));

        assertNext("b");
        assertNext("");
    }

    @Test
    void shouldForgetWhoWasThereInBetween() {
        lost.onLook(List.of("b"));
        lost.onLook(List.of());
        lost.onLook(List.of("b"));
        assertNext("");
        lost.onLook(List.of("b"));
        lost.onLook(List.of());

        assertNext("");
    }

    @Test
    void shouldNameVotersOnly() {
        lost.onLook(List.of("d"));
        lost.onLook(List.of("d"));

        assertNext("");
    }
}
