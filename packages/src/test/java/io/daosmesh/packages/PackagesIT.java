package io.daosmesh.packages;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The packages as an administrator gets them: what is in them, and a life with them in a Debian of its own. */
class PackagesIT {
    private static final Path MADE = Path.of(System.getProperty("packages.dir"));
    private static final Path SCRIPTS = MADE.resolveSibling("../karaf-assembly/src/main/karaf/assembly/bin");
    private static final List<String> NAMES = List.of("server", "client", "agent", "admin");
    private static final int SKIPPED = 77;
    private static final long LIFE_MAX_S = 600; // 60 s on an idle machine, ten times that on one that builds meanwhile

    @TempDir
    Path dir;

    /** What a program has said, and how it ended. */
    private record Ended(int status, String said) {}

    @Test
    void shouldInstallStartUpgradeAndRemove() throws IOException, InterruptedException {
        assumeTrue(isThere("unshare"), "needs namespaces: no unshare");
        assumeTrue("root".equals(System.getProperty("user.name")), "needs root");
        Path script = MADE.resolveSibling("src/test/sh/lifecycle.sh");

        Ended life = run(
                LIFE_MAX_S,
                List.of(
                        "unshare",
                        "--mount",
                        "--net",
                        "--pid",
                        "--fork",
                        "--kill-child",
                        "sh",
                        script + "",
                        MADE + "",
                        dir + ""));

        String last = life.said.strip().replaceAll("(?s).*\\n", "");
        if (life.status == SKIPPED) abort(last);
        assertEquals(0, life.status, life.said);
        assertTrue(last.startsWith("STEP ") && last.endsWith(" done"), life.said);
    }

    @Test
    void shouldHoldEachJarInOnePackage() throws IOException, InterruptedException {
        List<String> jars = new ArrayList<>();
        for (String name : NAMES) {
            files(name).stream()
                    .filter(f -> f.endsWith(".jar"))
                    .map(f -> f.replaceAll(".*/", ""))
                    .distinct()
                    .forEach(jars::add);
        }
        jars.sort(null);

        assertTrue(jars.size() > 50, "found " + jars.size());
        assertEquals(List.copyOf(new TreeSet<>(jars)), jars);
    }

    /** A new program of the assembly has to be given to one of the packages: packages/pom.xml. */
    @Test
    void shouldPutEveryProgramOnThePath() throws IOException, InterruptedException {
        List<String> files = files();
        try (Stream<Path> programs = Files.list(SCRIPTS)) {
            for (Path each : programs.toList()) {
                String name = each.getFileName().toString();
                if (name.equals("setenv")) continue;
                for (String wanted : List.of("/usr/bin/" + name, "/usr/lib/daos-mesh/bin/" + name))
                    assertEquals(1, files.stream().filter(wanted::equals).count(), wanted);
            }
        }
    }

    @Test
    void shouldPackTheArchiveWithPagesAndCompletion() throws IOException, InterruptedException {
        Path archive;
        try (Stream<Path> made = Files.list(MADE)) {
            archive = made.filter(f -> f.toString().endsWith(".tar.gz"))
                    .findFirst()
                    .orElseThrow();
        }

        List<String> files = run(60, List.of("tar", "-tvzf", archive.toString()))
                .said
                .lines()
                .toList();

        for (String wanted : List.of(
                "bin/dmg",
                "bin/daos_server",
                "share/man/man8/dmg.8.gz",
                "share/bash-completion/completions/daos",
                "share/zsh/vendor-completions/_dmg",
                "systemd/daos_server.service",
                "lib/daos-mesh/daos-mesh-tools.jar")) {
            assertEquals(
                    1,
                    files.stream()
                            .filter(f -> f.endsWith(" daos-mesh/" + wanted))
                            .count(),
                    wanted);
        }
        assertTrue(files.stream().anyMatch(f -> f.startsWith("-rwxr-xr-x") && f.endsWith("daos-mesh/bin/dmg")));
    }

    private List<String> files() throws IOException, InterruptedException {
        List<String> files = new ArrayList<>();
        for (String name : NAMES) files.addAll(files(name));
        return files;
    }

    /** Of one package, without folders and the targets of links. */
    private List<String> files(String name) throws IOException, InterruptedException {
        assumeTrue(isThere("dpkg-deb"), "needs dpkg-deb");
        Path deb = MADE.resolve("daos-mesh-" + name + ".deb");
        Ended listed = run(60, List.of("dpkg-deb", "-c", deb.toString()));
        assertEquals(0, listed.status, listed.said);
        return listed.said
                .lines()
                .filter(l -> !l.startsWith("d"))
                .map(l -> l.replaceFirst(" -> .*", "").replaceFirst(".* \\./", "/"))
                .toList();
    }

    private static boolean isThere(String program) {
        return Stream.of(System.getenv("PATH").split(":")).anyMatch(d -> Files.isExecutable(Path.of(d, program)));
    }

    private Ended run(long maxS, List<String> command) throws IOException, InterruptedException {
        Path out = Files.createTempFile(dir, "out", "");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .redirectOutput(out.toFile())
                .start();
        boolean hasEnded = process.waitFor(maxS, TimeUnit.SECONDS);
        if (!hasEnded) process.destroyForcibly().waitFor(10, TimeUnit.SECONDS);
        String said = Files.readString(out, StandardCharsets.UTF_8);
        return new Ended(
                hasEnded ? process.exitValue() : -1, said + (hasEnded ? "" : "\nnot done after " + maxS + " s"));
    }
}
