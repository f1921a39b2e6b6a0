package io.daosmesh.pmem;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.daosmesh.spi.DeviceSpec;
import io.daosmesh.spi.ScmDriver;
import io.daosmesh.spi.contract.ScmDriverContract;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** The class {@code ram} on the machine's own tmpfs, where there is one. */
class RamScmTest extends ScmDriverContract {
    private Path folder = Path.of("/dev/shm");

    @BeforeEach
    void findTmpfs() throws IOException {
        assumeTrue(Files.isWritable(folder) && Files.getFileStore(folder).type().equals("tmpfs"));
        folder = Files.createTempDirectory(folder, "scm-test");
    }

    @AfterEach
    void remove() throws IOException {
        if (folder.getNameCount() < 3) return;
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path p : all.sorted(Comparator.reverseOrder()).toList()) Files.delete(p);
        }
    }

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
        return new DeviceSpec("ram", folder.resolve(name).toString(), 0, Map.of());
    }
}
