package io.daosmesh.itests.mesh;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.daosmesh.client.ContainerSpec;
import java.nio.file.Path;
import java.time.Duration;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One node alone, killed again and again in the middle of writes: every acknowledged value is there after each restart. */
class CrashLoopIT {
    private static final int ROUNDS = 4;

    @TempDir
    private Path dir;

    @Test
    void shouldKeepEveryAcknowledgedValueOverKills() throws Exception {
        SplittableRandom random = new SplittableRandom(42);
        try (LocalMesh mesh = LocalMesh.start(dir.resolve("mesh"), "--nodes", "1")) {
            mesh.dmg("pool", "create", "solo", "--size", "4GB").orFail();
            try (MeshClient client = MeshClient.open(mesh);
                    Workload small = load(client, "small", 300);
                    Workload large = load(client, "large", 20_000)) {
                for (int round = 0; round < ROUNDS; round++) {
                    long before = small.operations() + large.operations();
                    int wanted = 200 + random.nextInt(300);
                    LocalMesh.await(
                            "operations of round " + round,
                            Duration.ofSeconds(60),
                            () -> small.operations() + large.operations() > before + wanted);
                    mesh.kill(1);
                    mesh.startNode(1);
                }
                small.stopAndVerify();
                large.stopAndVerify();

                assertEquals("", small.problem());
                assertEquals("", large.problem());
            }
        }
    }

    private static Workload load(MeshClient client, String name, int bytes) {
        return new Workload(
                MeshClient.await(client.container("solo", ContainerSpec.of(name).withClass("S1"))
                        .keyValueRoot()),
                name,
                2,
                bytes);
    }
}
