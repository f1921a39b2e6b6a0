package io.daosmesh.pmem;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.spi.DeviceResult;
import io.daosmesh.spi.DeviceSpec;
import io.daosmesh.spi.DeviceStatus;
import io.daosmesh.spi.ScmDriver;
import io.daosmesh.spi.ScmSpace;
import io.daosmesh.spi.contract.ScmDriverContract;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PmemDriverTest extends ScmDriverContract {
    @TempDir
    Path folder;

    @Override
    protected ScmDriver startDriver() {
        return new PmemDriver("1.2.3");
    }

    @Override
    protected void stopDriver(ScmDriver driver) {
        ((PmemDriver) driver).close();
    }

    @Override
    protected DeviceSpec spec(String name) {
        return new DeviceSpec("file", folder.resolve(name).toString(), 64 << 20, Map.of());
    }

    @Test
    void shouldRefuseDcpmWithoutDax() {
        DeviceResult<ScmSpace> result =
                startDriver().open(new DeviceSpec("dcpm", folder.toString(), 0, Map.of()), true);

        assertEquals(DeviceStatus.UNSUPPORTED, result.status());
        assertTrue(result.detail().contains("DAX"), result.detail());
    }

    @Test
    void shouldKeepToTheConfiguredSize() {
        try (ScmSpace space = startDriver().open(spec("sized"), true).get()) {
            assertEquals(64 << 20, space.totalBytes());
        }
    }
}
