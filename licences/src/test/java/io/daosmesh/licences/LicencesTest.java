package io.daosmesh.licences;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A local repository and an assembly of a few files. */
class LicencesTest {
    private static final String APACHE = "<licenses><license><name>Apache License 2.0</name></license></licenses>";
    private static final String MANIFEST = "META-INF/MANIFEST.MF";

    @TempDir
    Path folder;

    private Path repository;
    private Path assembly;

    @BeforeEach
    void folders() throws IOException {
        repository = Files.createDirectories(folder.resolve("repository"));
        assembly = Files.createDirectories(folder.resolve("assembly"));
    }

    private static Path place(Path root, String group, String artifact, String version, String ending)
            throws IOException {
        Path to = root.resolve(group.replace('.', '/')).resolve(artifact).resolve(version);
        return Files.createDirectories(to).resolve(artifact + "-" + version + ending);
    }

    private static Path jar(Path file, Map<String, byte[]> entries) throws IOException {
        try (OutputStream out = Files.newOutputStream(file)) {
            out.write(jar(entries));
        }
        return file;
    }

    private static byte[] jar(Map<String, byte[]> entries) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JarOutputStream out = new JarOutputStream(bytes)) {
            for (var e : entries.entrySet()) {
                out.putNextEntry(new JarEntry(e.getKey()));
                out.write(e.getValue());
            }
        }
        return bytes.toByteArray();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private Path library(String artifact, String version, String pom) throws IOException {
        Files.writeString(
                place(repository, "org.example", artifact, version, ".pom"), "<project>" + pom + "</project>");
        return jar(
                place(repository, "org.example", artifact, version, ".jar"),
                Map.of("org/example/A.class", bytes("x"), "META-INF/NOTICE", bytes("by Ann")));
    }

    private List<String> run(String... more) throws IOException {
        List<String> args = new ArrayList<>(List.of(
                "--repository",
                repository.toString(),
                "--out",
                folder.resolve("out").toString()));
        args.addAll(List.of(more));
        return Licences.run(args);
    }

    private String table() throws IOException {
        return Files.readString(folder.resolve("out/THIRD-PARTY.txt"));
    }

    @Test
    void shouldListWhatIsAllowedWithItsTexts() throws IOException {
        Path jar = library("one", "1.0", APACHE);

        assertEquals(List.of(), run("--classpath", jar.toString(), "--where", "here"));

        assertTrue(table().contains("org.example:one\t1.0\tApache-2.0\there\n"), table());
        assertEquals("by Ann", Files.readString(folder.resolve("out/licenses/one-1.0/NOTICE")));
        assertTrue(
                Files.readString(folder.resolve("out/licenses/Apache-2.0.txt")).contains("Version 2.0, January 2004"));
    }

    @Test
    void shouldTakeTheLicenceOfTheParent() throws IOException {
        library("parent", "7", APACHE);
        Path jar = library(
                "child",
                "1.0",
                "<parent><groupId>org.example</groupId><artifactId>parent</artifactId><version>7</version></parent>");

        assertEquals(List.of(), run("--classpath", jar.toString()));
    }

    @ParameterizedTest
    @CsvSource({"''", "Secret Licence", "GNU General Public License"})
    void shouldRefuseUnknownAndForbidden(String name) throws IOException {
        Path jar = library("one", "1.0", "<licenses><license><name>" + name + "</name></license></licenses>");

        List<String> problems = run("--classpath", jar.toString());

        assertEquals(1, problems.size());
        assertTrue(problems.get(0).contains("org.example:one 1.0"), problems.get(0));
    }

    @Test
    void shouldChooseTheAllowedOfSeveral() throws IOException {
        Path jar = library(
                "one",
                "1.0",
                "<licenses><license><name>GNU General Public License</name></license>"
                        + "<license><name>MIT License</name></license></licenses>");

        assertEquals(List.of(), run("--classpath", jar.toString()));
        assertTrue(table().contains("\tMIT\t"), table());
    }

    @ParameterizedTest
    @CsvSource({"2.21.3, 1", "2.21.4, 0", "2.21.10, 0", "2.9.9, 1", "3.0, 0"})
    void shouldRefuseVersionsWithKnownFaults(String version, int problems) {
        Component component = new Component("com.fasterxml.jackson.core", "jackson-databind", version, "");

        assertEquals(problems == 1, Tables.read().isFaulty(component));
    }

    @Test
    void shouldLookIntoOurBundles() throws IOException {
        Path inner = library("inner", "1.0", APACHE);
        library("unpacked", "2.0", APACHE);
        jar(
                place(assembly.resolve("system"), "io.daosmesh", "bundle", "0.1", ".jar"),
                Map.of(
                        "io/daosmesh/A.class", bytes("x"),
                        "org/unpacked/A.class", bytes("x"),
                        "inner-1.0.jar", Files.readAllBytes(inner)));
        String[] args = {
            "--assembly",
            assembly.toString(),
            "--nested",
            "org.example",
            "--unpacked",
            "org/unpacked/=org.example:unpacked:2.0"
        };

        assertEquals(List.of(), run(args));

        assertTrue(table().contains("org.example:inner\t1.0\tApache-2.0\tinside bundle-0.1.jar\n"), table());
        assertTrue(table().contains("org.example:unpacked\t2.0\tApache-2.0\tinside bundle-0.1.jar\n"), table());
        List<String> problems = run("--assembly", assembly.toString());
        assertEquals(2, problems.size());
        assertTrue(problems.toString().contains("inner-1.0.jar")
                && problems.toString().contains("org/unpacked/A.class"));
    }

    @Test
    void shouldRefuseJarThatDoesNotSayWhatItIs() throws IOException {
        Files.createDirectories(assembly.resolve("lib"));
        jar(assembly.resolve("lib/some.jar"), Map.of(MANIFEST, bytes("Manifest-Version: 1.0\n")));

        assertTrue(run("--assembly", assembly.toString()).toString().contains("lib/some.jar does not say what it is"));
    }
}
