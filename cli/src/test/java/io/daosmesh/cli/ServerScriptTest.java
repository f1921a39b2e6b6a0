package io.daosmesh.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** bin/daos_server, with a program in Java's place that tells how it was called. */
@Timeout(120)
class ServerScriptTest {
    private static final Path ASSEMBLY =
            Path.of("../karaf-assembly/src/main/karaf/assembly").toAbsolutePath();

    @TempDir
    Path folder;

    private int status;

    @BeforeEach
    void layOut() throws IOException {
        for (String file : List.of("bin/daos_server", "bin/setenv", "lib/daos-mesh/tool.sh")) {
            Files.createDirectories(folder.resolve(file).getParent());
            Files.copy(ASSEMBLY.resolve(file), folder.resolve(file));
        }
        for (String jar : List.of("first", "tools")) {
            Files.createFile(folder.resolve("lib/daos-mesh/daos-mesh-" + jar + ".jar"));
        }
        Files.createDirectories(folder.resolve("etc"));
        Path java = Files.createDirectories(folder.resolve("jdk/bin")).resolve("java");
        Files.writeString(java, "#!/bin/sh\nfor a; do echo \"$a\"; done\n");
        Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private String run(String... words) throws Exception {
        List<String> line =
                new ArrayList<>(List.of("sh", folder.resolve("bin/daos_server").toString()));
        line.addAll(List.of(words));
        ProcessBuilder shell = new ProcessBuilder(line).redirectErrorStream(true);
        shell.environment().put("JAVA_HOME", folder + "/jdk");
        shell.environment().put("HOME", folder.toString());
        List.of("KARAF_BASE", "KARAF_ETC", "KARAF_LOG", "EXTRA_JAVA_OPTS").forEach(shell.environment()::remove);
        Process process = shell.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        status = process.exitValue();
        return output;
    }

    @Test
    void shouldStartTheNodeWithWhatTheCommandLineSays() throws Exception {
        String data = folder.resolve("data").toString();

        String output = run(
                "-o",
                "/a.yml",
                "start",
                "--data=" + data,
                "-p",
                "10009",
                "--targets=4",
                "-s",
                "/mnt/x",
                "-i",
                "--auto-format");

        assertEquals(0, status, output);
        for (String word : List.of(
                "-Ddaosmesh.server.config=/a.yml",
                "-Ddaosmesh.node.dir=" + data,
                "-Ddaosmesh.server.port=10009",
                "-Ddaosmesh.server.targets=4",
                "-Ddaosmesh.server.storage=/mnt/x",
                "-Ddaosmesh.server.insecure=true",
                "-Ddaosmesh.server.format=true")) {
            assertTrue(output.contains(word + "\n"), word + " in " + output);
        }
        assertTrue(output.endsWith("org.apache.karaf.main.Main\n"), output);
        output = run("start", "--data", data);
        assertTrue(output.contains("-Ddaosmesh.server.config=/etc/daos/daos_server.yml\n"), output);
        assertFalse(output.contains("daosmesh.server.port"), output);
    }

    @Test
    void shouldRefuseWhatHasNoMeaning() throws Exception {
        for (String words : List.of(
                "-x 2", "-p many", "-p", "-s relative", "--recreate-superblocks", "-d /run", "--nonsense", "-t")) {
            List<String> line = new ArrayList<>(List.of("start"));
            line.addAll(List.of(words.split(" ")));

            String output = run(line.toArray(String[]::new));

            assertEquals(1, status, words + ": " + output);
            assertTrue(output.startsWith("ERROR: daos_server: "), words + ": " + output);
        }
        assertTrue(run("start", "--help").contains("--auto-format"));
        assertEquals(0, status);
    }

    @Test
    void shouldHandAllElseToTheTool() throws Exception {
        String output = run("-o", "start", "nvme", "scan", "-j");

        assertTrue(output.endsWith("io.daosmesh.cli.server.DaosServer\n-o\nstart\nnvme\nscan\n-j\n"), output);
    }
}
