package io.daosmesh.itests.mesh;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * One mesh of three nodes for all classes that leave it as they found it: whole, and without their pools. Starting one takes
 * longer than many a test. The classes hold the lock {@value #LOCK}, and it stops when the last class has ended.
 */
final class SharedMesh implements BeforeAllCallback {
    static final String LOCK = "shared mesh";

    private static final Duration JOIN_MAX = Duration.ofSeconds(60);

    private static @Nullable LocalMesh running;

    /** What ends with the run. */
    private record Held(LocalMesh mesh, Path folder) implements AutoCloseable {
        @Override
        public void close() throws IOException {
            mesh.close();
            Files.deleteIfExists(folder);
        }
    }

    @Override
    public void beforeAll(ExtensionContext context) {
        Held held = context.getRoot()
                .getStore(ExtensionContext.Namespace.create(SharedMesh.class))
                .getOrComputeIfAbsent(Held.class, k -> start(), Held.class);
        running = held.mesh();
    }

    private static Held start() {
        try {
            Path folder = Files.createTempDirectory("shared-mesh");
            return new Held(LocalMesh.start(folder.resolve("mesh")), folder);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** For classes that are extended with this one. */
    static LocalMesh mesh() {
        return Objects.requireNonNull(running);
    }

    /** Removes a pool as soon as all ranks are there to do it. */
    static void destroy(String pool) {
        LocalMesh.await("all ranks are joined", JOIN_MAX, () -> {
            for (JsonNode m : mesh().dmgJson("system", "query").path("members"))
                if (!m.path("state").asText().equals("joined")) return false;
            return true;
        });
        mesh().dmg("pool", "destroy", pool, "--force").orFail();
    }
}
