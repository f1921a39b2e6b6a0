package io.daosmesh.cli.mesh;

import java.io.File;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Starts and stops the processes of nodes, and waits for them. Owner: the main thread. */
final class Launcher {
    /** A node that has not opened its control port by then has failed. */
    private static final Duration READY_MAX = Duration.ofSeconds(90);

    /** From SIGTERM to SIGKILL; and how long a killed node keeps its ports. */
    static final Duration STOP_MAX = Duration.ofSeconds(20);

    private static final Duration EXEC_MAX = Duration.ofSeconds(10);

    private final Path mesh;
    private final Assembly assembly;

    Launcher(Path mesh, Assembly assembly) {
        this.mesh = mesh;
        this.assembly = assembly;
    }

    /**
     * A mesh keeps the ports it was made with: only a new one can take others. A node that was killed has them, and its files,
     * for as long as one of its threads waits for the disk.
     */
    static void checkPorts(Node node) throws IOException {
        if (Files.exists(node.log("node.log"))) {
            Waiting.until(STOP_MAX, Waiting.SOON, node::arePortsFree);
        }
        for (int port : node.ports().all()) {
            if (!node.isListening(port)) continue;
            throw MeshException.failed(
                    "port %d of node %d is in use by another program: stop that program, or choose others for a new mesh"
                            + " with --base-port-offset K and another --dir",
                    port, node.number());
        }
    }

    /** Does nothing when it runs. It is a process of its own then, which outlives this one. */
    void launch(Node node) throws IOException {
        Files.createDirectories(node.dir());
        // two calls at once: the second waits, and finds that it runs
        try (FileChannel starting = FileChannel.open(
                        node.dir().resolve("starting"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock held = starting.lock()) {
            if (held.isValid()) launchAlone(node);
        }
    }

    private void launchAlone(Node node) throws IOException {
        if (node.runs()) return;
        checkPorts(node);
        assembly.prepare(node);
        node.network().ifPresent(n -> n.raise(node.number(), Texts.word(mesh)));
        List<String> line = new ArrayList<>(node.inside());
        line.addAll(List.of(
                "sh",
                "-c",
                "trap '' HUP INT; exec $(command -v setsid || command -v nohup) \"$@\"",
                "sh",
                Assembly.home(mesh).resolve("bin/daos_server").toString(),
                "start",
                "-o",
                ConfigFiles.server(node).toString(),
                "--data",
                node.dir().toString()));
        ProcessBuilder start = new ProcessBuilder(line)
                .redirectInput(new File("/dev/null"))
                .redirectErrorStream(true)
                .redirectOutput(
                        ProcessBuilder.Redirect.appendTo(node.log("console.log").toFile()));
        start.environment().put("EXTRA_JAVA_OPTS", options(node));
        // at the console of a node of this mesh one is its administrator
        start.environment().put("DAOS_CONTROL_CONFIG", ConfigFiles.control(mesh).toString());
        List.of("KARAF_BASE", "KARAF_ETC", "KARAF_LOG").forEach(start.environment()::remove);
        Process process = start.start();
        node.started(process.pid());
        // until it is java it would count as a node that has ended
        Waiting.until(EXEC_MAX, Waiting.SOON, () -> node.isProcess(process.pid()) || !process.isAlive());
    }

    /** {@code MESH_NODE_JVM} holds more of them; a node ends with the process of {@code MESH_PARENT_PID}. */
    private static String options(Node node) {
        String parent = System.getenv().getOrDefault("MESH_PARENT_PID", "");
        return System.getenv().getOrDefault("MESH_NODE_JVM", "")
                + " -Dorg.apache.karaf.shell.sshPort=" + node.ports().ssh()
                + (parent.isEmpty() ? "" : " -Dmesh.parent.pid=" + parent);
    }

    static void awaitReady(Node node) throws IOException {
        if (!Waiting.until(READY_MAX, Waiting.PATIENT, () -> node.isOpen() || !node.runs())) {
            Files.deleteIfExists(Assembly.complete(node));
            throw MeshException.failed(
                    "node %d did not open its control port within %d s: see ./mesh logs %d",
                    node.number(), READY_MAX.toSeconds(), node.number());
        }
        if (node.isOpen() && node.runs()) {
            Texts.mark(Assembly.complete(node));
            return;
        }
        Texts.read(node.log("console.log"))
                .lines()
                .filter(l -> l.startsWith("ERROR"))
                .reduce((a, b) -> b)
                .ifPresent(System.err::println);
        throw MeshException.failed("node %d stopped while starting: see ./mesh logs %d", node.number(), node.number());
    }

    static boolean awaitEnd(Node node) throws IOException {
        return Waiting.until(STOP_MAX, Waiting.SOON, () -> !node.runs());
    }

    /** All at once; those that do not end are killed. */
    static void stop(List<Node> nodes) throws IOException {
        for (Node node : nodes) {
            node.signal("TERM");
            node.signal("CONT");
        }
        for (Node node : nodes) {
            if (!awaitEnd(node)) {
                System.err.printf(
                        Locale.ROOT,
                        "mesh: node %d did not stop within %d s: killed%n",
                        node.number(),
                        STOP_MAX.toSeconds());
                if (node.signal("KILL")) awaitEnd(node);
            }
            Files.deleteIfExists(node.dir().resolve("pid"));
        }
    }
}
