package io.daosmesh.control.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.daosmesh.model.fault.FaultException;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LogMasksTest {
    @Test
    void shouldMapMasksToLoggers() {
        assertEquals(
                Map.of("io.daosmesh", "ERROR", "io.daosmesh.management", "DEBUG"), LogMasks.parse("ERR,mgmt=DEBUG"));
        assertEquals(Map.of("io.daosmesh", "INFO"), LogMasks.parse("note"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "LOUD", "nothing=DEBUG", "mgmt=", "ERR,,", "=ERR"})
    void shouldRefuseUnknownLevelsAndFacilities(String masks) {
        assertThrows(FaultException.class, () -> LogMasks.parse(masks));
    }
}
