package io.daosmesh.itests.mesh.torture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.daosmesh.cli.mesh.MeshRecord;
import io.daosmesh.cli.mesh.MeshSettings;
import io.daosmesh.cli.mesh.net.Network;
import io.daosmesh.itests.mesh.LocalMesh;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A torture that does not come to its end: what it leaves on the machine. Its own mesh, mounts and networks take root. */
class TortureEndIT {
    private static final Duration BEGUN_MAX = Duration.ofSeconds(150);
    private static final int ENDED_MAX_S = 90;

    @TempDir
    private Path folder;

    private Path mesh = Path.of("");
    private Path said = Path.of("");

    @BeforeEach
    void prepare() throws IOException {
        assumeTrue(Network.missing().isEmpty(), "network namespaces cannot be made here");
        assumeTrue(
                Files.exists(Path.of("/dev/loop-control")) && Files.isExecutable(Path.of("/usr/sbin/mkfs.ext4")),
                "loop devices with ext4 cannot be made here");
        folder = folder.toRealPath();
        mesh = folder.resolve(".mesh-torture");
        said = folder.resolve("said");
    }

    /** Also of a test that failed. */
    @AfterEach
    void clear() throws IOException {
        if (!Files.exists(mesh)) return;
        LocalMesh left = LocalMesh.attach(mesh);
        left.mesh("down");
        PowerCuts.unmountAll(mesh);
        left.mesh("down", "--wipe");
    }

    @Test
    void shouldLeaveNothingWhenItIsEndedByASignal() throws Exception {
        Process torture = start("", "--power-cuts", "9");
        awaitMounts(torture);
        List<Long> nodes = nodes();
        Path network = network();
        assertTrue(Files.exists(network));

        torture.destroy();

        assertTrue(torture.waitFor(ENDED_MAX_S, TimeUnit.SECONDS), this::said);
        assertEquals(143, torture.exitValue(), this::said);
        assertNothingRuns(nodes, network);
        assertFalse(Files.exists(mesh), this::said);
    }

    /** A program that makes the file systems gives up at the fourth. */
    @Test
    void shouldLeaveTheFolderAloneWhenItFails() throws Exception {
        Path programs = Files.createDirectory(folder.resolve("programs"));
        Path mkfs = Files.writeString(programs.resolve("mkfs.ext4"), """
                #!/bin/sh
                echo >> "${0%/*}/made"
                [ $(wc -l < "${0%/*}/made") -lt 4 ] && exec /usr/sbin/mkfs.ext4 "$@"
                exit 1
                """);
        assertTrue(mkfs.toFile().setExecutable(true));

        Process torture = start(programs.toString(), "--power-cuts", "9");

        assertTrue(torture.waitFor(BEGUN_MAX.toSeconds(), TimeUnit.SECONDS), this::said);
        assertEquals(1, torture.exitValue(), this::said);
        assertTrue(said().contains("./mesh down --dir " + mesh + " --wipe"), this::said);
        assertNothingRuns(nodes(), network());
        assertEquals(4, Files.readAllLines(programs.resolve("made")).size());
    }

    /** Nobody can do anything then; the next one does, and leaves the folder to whoever wants to look. */
    @Test
    void shouldSayWhatToDoAfterOneThatWasKilled() throws Exception {
        Process killed = start("", "--power-cuts", "9");
        awaitMounts(killed);
        List<Long> nodes = nodes();
        Path network = network();
        killed.destroyForcibly().waitFor();

        Process next = start("", "--kills", "1");

        assertTrue(next.waitFor(ENDED_MAX_S, TimeUnit.SECONDS), this::said);
        assertEquals(1, next.exitValue(), this::said);
        assertTrue(said().contains("./mesh down --dir " + mesh + " --wipe"), this::said);
        assertNothingRuns(nodes, network);
        assertTrue(Files.exists(mesh.resolve("mesh.json")), this::said);
    }

    /** @param programs a folder that goes before all others; empty = none */
    private Process start(String programs, String... words) throws IOException {
        List<String> line = new ArrayList<>(List.of(
                ProcessHandle.current().info().command().orElse("java"),
                "-Dmesh.root=" + System.getProperty("mesh.root", ""),
                "-Dmesh.dir=" + folder.resolve(".mesh"),
                "-cp",
                System.getProperty("java.class.path"),
                Torture.class.getName()));
        line.addAll(List.of(words));
        ProcessBuilder torture =
                new ProcessBuilder(line).redirectErrorStream(true).redirectOutput(said.toFile());
        if (!programs.isEmpty()) torture.environment().merge("PATH", programs, (path, first) -> first + ":" + path);
        return torture.start();
    }

    private void awaitMounts(Process torture) {
        LocalMesh.await(
                "the torture has begun", BEGUN_MAX, () -> said().contains("torture:") && mounts().size() == 8, () -> {
                    torture.destroy();
                    return said();
                });
    }

    private String said() {
        try {
            return Files.exists(said) ? Files.readString(said) : "";
        } catch (IOException e) {
            return e.toString();
        }
    }

    private List<Long> nodes() {
        List<Long> pids = MeshRecord.read(mesh).nodes().stream()
                .map(MeshRecord.Entry::pid)
                .toList();
        assertEquals(4, pids.size());
        return pids;
    }

    private Path network() {
        int number = MeshSettings.read(mesh).network().orElseThrow().number();
        return Path.of("/run/netns/dmesh" + number);
    }

    private List<String> mounts() throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/mounts"))) {
            return lines.filter(l -> l.contains(" " + folder)).toList();
        }
    }

    private List<String> loops() throws IOException {
        List<String> found = new ArrayList<>();
        try (Stream<Path> blocks = Files.list(Path.of("/sys/block"))) {
            for (Path b : blocks.toList()) {
                Path file = b.resolve("loop/backing_file");
                if (Files.exists(file) && Files.readString(file).contains(folder.toString())) found.add(b.toString());
            }
        }
        return found;
    }

    private void assertNothingRuns(List<Long> nodes, Path network) throws IOException {
        assertEquals(List.of(), mounts(), this::said);
        assertFalse(Files.exists(network), this::said);
        assertFalse(Files.exists(network.resolveSibling(network.getFileName() + "-1")), this::said);
        assertTrue(nodes.stream().noneMatch(p -> ProcessHandle.of(p).isPresent()), this::said);
        LocalMesh.await("the kernel has freed the loop devices", Duration.ofSeconds(10), () -> loops().isEmpty());
    }
}
