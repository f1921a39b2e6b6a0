package io.daosmesh.storage.health;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.Invariant;
import io.daosmesh.storage.DeviceState;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class DeviceLifeTest {
    private final List<String> told = new ArrayList<>();

    private DeviceLife life(DeviceState first) {
        return new DeviceLife(first, DeviceLife.IO_ERRORS_MAX, 5, (old, next, reason) -> told.add(old + ">" + next));
    }

    @Test
    void shouldBecomeFaultyAboveTenErrors() {
        DeviceLife life = life(DeviceState.NORMAL);
        for (int i = 0; i < 5; i++) {
            life.onReadError();
            life.onWriteError();
        }
        assertFalse(life.checkCriteria());

        life.onReadError();

        assertTrue(life.checkCriteria());
        assertFalse(life.checkCriteria(), "once");
        assertEquals(List.of("NORMAL>FAULTY"), told);
    }

    @Test
    void shouldCountChecksumErrorsApart() {
        DeviceLife life = life(DeviceState.NORMAL);
        for (int i = 0; i < 6; i++) life.onChecksumError();

        assertTrue(life.checkCriteria());
    }

    @Test
    void shouldStayOutWhenFaultyDeviceIsPluggedAgain() {
        DeviceLife life = life(DeviceState.NORMAL);
        life.transition(DeviceState.FAULTY, "test");
        life.onUnplugged("pulled");
        life.onPlugged("back");

        assertEquals(DeviceState.OUT, life.state());
        assertEquals("EVICTED", life.state().shown());
    }

    @Test
    void shouldServeAgainWhenPlugged() {
        DeviceLife life = life(DeviceState.NORMAL);
        life.onUnplugged("pulled");
        assertFalse(life.state().mayRead());
        life.onPlugged("back");

        assertEquals(List.of("NORMAL>UNPLUGGED", "UNPLUGGED>NORMAL"), told);
    }

    @Test
    void shouldRefuseIllegalMoves() {
        assertThrows(
                Invariant.InvariantBroken.class,
                () -> life(DeviceState.NORMAL).transition(DeviceState.OUT, "too early"));
        assertThrows(
                Invariant.InvariantBroken.class,
                () -> life(DeviceState.TEARDOWN).transition(DeviceState.NORMAL, "no way back"));
    }
}
