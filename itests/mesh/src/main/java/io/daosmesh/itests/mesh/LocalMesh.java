package io.daosmesh.itests.mesh;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.daosmesh.cli.mesh.MeshRecord;
import io.daosmesh.cli.mesh.Ports;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A running local mesh, driven through {@code ./mesh} exactly as a user would: real processes from the real assembly. Any
 * thread.
 */
public final class LocalMesh implements AutoCloseable {
    /** Longest a command of the script may take; {@code up} of three nodes with its build is the slowest. */
    private static final Duration COMMAND_MAX = Duration.ofMinutes(5);

    private static final int START_TRIES_MAX = 3;
    private static final long PAUSE_NS_MIN = 20_000_000;

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int NODES_TRIED = 6;
    private static final AtomicInteger NEXT_OFFSET = new AtomicInteger();

    private final Path script;
    private final Path dir;
    private final boolean isOwned;

    private LocalMesh(Path script, Path dir, boolean isOwned) {
        this.script = script;
        this.dir = dir;
        this.isOwned = isOwned;
    }

    /** What a command printed and how it ended. */
    public record Outcome(int status, String out, String err) {
        public Outcome orFail() {
            if (status != 0) throw new IllegalStateException("status " + status + ": " + err + out);
            return this;
        }
    }

    /** Starts a mesh of its own in {@code dir}; {@link #close()} stops it and removes the folder. */
    public static LocalMesh start(Path dir, String... options) {
        LocalMesh mesh = new LocalMesh(script(), dir, true);
        for (int attempt = 1; ; attempt++) {
            List<String> args = new ArrayList<>(List.of("--base-port-offset", Integer.toString(nextOffset())));
            args.addAll(Arrays.asList(options));
            Outcome up = mesh.mesh("up", args.toArray(String[]::new));
            if (up.status() == 0) return mesh;
            String logs = mesh.logs();
            mesh.close();
            // somebody else may run a mesh at the same offset
            boolean isPortTaken = (up.err() + logs).contains("in use");
            if (!isPortTaken || attempt == START_TRIES_MAX) {
                throw new IllegalStateException("./mesh up: " + up.err() + up.out() + logs);
            }
        }
    }

    /** A mesh that somebody else runs. */
    public static LocalMesh attach(Path dir) {
        return new LocalMesh(script(), dir, false);
    }

    /**
     * Ports of meshes that run side by side must not meet: the offset starts at a value of this process and moves on by
     * more than the nodes of one mesh, past what others use.
     */
    private static int nextOffset() {
        int base = 100 + (int) (ProcessHandle.current().pid() % 150) * 40;
        for (int tries = 0; tries < 50; tries++) {
            int offset = base + 20 * NEXT_OFFSET.getAndIncrement();
            if (areFree(offset)) return offset;
        }
        throw new IllegalStateException("no free ports for a mesh from offset " + base + " on");
    }

    private static boolean areFree(int offset) {
        return IntStream.rangeClosed(1, NODES_TRIED)
                .allMatch(node -> Ports.of(offset, node).areFree());
    }

    private static Path script() {
        String root = System.getProperty("mesh.root", System.getenv().getOrDefault("MESH_ROOT", ""));
        Path at = root.isEmpty() ? Path.of("").toAbsolutePath() : Path.of(root);
        while (!Files.isExecutable(at.resolve("mesh"))) {
            Path up = at.getParent();
            if (up == null)
                throw new IllegalStateException("no ./mesh above " + Path.of("").toAbsolutePath());
            at = up;
        }
        return at.resolve("mesh");
    }

    /** A program of the assembly, as it is shipped. */
    public static Path program(String name) {
        return script().resolveSibling("karaf-assembly/target/assembly/bin").resolve(name);
    }

    public Path dir() {
        return dir;
    }

    /** {@code ./mesh COMMAND --dir DIR ARGS}. */
    public Outcome mesh(String command, String... args) {
        return run(line(command, args));
    }

    private List<String> line(String command, String... args) {
        List<String> line = new ArrayList<>(List.of(script.toString(), command, "--dir", dir.toString()));
        line.addAll(Arrays.asList(args));
        return line;
    }

    /** {@code dmg} as a user whose folder is another one types it. */
    public Outcome dmgAt(Path home, String... args) {
        List<String> line = new ArrayList<>(List.of("env", "HOME=" + home));
        line.addAll(line("dmg", args));
        return run(line);
    }

    public Outcome dmg(String... args) {
        return mesh("dmg", args);
    }

    public Outcome daos(String... args) {
        return mesh("daos", args);
    }

    /** A command that is killed after a time, unless it has ended before. */
    public Outcome killed(int afterMs, String command, String... args) {
        return run(line(command, args), Duration.ofMillis(afterMs));
    }

    /** For one that is not to end by itself. */
    public ProcessBuilder daosProcess(String... args) {
        return new ProcessBuilder(line("daos", args)).redirectInput(new java.io.File("/dev/null"));
    }

    /** The {@code response} of a command's JSON. */
    public JsonNode dmgJson(String... args) {
        List<String> all = new ArrayList<>(List.of("-j"));
        all.addAll(Arrays.asList(args));
        return json(dmg(all.toArray(String[]::new)).orFail().out()).path("response");
    }

    public static JsonNode json(String text) {
        try {
            return JSON.readTree(text);
        } catch (IOException e) {
            throw new IllegalStateException("not JSON: " + text, e);
        }
    }

    public List<MeshRecord.Entry> nodes() {
        return MeshRecord.read(dir).nodes();
    }

    public List<String> controls() {
        return nodes().stream().map(MeshRecord.Entry::control).toList();
    }

    public void kill(int node) {
        mesh("kill", Integer.toString(node)).orFail();
    }

    public void startNode(int node) {
        mesh("start", Integer.toString(node)).orFail();
    }

    /** State of a rank in {@code dmg system query}, lower case; empty while nobody answers. */
    public String state(int rank) {
        Outcome o = dmg("-j", "system", "query");
        if (o.status() != 0) return "";
        for (JsonNode m : json(o.out()).path("response").path("members")) {
            if (m.path("rank").asInt() == rank) return m.path("state").asText();
        }
        return "";
    }

    public JsonNode pool(String label) {
        return dmgJson("pool", "query", label);
    }

    /**
     * Waits for a condition; fails with its name at the deadline. Returns the seconds it took. Asks at most half of the time:
     * what is waited for needs the processors, too.
     */
    public static double await(String what, Duration deadline, Callable<Boolean> condition) {
        return await(what, deadline, condition, () -> "");
    }

    /** @param state said beside the name when it fails; one line, for summaries that show no more */
    public static double await(String what, Duration deadline, Callable<Boolean> condition, Supplier<String> state) {
        long start = System.nanoTime();
        Throwable last = null;
        while (System.nanoTime() - start < deadline.toNanos()) {
            long asked = System.nanoTime();
            try {
                if (condition.call()) return (System.nanoTime() - start) / 1e9;
            } catch (Exception e) {
                last = e;
            }
            java.util.concurrent.locks.LockSupport.parkNanos(Math.max(PAUSE_NS_MIN, System.nanoTime() - asked));
        }
        throw new IllegalStateException("not within " + deadline.toSeconds() + " s: " + what + state.get(), last);
    }

    /** The last lines of every node's log, for a failure report. */
    public String logs() {
        StringBuilder b = new StringBuilder();
        try (var nodes = Files.list(dir)) {
            for (Path n : nodes.filter(p -> p.getFileName().toString().startsWith("node"))
                    .sorted()
                    .toList()) {
                try (var logs = Files.list(n.resolve("log"))) {
                    for (Path log : logs.filter(Files::isRegularFile).toList()) {
                        List<String> lines = Files.readAllLines(log, StandardCharsets.ISO_8859_1);
                        b.append("\n--- ").append(dir.relativize(log)).append('\n');
                        lines.subList(Math.max(0, lines.size() - 30), lines.size())
                                .forEach(l -> b.append(l).append('\n'));
                    }
                }
            }
        } catch (IOException | UncheckedIOException e) {
            b.append(e.getMessage());
        }
        return b.toString();
    }

    private Outcome run(List<String> line) {
        return run(line, null);
    }

    /** @param killedAfter null = it has to end by itself */
    private Outcome run(List<String> line, @Nullable Duration killedAfter) {
        Duration max = killedAfter == null ? COMMAND_MAX : killedAfter;
        try {
            Path out = Files.createTempFile("mesh", ".out");
            Path err = Files.createTempFile("mesh", ".err");
            try {
                ProcessBuilder b = new ProcessBuilder(line)
                        .redirectInput(new java.io.File("/dev/null"))
                        .redirectOutput(out.toFile())
                        .redirectError(err.toFile());
                if (isOwned)
                    b.environment()
                            .put(
                                    "MESH_PARENT_PID",
                                    Long.toString(ProcessHandle.current().pid()));
                Process p = Children.start(b);
                if (!p.waitFor(max.toMillis(), TimeUnit.MILLISECONDS)) {
                    p.descendants().forEach(ProcessHandle::destroyForcibly);
                    p.destroyForcibly().waitFor();
                    if (killedAfter == null)
                        throw new IllegalStateException(
                                "no end within " + COMMAND_MAX + ": " + line + Files.readString(err));
                }
                return new Outcome(p.exitValue(), Files.readString(out), Files.readString(err));
            } finally {
                Files.deleteIfExists(out);
                Files.deleteIfExists(err);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    @Override
    public void close() {
        if (isOwned) mesh("down", "--wipe");
    }
}
