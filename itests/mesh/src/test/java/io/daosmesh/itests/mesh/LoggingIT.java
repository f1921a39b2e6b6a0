package io.daosmesh.itests.mesh;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.ResourceLock;

/** Levels and files of the logs of running nodes, and what a kill leaves in the events. */
@ExtendWith(SharedMesh.class)
@ResourceLock(SharedMesh.LOCK)
class LoggingIT {
    private static final Duration LINE_MAX = Duration.ofSeconds(60);
    private static final String DEBUG = " DEBUG [io.daosmesh.";

    private static Path log() {
        return SharedMesh.mesh().dir().resolve("node1/log/node.log");
    }

    private static long debugLines() throws IOException {
        try (var lines = Files.lines(log())) {
            return lines.filter(l -> l.contains(DEBUG)).count();
        }
    }

    /** Whoever sets levels leaves a debug line, if the levels set before allow it. */
    private static boolean isToldWith(String... masks) throws IOException {
        long before = debugLines();
        String[] words = Stream.concat(Stream.of("server", "set-logmasks"), Stream.of(masks))
                .toArray(String[]::new);
        SharedMesh.mesh().dmg(words).orFail();
        return debugLines() > before;
    }

    @Test
    void shouldShowDebugLinesUntilTheReset() {
        LocalMesh.await("debug lines", LINE_MAX, () -> isToldWith("-m", "DEBUG", "-d", "any", "-s", "all"));
        LocalMesh.await("none of another facility", LINE_MAX, () -> !isToldWith("-m", "DEBUG", "-s", "vos"));
        LocalMesh.await("debug lines again", LINE_MAX, () -> isToldWith("server=DEBUG"));
        LocalMesh.await("none after the reset", LINE_MAX, () -> !isToldWith());

        LocalMesh.Outcome wrong = SharedMesh.mesh().dmg("server", "set-logmasks", "-m", "DEBUG", "-d", "loud");
        assertEquals(1, wrong.status());
        assertTrue((wrong.out() + wrong.err()).contains("unknown stream 'loud'"), wrong.out() + wrong.err());
    }

    /** What logrotate does. */
    @Test
    void shouldOpenAMovedFileAnew() throws Exception {
        Files.move(log(), log().resolveSibling("node.log.moved"));

        LocalMesh.await("a new file", LINE_MAX, () -> Files.exists(log()));

        LocalMesh.await(
                "a line in it", LINE_MAX, () -> Files.readString(log()).contains("a log file was moved: opened anew"));
    }

    @Test
    void shouldTellOfAKilledEngineWhenItServesAgain() {
        LocalMesh mesh = SharedMesh.mesh();
        String since = Instant.now().truncatedTo(ChronoUnit.MILLIS).toString();

        mesh.kill(3);
        mesh.startNode(3);

        LocalMesh.await(
                "engine_died",
                LINE_MAX,
                () -> died(mesh, since) == 1,
                () -> mesh.dmg("system", "events").out() + mesh.logs());
        LocalMesh.await("joined again", LINE_MAX, () -> {
            for (JsonNode m : mesh.dmgJson("system", "query").path("members"))
                if (!m.path("state").asText().equals("joined")) return false;
            return true;
        });
    }

    private static long died(LocalMesh mesh, String since) {
        JsonNode events = mesh.dmgJson("system", "events", "--id", "engine_died", "--since", since)
                .path("events");
        return StreamSupport.stream(events.spliterator(), false).count();
    }
}
