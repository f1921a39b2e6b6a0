package io.daosmesh.spi.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.spi.DeviceResult;
import io.daosmesh.spi.DeviceSpec;
import io.daosmesh.spi.DeviceStatus;
import io.daosmesh.spi.ScmDriver;
import io.daosmesh.spi.ScmRegion;
import io.daosmesh.spi.ScmSpace;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What an {@link ScmDriver} must do. */
@Timeout(60)
public abstract class ScmDriverContract {
    private ScmDriver driver;

    protected abstract ScmDriver startDriver();

    protected abstract void stopDriver(ScmDriver driver);

    /** A space whose folder does not exist yet. */
    protected abstract DeviceSpec spec(String name);

    @BeforeEach
    void start() {
        driver = startDriver();
    }

    @AfterEach
    void stop() {
        stopDriver(driver);
    }

    private ScmSpace open(DeviceSpec spec) {
        DeviceResult<ScmSpace> result = driver.open(spec, true);
        assertEquals(DeviceStatus.OK, result.status(), result.detail());
        return result.get();
    }

    @Test
    void shouldNameItselfAndItsClasses() {
        assertFalse(driver.name().isBlank());
        assertFalse(driver.version().isBlank());
        assertTrue(driver.scmClasses().contains(spec("a").deviceClass()));
    }

    @Test
    void shouldRefuseUnknownClassAndAbsentFolder() {
        DeviceSpec unknown = new DeviceSpec("no-such-class", spec("x").address(), 0, Map.of());

        assertEquals(DeviceStatus.UNSUPPORTED, driver.open(unknown, true).status());
        assertEquals(DeviceStatus.NOT_FOUND, driver.open(spec("absent"), false).status());
        assertEquals(List.of(), driver.scan(List.of(spec("absent"))));
    }

    @Test
    void shouldOpenAndTellItsSpace() {
        DeviceSpec spec = spec("space");
        try (ScmSpace space = open(spec)) {
            assertTrue(Files.isDirectory(space.root()));
            assertTrue(space.totalBytes() > 0);
            assertTrue(space.freeBytes() <= space.totalBytes());
            assertEquals(1, driver.scan(List.of(spec)).size());
            assertEquals(spec.deviceClass(), space.info().deviceClass());
        }
    }

    @Test
    void shouldKeepPersistedBytes() {
        DeviceSpec spec = spec("persist");
        try (ScmSpace space = open(spec);
                ScmRegion region = space.map("a.dat", 8192).get()) {
            assertEquals(ByteOrder.LITTLE_ENDIAN, region.bytes().order());
            assertEquals(8192, region.bytes().remaining());
            assertEquals(0, region.bytes().getLong(4096));
            ByteBuffer src = ByteBuffer.allocateDirect(16).order(ByteOrder.LITTLE_ENDIAN);
            src.putLong(8, 0x1122334455667788L).position(8);
            assertEquals(DeviceStatus.OK, region.write(4096, src, true).status());
            assertEquals(8, src.position(), "as it was");
            assertEquals(0x1122334455667788L, region.bytes().getLong(4096));
            assertEquals(DeviceStatus.OK, region.write(0, src, false).status());
            assertTrue(region.bytes().isReadOnly());
        }
        try (ScmSpace space = open(spec);
                ScmRegion region = space.map("a.dat", 16384).get()) {
            assertEquals(0x1122334455667788L, region.bytes().getLong(4096), "kept, and grown behind");
            assertEquals(16384, region.bytes().remaining());
        }
    }

    @Test
    void shouldRefuseNonsense() {
        try (ScmSpace space = open(spec("nonsense"))) {
            assertEquals(DeviceStatus.INVALID, space.map("../escape", 4096).status());
            assertEquals(DeviceStatus.INVALID, space.map("a", 0).status());
            assertEquals(DeviceStatus.INVALID, space.map("a", 1L << 40).status());
            try (ScmRegion region = space.map("b", 4096).get()) {
                assertEquals(
                        DeviceStatus.INVALID,
                        region.write(4090, ByteBuffer.allocate(100), true).status());
                assertEquals(
                        DeviceStatus.INVALID,
                        region.write(-1, ByteBuffer.allocate(4), true).status());
            }
        }
    }

    @Test
    void shouldAnswerGoneWhenClosed() {
        ScmSpace space = open(spec("gone"));
        ScmRegion region = space.map("a", 4096).get();
        region.close();
        region.close();
        assertEquals(
                DeviceStatus.GONE, region.write(0, ByteBuffer.allocate(8), true).status());
        space.close();
        space.close();
        assertEquals(DeviceStatus.GONE, space.map("a", 4096).status());
    }

    @Test
    void shouldCloseSpacesWhenDriverStops() {
        ScmDriver other = startDriver();
        DeviceResult<ScmSpace> space = other.open(spec("stopped"), true);
        stopDriver(other);
        assertEquals(DeviceStatus.GONE, space.get().map("a", 4096).status());
        assertEquals(DeviceStatus.GONE, other.open(spec("stopped"), true).status());
    }
}
