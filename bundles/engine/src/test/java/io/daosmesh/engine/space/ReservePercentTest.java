package io.daosmesh.engine.space;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ReservePercentTest {
    @Test
    void shouldReadThePropertyWithAndWithoutItsSign() {
        assertEquals(5, Reserve.percent(Map.of("space_rb", "5")));
        assertEquals(100, Reserve.percent(Map.of("space_rb", "100%")));
        assertEquals(0, Reserve.percent(Map.of()));
        for (String odd : List.of("", "%", "101", "-1", "a lot", "5%%"))
            assertEquals(0, Reserve.percent(Map.of("space_rb", odd)), odd);
    }
}
