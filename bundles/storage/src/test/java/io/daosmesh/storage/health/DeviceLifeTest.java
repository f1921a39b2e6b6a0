package io.daosmesh.storage.health;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.Invariant;
import io.daosmesh.model.port.NodeConfig.AutoFaulty;
import io.daosmesh.storage.DeviceState;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class DeviceLifeTest {
    private final List<String> told = new ArrayList<>();

    private DeviceLife life(DeviceState first) {
        return life(first, new AutoFaulty(true, AutoFaulty.USUAL.ioErrorsMax(), 5));
    }

    private DeviceLife life(DeviceState first, AutoFaulty autoFaulty) {
        return new DeviceLife(first, autoFaulty, (old, next, reason) -> told.add(old + ">" + next));
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
    void shouldForgiveNoErrorWhenNoneIsAllowed() {
        DeviceLife life = life(DeviceState.NORMAL, new AutoFaulty(true, 0, 0));
        assertFalse(life.checkCriteria());

        life.onReadError();

        assertTrue(life.checkCriteria());
    }

    @Test
    void shouldStayInWhenToldToWhateverItsErrors() {
        DeviceLife life = life(DeviceState.NORMAL, new AutoFaulty(false, 0, 0));
        life.onWriteError();
        life.onChecksumError();

        assertFalse(life.checkCriteria());
        assertEquals(DeviceState.NORMAL, life.state());
    }

    /** Else the first error after a replacement would put it out again. */
    @Test
    void shouldBeginToCountAnewWhenItIsUsedAgain() {
        DeviceLife life = life(DeviceState.NORMAL);
        for (int i = 0; i < 11; i++) life.onReadError();
        assertTrue(life.checkCriteria());
        life.transition(DeviceState.TEARDOWN, "test");
        life.transition(DeviceState.OUT, "test");
        life.transition(DeviceState.NORMAL, "used again");

        for (int i = 0; i < 10; i++) life.onReadError();

        assertFalse(life.checkCriteria());
        assertEquals(21, life.errors().reads(), "what is shown");
        life.onReadError();
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
