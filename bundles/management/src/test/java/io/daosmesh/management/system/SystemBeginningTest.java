package io.daosmesh.management.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class SystemBeginningTest {
    private static final List<String> THREE = List.of("c:1", "a:1", "b:1");

    private static Optional<String> refusal(
            String address, List<String> replicas, boolean forgotten, boolean ofSystem) {
        return SystemBeginning.refusal(new SystemBeginning.Seen(address, replicas, forgotten, ofSystem));
    }

    @Test
    void shouldLetTheFirstByAddressBegin() {
        assertEquals(Optional.empty(), refusal("a:1", THREE, false, false));
        assertEquals(Optional.empty(), refusal("a:1", List.of("a:1"), false, false));
        assertTrue(refusal("c:1", THREE, false, false).orElseThrow().contains("a:1 begins it"));
    }

    @Test
    void shouldLetNobodyBeginThatHasBeenInASystem() {
        for (String address : THREE) {
            assertTrue(refusal(address, THREE, true, false).orElseThrow().contains("from the other access points"));
            assertTrue(refusal(address, THREE, false, true).orElseThrow().contains("from the other access points"));
        }
        assertTrue(refusal("a:1", List.of("a:1"), false, true).orElseThrow().contains("there is no other replica"));
    }
}
