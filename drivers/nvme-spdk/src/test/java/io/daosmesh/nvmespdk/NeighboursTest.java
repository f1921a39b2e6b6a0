package io.daosmesh.nvmespdk;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.daosmesh.spi.DeviceInfo;
import io.daosmesh.spi.DeviceSpec;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NeighboursTest {
    @TempDir
    Path folder;

    private void make(String name, long bytes) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(folder.resolve(name).toFile(), "rw")) {
            file.setLength(bytes);
        }
    }

    private List<String> beside(String... known) {
        List<DeviceSpec> specs = Stream.of(known)
                .map(k -> new DeviceSpec("file", folder.resolve(k).toString(), 0, Map.of()))
                .toList();
        try (NvmeSpdkDriver driver = new NvmeSpdkDriver("1")) {
            return driver.discover(specs).stream()
                    .map(DeviceInfo::address)
                    .map(a -> folder.relativize(Path.of(a)).toString())
                    .toList();
        }
    }

    @Test
    void shouldFindFilesThatAreNamedAsTheKnownOnes() throws IOException {
        for (String n : List.of("ssd0", "ssd1", "ssd2", "ssd10", "ssd2.health", "ssdx", "hdd3", "ssd4.pulled"))
            make(n, 8192);
        make("ssd5", 100);
        Files.createDirectory(folder.resolve("ssd6"));
        Files.createSymbolicLink(folder.resolve("ssd7"), folder.resolve("hdd3"));

        assertEquals(List.of("ssd2", "ssd10"), beside("ssd0", "ssd1"));
        assertEquals(List.of(), beside("ssdx"));
        assertEquals(List.of(), beside());
    }

    @Test
    void shouldFindNoMoreThanAnEngineCanHave() throws IOException {
        for (int i = 0; i <= Neighbours.MAX + 5; i++) make("ssd" + i, 4096);

        assertEquals(Neighbours.MAX, beside("ssd0").size());
    }
}
