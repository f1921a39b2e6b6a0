package io.daosmesh.spi.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.spi.DeviceInfo;
import io.daosmesh.spi.DeviceStatus;
import io.daosmesh.spi.LedDriver;
import io.daosmesh.spi.LedDriver.LedState;
import org.junit.jupiter.api.Test;

/** What a {@link LedDriver} must do. */
public abstract class LedDriverContract {
    protected abstract LedDriver startDriver();

    /** A device whose slot has a light. */
    protected abstract DeviceInfo covered(String name);

    /** A device without one. */
    protected abstract DeviceInfo uncovered();

    @Test
    void shouldNameItself() {
        assertFalse(startDriver().name().isBlank());
        assertFalse(startDriver().version().isBlank());
    }

    @Test
    void shouldBeOffThenKeepWhatWasSet() {
        LedDriver driver = startDriver();
        assertTrue(driver.covers(covered("a")));
        assertEquals(LedState.OFF, driver.led(covered("a")).get());

        for (LedState state : LedState.values()) {
            assertEquals(state, driver.setLed(covered("a"), state).get());
            assertEquals(state, driver.led(covered("a")).get());
        }
    }

    @Test
    void shouldKeepDevicesApart() {
        LedDriver driver = startDriver();
        driver.setLed(covered("a"), LedState.ON);

        assertEquals(LedState.OFF, driver.led(covered("b")).get());
    }

    @Test
    void shouldAnswerUnsupportedWithoutLight() {
        LedDriver driver = startDriver();

        assertFalse(driver.covers(uncovered()));
        assertEquals(DeviceStatus.UNSUPPORTED, driver.led(uncovered()).status());
        assertEquals(
                DeviceStatus.UNSUPPORTED,
                driver.setLed(uncovered(), LedState.QUICK_BLINK).status());
        assertFalse(driver.led(uncovered()).detail().isBlank());
    }
}
