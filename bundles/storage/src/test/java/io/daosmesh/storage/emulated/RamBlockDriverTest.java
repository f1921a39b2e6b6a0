package io.daosmesh.storage.emulated;

import io.daosmesh.spi.BlockDriver;
import io.daosmesh.spi.DeviceSpec;
import io.daosmesh.spi.contract.BlockDriverContract;
import java.util.Map;

class RamBlockDriverTest extends BlockDriverContract {
    @Override
    protected BlockDriver startDriver() {
        return new RamBlockDriver();
    }

    @Override
    protected void stopDriver(BlockDriver driver) {
        ((RamBlockDriver) driver).close();
    }

    @Override
    protected DeviceSpec spec(String name, long sizeBytes) {
        return new DeviceSpec("malloc", folder + "/" + name, sizeBytes, Map.of());
    }

    @Override
    protected boolean isLockedAgainstProcesses() {
        return false;
    }
}
