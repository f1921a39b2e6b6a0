package io.daosmesh.admin.grammar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class NaturalOrderTest {
    private final NaturalOrder order = new NaturalOrder();

    @Test
    void shouldOrderNumbersByValue() {
        List<String> sorted = List.of(
                "10.8.1.2",
                "10.8.1.10",
                "10.8.1.10:9",
                "10.8.1.10:10001",
                "a",
                "st",
                "st1",
                "st02",
                "st10",
                "st10a",
                "t1");
        List<String> mixed = new ArrayList<>(sorted);
        Collections.shuffle(mixed, new Random(7));

        mixed.sort(order);

        assertEquals(sorted, mixed);
    }

    @Test
    void shouldKeepTextsApartThatDifferInZerosAlone() {
        assertTrue(order.compare("st01", "st1") < 0);
        assertTrue(order.compare("st1", "st01") > 0);
        assertEquals(0, order.compare("st01", "st01"));
    }

    @Test
    void shouldOrderNumbersOfAnyLength() {
        assertTrue(order.compare("a99999999999999999999", "a100000000000000000000") < 0);
    }
}
