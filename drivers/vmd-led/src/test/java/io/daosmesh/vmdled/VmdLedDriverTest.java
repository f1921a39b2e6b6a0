package io.daosmesh.vmdled;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.daosmesh.spi.DeviceInfo;
import io.daosmesh.spi.DeviceStatus;
import io.daosmesh.spi.LedDriver;
import io.daosmesh.spi.LedDriver.LedState;
import io.daosmesh.spi.contract.LedDriverContract;
import org.junit.jupiter.api.Test;

class VmdLedDriverTest extends LedDriverContract {
    @Override
    protected LedDriver startDriver() {
        return new VmdLedDriver("1.2.3");
    }

    @Override
    protected DeviceInfo covered(String name) {
        return new DeviceInfo("file", name, "m", "s", "f", 1 << 20, 4096, -1);
    }

    @Override
    protected DeviceInfo uncovered() {
        return new DeviceInfo("nvme", "0000:81:00.0", "m", "s", "f", 1 << 20, 4096, 0);
    }

    @Test
    void shouldRefuseMoreLightsThanItRemembers() {
        LedDriver driver = startDriver();
        for (int i = 0; i < 1024; i++) driver.setLed(covered("d" + i), LedState.ON);

        assertEquals(
                DeviceStatus.BUSY, driver.setLed(covered("more"), LedState.ON).status());
        assertEquals(DeviceStatus.OK, driver.setLed(covered("d3"), LedState.OFF).status());
    }
}
