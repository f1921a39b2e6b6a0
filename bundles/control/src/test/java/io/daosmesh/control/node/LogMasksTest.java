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

    @Test
    void shouldLetOnlySomeStreamsAndSubsystemsDebug() {
        Map<String, String> io = LogMasks.parse("DEBUG", "io", "");

        assertEquals("INFO", io.get("io.daosmesh"));
        assertEquals("DEBUG", io.get("io.daosmesh.engine"));
        assertEquals("INFO", io.get("io.daosmesh.management"));
        Map<String, String> both = LogMasks.parse("ERR,vos=DEBUG,mgmt=DEBUG", "md,trace", "mgmt");
        assertEquals("ERROR", both.get("io.daosmesh"));
        assertEquals("INFO", both.get("io.daosmesh.engine"));
        assertEquals("TRACE", both.get("io.daosmesh.management"));
        assertEquals("TRACE", both.get("io.daosmesh.management.maps"));
        assertEquals(Map.of("io.daosmesh", "DEBUG"), LogMasks.parse("DEBUG", "any", "all"));
    }

    @Test
    void shouldRefuseUnknownStreamsAndSubsystems() {
        assertThrows(FaultException.class, () -> LogMasks.parse("DEBUG", "loud", ""));
        assertThrows(FaultException.class, () -> LogMasks.parse("DEBUG", "io,", ""));
        assertThrows(FaultException.class, () -> LogMasks.parse("DEBUG", "", "nothing"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "LOUD", "nothing=DEBUG", "mgmt=", "ERR,,", "=ERR"})
    void shouldRefuseUnknownLevelsAndFacilities(String masks) {
        assertThrows(FaultException.class, () -> LogMasks.parse(masks));
    }
}
