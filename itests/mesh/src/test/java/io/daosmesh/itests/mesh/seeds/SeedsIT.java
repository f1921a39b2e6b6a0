package io.daosmesh.itests.mesh.seeds;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.daosmesh.itests.mesh.LocalMesh;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * Types each command of {@code docs/seeds.md} on three real nodes, in the order of the page, and compares what is printed.
 * A mesh of its own: the page stops, formats and erases the system. Slow: a guide has some sixty commands.
 */
@Tag("slow")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SeedsIT {
    private static final Duration COMMAND_MAX = Duration.ofSeconds(120);
    private static final Duration WAIT_MAX = Duration.ofSeconds(90);
    private static final Path ROOT = Path.of(System.getProperty("mesh.root"));
    private static final Path PAGE = ROOT.resolve("docs/seeds.md");

    @TempDir
    private static Path dir;

    private LocalMesh mesh;
    private final Map<String, String> names = new HashMap<>();
    private int failedLine;

    /** Of one call. */
    private record Printed(int status, String out, String err) {}

    @BeforeAll
    void start() throws IOException {
        mesh = LocalMesh.start(dir.resolve("mesh"), "--ssds", "3");
        names.put("dir", mesh.dir().toString());
        names.put("telemetry", Integer.toString(mesh.nodes().get(0).telemetry()));
        names.put("node2", mesh.nodes().get(1).control());
        Path bin = Files.createDirectory(dir.resolve("bin"));
        Files.createDirectory(dir.resolve("home"));
        for (String tool : List.of("dmg", "daos")) script(bin.resolve(tool), "set -- " + tool + " \"$@\"");
        script(bin.resolve("mesh"), "");
    }

    /** Works on the mesh of this test, whatever folder it is called in. */
    private void script(Path at, String first) throws IOException {
        Files.writeString(
                at,
                "#!/bin/sh\n" + first + "\nword=$1\nshift\nexec '" + ROOT.resolve("mesh") + "' \"$word\" --dir '"
                        + mesh.dir() + "' \"$@\"\n");
        Files.setPosixFilePermissions(at, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    @AfterAll
    void stop() {
        if (mesh != null) mesh.close();
    }

    @TestFactory
    Stream<DynamicTest> shouldPrintWhatThePageShows() throws IOException {
        List<Page.Step> steps = Page.of(Files.readAllLines(PAGE)).steps();
        return steps.stream()
                .map(step -> DynamicTest.dynamicTest("line " + step.line() + ": " + step.command(), () -> check(step)));
    }

    /** The page says which tests keep what it promises. */
    @Test
    void shouldNameTestsThatExist() throws IOException {
        TreeSet<String> named = new TreeSet<>();
        java.util.regex.Pattern.compile("\\b[A-Z][a-z][A-Za-z]*(?:Test|IT)\\b")
                .matcher(Files.readString(PAGE))
                .results()
                .map(MatchResult::group)
                .forEach(named::add);
        assertTrue(named.size() > 10, named::toString);
        for (String part : List.of("bundles", "drivers", "cli", "itests", "packages")) {
            try (Stream<Path> files = Files.walk(ROOT.resolve(part))) {
                files.map(f -> f.getFileName().toString().replace(".java", "")).forEach(named::remove);
            }
        }
        assertEquals("[]", named.toString(), "no such tests");
    }

    /** What stands below a command that failed would only fail, too. */
    private void check(Page.Step step) throws Exception {
        assumeTrue(failedLine == 0, () -> "line " + failedLine + " has failed");
        failedLine = step.line();
        String command = Pattern.filledIn(step.command(), names);
        long endNs = System.nanoTime() + (step.isRepeated() ? WAIT_MAX.toNanos() : 0);
        Printed printed = run(command);
        Optional<Map<String, String>> found = found(step, printed);
        while (found.isEmpty() && System.nanoTime() < endNs) {
            printed = run(command);
            found = found(step, printed);
        }
        Printed last = printed;
        names.putAll(found.orElseThrow(() -> new AssertionError(difference(step, command, last))));
        failedLine = 0;
    }

    private Optional<Map<String, String>> found(Page.Step step, Printed printed) {
        if (printed.status() != step.status()) return Optional.empty();
        return step.out()
                .match(printed.out(), names)
                .flatMap(known -> step.err().match(printed.err(), known));
    }

    private String difference(Page.Step step, String command, Printed printed) {
        return "docs/seeds.md line " + step.line() + ": " + command + "\n--- expected, exit " + step.status() + '\n'
                + String.join("\n", step.out().lines()) + "\n! "
                + String.join("\n! ", step.err().lines())
                + "\n--- printed, exit " + printed.status() + '\n' + printed.out() + "\n! " + printed.err()
                + "\n--- known "
                + names + mesh.logs();
    }

    private Printed run(String command) throws Exception {
        Path out = dir.resolve("out");
        Path err = dir.resolve("err");
        ProcessBuilder b = new ProcessBuilder("sh", "-c", command)
                .directory(dir.resolve("home").toFile())
                .redirectInput(new File("/dev/null"))
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        Map<String, String> environment = b.environment();
        String programs = LocalMesh.program("dmg").getParent().toString();
        environment.put("PATH", dir.resolve("bin") + ":" + environment.get("PATH") + ":" + programs);
        environment.put("HOME", dir.resolve("home").toString());
        environment.put("JAVA_HOME", System.getProperty("java.home"));
        environment.put("MESH_PARENT_PID", Long.toString(ProcessHandle.current().pid()));
        Process p = b.start();
        if (!p.waitFor(COMMAND_MAX.toSeconds(), TimeUnit.SECONDS)) {
            p.destroyForcibly();
            throw new AssertionError("no end within " + COMMAND_MAX + ": " + command + Files.readString(err));
        }
        return new Printed(p.exitValue(), Files.readString(out), Files.readString(err));
    }
}
