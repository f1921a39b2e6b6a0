package io.daosmesh.nvmespdk;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.daosmesh.spi.DeviceHealth;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SmartFileTest {
    private static final DeviceHealth REAL = new DeviceHealth(0, 60, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

    @TempDir
    Path folder;

    private DeviceHealth told(String text) throws IOException {
        SmartFile smart = new SmartFile(folder.resolve("ssd0"));
        Files.writeString(folder.resolve("ssd0.smart"), text);
        smart.look(1);
        return smart.over(REAL);
    }

    @ParameterizedTest
    @CsvSource({
        "wear 0, 0, 0, 60, 0",
        "wear 50, 0, 50, 50, 0",
        "wear 98, 0, 98, 2, 0",
        "wear 99, 0, 99, 1, 1",
        "wear 100, 0, 100, 0, 5",
        "wear 255, 0, 255, 0, 5",
        "heat 342, 342, 0, 60, 0",
        "heat 343, 343, 0, 60, 2"
    })
    void shouldWarnAsAnSsdDoes(String text, int kelvin, int used, int spare, int bits) throws IOException {
        DeviceHealth h = told(text);

        assertEquals(kelvin, h.temperatureKelvin());
        assertEquals(used, h.percentageUsed());
        assertEquals(spare, h.availableSparePercent());
        assertEquals(bits, h.criticalWarningBits());
    }

    @Test
    void shouldTakeBothAndForgetThemWithTheFile() throws IOException {
        SmartFile smart = new SmartFile(folder.resolve("ssd0"));
        Files.writeString(folder.resolve("ssd0.smart"), "heat 300\nwear 7\n");
        smart.look(1);
        assertEquals(300, smart.over(REAL).temperatureKelvin());
        assertEquals(7, smart.over(REAL).percentageUsed());

        smart.delete();
        smart.look(2);

        assertEquals(REAL, smart.over(REAL));
    }

    @Test
    void shouldCountTheMinutesAboveEachTemperature() throws IOException {
        SmartFile smart = new SmartFile(folder.resolve("ssd0"));
        long minute = TimeUnit.MINUTES.toNanos(1);
        Files.writeString(folder.resolve("ssd0.smart"), "heat 345");
        smart.look(minute);
        Files.writeString(folder.resolve("ssd0.smart"), "heat 353");
        smart.look(3 * minute);
        smart.delete();
        smart.look(4 * minute);
        smart.look(9 * minute);

        assertEquals(3, smart.over(REAL).warningTemperatureMinutes());
        assertEquals(1, smart.over(REAL).criticalTemperatureMinutes());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "wear", "wear 256", "heat 199", "heat 501", "wear -1", "cold 3", "wear 5 6"})
    void shouldBeAsItIsWhenToldNonsense(String text) throws IOException {
        assertEquals(REAL, told(text));
    }
}
