package io.daosmesh.nvmespdk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.spi.BlockDevice;
import io.daosmesh.spi.BlockDriver;
import io.daosmesh.spi.DeviceResult;
import io.daosmesh.spi.DeviceSpec;
import io.daosmesh.spi.DeviceStatus;
import io.daosmesh.spi.contract.Awaited;
import io.daosmesh.spi.contract.BlockDriverContract;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import org.junit.jupiter.api.Test;

class FileBlockDriverTest extends BlockDriverContract {
    @Override
    protected BlockDriver startDriver() {
        return new NvmeSpdkDriver("1.2.3");
    }

    @Override
    protected void stopDriver(BlockDriver driver) {
        ((NvmeSpdkDriver) driver).close();
    }

    @Override
    protected DeviceSpec spec(String name, long sizeBytes) {
        return new DeviceSpec("file", folder.resolve(name + ".dat").toString(), sizeBytes, Map.of());
    }

    private static DeviceResult<BlockDevice> openAndStop(DeviceSpec spec, boolean create) {
        try (NvmeSpdkDriver driver = new NvmeSpdkDriver("1")) {
            return driver.open(spec, create);
        }
    }

    @Test
    void shouldRefuseTruncatedFile() throws IOException {
        DeviceSpec spec = spec("truncated", SIZE);
        open(spec).close();
        try (RandomAccessFile file = new RandomAccessFile(spec.address(), "rw")) {
            file.setLength(SIZE / 2 + 100);
        }

        DeviceResult<BlockDevice> result = openAndStop(spec, true);

        assertEquals(DeviceStatus.MEDIA_ERROR, result.status());
        assertTrue(result.detail().contains("truncated"), result.detail());
    }

    @Test
    void shouldAnswerMediaErrorWhenFileShrinksWhileOpen() throws IOException {
        DeviceSpec spec = spec("shrinks", SIZE);
        try (BlockDevice device = open(spec);
                RandomAccessFile file = new RandomAccessFile(spec.address(), "rw")) {
            file.setLength(SIZE / 2);
            Awaited done = new Awaited();
            device.read(SIZE - 4096, aligned(4096, 4096), done);

            assertEquals(DeviceStatus.MEDIA_ERROR, done.await());
            assertTrue(done.detail().contains("truncated"), done.detail());
            assertEquals(1, device.health().mediaErrors());
            file.setLength(SIZE);
        }
    }

    @Test
    void shouldWorkBufferedWhenDirectIsSwitchedOff() {
        DeviceSpec spec = new DeviceSpec("file", folder.resolve("b").toString(), SIZE, Map.of("direct", "false"));
        try (BlockDevice device = open(spec)) {
            Awaited done = new Awaited();
            device.write(4096, aligned(4096, 4096), done);

            assertEquals(DeviceStatus.OK, done.await());
        }
    }

    @Test
    void shouldRefuseBadOptionsFoldersAndMissingSize() throws IOException {
        Path folderAsDevice = Files.createDirectory(folder.resolve("d"));

        assertEquals(
                DeviceStatus.INVALID,
                openAndStop(new DeviceSpec("file", folderAsDevice.toString(), SIZE, Map.of()), true)
                        .status());
        assertEquals(
                DeviceStatus.INVALID,
                openAndStop(new DeviceSpec("file", folder + "/x", SIZE, Map.of("io_threads", "99")), true)
                        .status());
        assertEquals(
                DeviceStatus.INVALID,
                openAndStop(new DeviceSpec("file", folder + "/x", 0, Map.of()), true)
                        .status());
    }

    @Test
    void shouldCountUnsafeShutdown() throws IOException {
        DeviceSpec spec = spec("unsafe", SIZE);
        Path health = Path.of(spec.address() + ".health");
        Path copy = folder.resolve("while-open");
        try (BlockDevice device = open(spec)) {
            assertEquals(0, device.health().unsafeShutdowns());
            Files.copy(health, copy);
        }
        Files.move(copy, health, StandardCopyOption.REPLACE_EXISTING);

        try (BlockDevice device = open(spec)) {
            assertEquals(1, device.health().unsafeShutdowns());
        }
    }

    @Test
    void shouldStartCountersAgainWhenHealthFileIsDamaged() throws IOException {
        DeviceSpec spec = spec("damaged", SIZE);
        open(spec).close();
        Files.write(Path.of(spec.address() + ".health"), new byte[] {1, 2, 3});

        try (BlockDevice device = open(spec)) {
            assertEquals(1, device.health().powerCycles());
        }
    }

    @Test
    void shouldNotListClassesThatAreNotBuilt() {
        DeviceSpec nvme = new DeviceSpec("nvme", "0000:81:00.0", 0, Map.of());

        DeviceResult<BlockDevice> result = openAndStop(nvme, false);

        assertEquals(DeviceStatus.UNSUPPORTED, result.status());
        assertTrue(result.detail().contains("0000:81:00.0"), result.detail());
    }
}
