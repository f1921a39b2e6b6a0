package io.daosmesh.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The script that starts the tools, with a program in Java's place that tells how it was called. */
@Timeout(120)
class ToolScriptTest {
    private static final Path SCRIPT = Path.of("../karaf-assembly/src/main/karaf/assembly/lib/daos-mesh/tool.sh")
            .toAbsolutePath();
    private static final int NOBODY = 65534;

    @TempDir
    Path folder;

    private Path home;
    private Path cache;

    @BeforeEach
    void layOut() throws IOException {
        Path lib = Files.createDirectories(folder.resolve("lib"));
        Path jar = Files.createFile(lib.resolve("daos-mesh-tools.jar"));
        Files.setLastModifiedTime(jar, FileTime.from(Instant.parse("2001-01-01T00:00:00Z")));
        Path java = Files.createDirectories(folder.resolve("jdk/bin")).resolve("java");
        // makes the archive that it is asked for, as Java does
        Files.writeString(
                java,
                "#!/bin/sh\nfor a; do echo \"$a\"; case $a in -XX:ArchiveClassesAtExit=*) : > \"${a#*=}\" ;; esac; done\n");
        Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwxr-xr-x"));
        home = Files.createDirectories(folder.resolve("home"));
        cache = home.resolve(".cache/daos-mesh");
    }

    private String run(Map<String, String> environment) throws Exception {
        ProcessBuilder shell = new ProcessBuilder(
                "sh",
                "-c",
                "LIB=$1; . \"$2\"; run dmg Main tools system query",
                "sh",
                folder + "/lib",
                SCRIPT.toString());
        shell.environment().remove("XDG_CACHE_HOME");
        shell.environment().remove("DAOS_TOOLS_CACHE");
        shell.environment().put("HOME", home.toString());
        shell.environment().put("JAVA_HOME", folder + "/jdk");
        shell.environment().putAll(environment);
        shell.redirectErrorStream(true);
        Process process = shell.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        assertEquals(0, process.exitValue(), output);
        assertTrue(output.endsWith("Main\nsystem\nquery\n"), output);
        return output;
    }

    private String run() throws Exception {
        return run(Map.of());
    }

    private static boolean isUsed(String output) {
        return output.contains("-XX:SharedArchiveFile=");
    }

    private static boolean isMade(String output) {
        return output.contains("-XX:ArchiveClassesAtExit=");
    }

    private Path archive() throws IOException {
        try (Stream<Path> all = Files.list(cache)) {
            List<Path> files = all.toList();
            assertEquals(1, files.size(), files::toString);
            return files.get(0);
        }
    }

    private void assertNeither() throws Exception {
        String output = run();
        assertFalse(isUsed(output) || isMade(output), output);
    }

    private static void mode(Path path, String mode) throws IOException {
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(mode));
    }

    @Test
    void shouldMakeAnArchiveOnceAndUseIt() throws Exception {
        assertTrue(isMade(run()));
        assertTrue(isUsed(run()));

        assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(cache)));
        Path other = Files.createDirectories(folder.resolve("other"));
        assertTrue(isMade(run(Map.of("XDG_CACHE_HOME", other.toString()))));
        assertTrue(isUsed(run(Map.of("XDG_CACHE_HOME", other.toString()))));
        assertFalse(isMade(run(Map.of("XDG_CACHE_HOME", "relative"))));
    }

    @Test
    void shouldLeaveAloneWhatOthersMayWriteTo() throws Exception {
        run();
        for (Path path : List.of(archive(), cache, cache.getParent(), home)) {
            String before = PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
            for (String mode : List.of("rwxrwx---", "rwx----w-")) {
                mode(path, mode);
                assertNeither();
            }
            mode(path, before);
            assertTrue(isUsed(run()), path.toString());
        }
    }

    @Test
    void shouldLeaveLinksAlone() throws Exception {
        run();
        Path archive = archive();
        Path aside = folder.resolve("aside");
        Files.move(archive, aside);
        Files.createSymbolicLink(archive, aside);
        assertNeither();
        Files.delete(archive);
        Files.createSymbolicLink(archive, folder.resolve("nothing"));
        assertNeither();
        assertFalse(Files.exists(folder.resolve("nothing")));
        Files.delete(archive);

        Path elsewhere = folder.resolve("elsewhere");
        Files.move(cache, elsewhere);
        Files.createSymbolicLink(cache, elsewhere);

        assertNeither();
        try (Stream<Path> made = Files.list(elsewhere)) {
            assertEquals(0, made.count());
        }
    }

    @Test
    void shouldLeaveAloneWhatBelongsToAnother() throws Exception {
        assumeTrue(Integer.valueOf(0).equals(Files.getAttribute(Path.of("/proc/self"), "unix:uid")), "only root gives");
        run();
        for (Path path : List.of(archive(), cache, cache.getParent(), home)) {
            Files.setAttribute(path, "unix:uid", NOBODY);
            assertNeither();
            Files.setAttribute(path, "unix:uid", 0);
            assertTrue(isUsed(run()), path.toString());
        }
    }

    @Test
    void shouldMakeNothingInAHomeOfAnother() throws Exception {
        assumeTrue(Integer.valueOf(0).equals(Files.getAttribute(Path.of("/proc/self"), "unix:uid")), "only root gives");
        Files.setAttribute(home, "unix:uid", NOBODY);

        assertNeither();

        assertFalse(Files.exists(home.resolve(".cache")));
    }
}
