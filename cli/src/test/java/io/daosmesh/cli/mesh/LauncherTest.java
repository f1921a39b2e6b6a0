package io.daosmesh.cli.mesh;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class LauncherTest {
    private static final MeshSettings SETTINGS =
            new MeshSettings(new MeshSettings.Shape(1, 1, 1, 1, 1), true, false, 19_000, Optional.empty());

    /** Takes a while to become the node, as the real one does. */
    private static final String SLOW_SERVER = """
            #!/bin/sh
            echo started >> "$5/starts"
            sleep 1
            exec sh -c 'while :; do sleep 1; done' sh "-Ddaosmesh.node.dir=$5"
            """;

    @TempDir
    Path dir;

    /** What each of the callers runs. */
    static final class Start {
        public static void main(String[] args) throws IOException {
            Path mesh = Path.of(args[0]);
            new Launcher(mesh, new Assembly(Path.of("nowhere"), mesh)).launch(node(mesh));
        }
    }

    private static Node node(Path mesh) {
        return Node.all(mesh, SETTINGS).get(0);
    }

    @Test
    void shouldStartANodeOnceHoweverManyAskAtOnce() throws Exception {
        Node node = node(dir);
        Path server = Assembly.home(dir).resolve("bin/daos_server");
        Files.createDirectories(server.getParent());
        Files.writeString(server, SLOW_SERVER);
        Files.setPosixFilePermissions(server, PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.createDirectories(node.log("x").getParent());
        Files.createDirectories(Assembly.complete(node).getParent());
        Texts.mark(Assembly.complete(node));
        List<Process> callers = new ArrayList<>();
        try {
            for (int i = 0; i < 3; i++) {
                callers.add(new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java")
                                        .toString(),
                                "-cp",
                                System.getProperty("java.class.path"),
                                Start.class.getName(),
                                dir.toString())
                        .inheritIO()
                        .start());
            }
            for (Process caller : callers) {
                assertTrue(caller.waitFor(40, TimeUnit.SECONDS), "no end");
                assertEquals(0, caller.exitValue());
            }

            assertEquals("started\n", Files.readString(node.dir().resolve("starts")));
            assertTrue(node.runs());
        } finally {
            node.signal("KILL");
            callers.forEach(Process::destroyForcibly);
        }
    }
}
