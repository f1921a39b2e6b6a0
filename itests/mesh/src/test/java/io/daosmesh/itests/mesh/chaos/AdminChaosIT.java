package io.daosmesh.itests.mesh.chaos;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.daosmesh.itests.mesh.LocalMesh;
import io.daosmesh.itests.mesh.torture.Journal;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A little of {@code ./mesh torture --admin}: enough to see that it still works, and what breaks at once. */
class AdminChaosIT {
    private static final long SEED = 7;
    private static final int OPERATIONS = 24;

    @TempDir
    private Path dir;

    @Test
    @Timeout(value = 8, unit = TimeUnit.MINUTES)
    void shouldLeaveNothingHalfDone() {
        Journal journal = new Journal();

        try (LocalMesh mesh = LocalMesh.start(dir.resolve("mesh"))) {
            new AdminChaos(mesh, journal, SEED, OPERATIONS, Duration.ofSeconds(45)).run();
        }

        assertEquals(0, journal.violations(), () -> String.join("\n", journal.violationsShown()));
    }
}
