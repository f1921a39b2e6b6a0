package io.daosmesh.cli.daos;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.client.ClientConfig;
import io.daosmesh.client.FakeCluster;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A backup is as good as what comes back: all that a file has besides its name and content, and what is left of a copy cut short. */
@Timeout(120)
class DaosCopyTest {
    private static final int MIB = 1 << 20;

    @TempDir
    Path folder;

    private final FakeCluster cluster = new FakeCluster(12);
    private final ByteArrayOutputStream printed = new ByteArrayOutputStream();
    private Path source;
    private Path back;

    @BeforeEach
    void make() throws IOException {
        Files.writeString(folder.resolve("daos_agent.yml"), "name: daos_server\naccess_points: ['127.0.0.1:10001']\n");
        source = Files.createDirectory(folder.resolve("source"));
        back = folder.resolve("back");
        assertEquals(0, daos("container", "create", "tank", "fs", "--type", "POSIX"));
    }

    private int daos(String... args) {
        printed.reset();
        PrintStream to = new PrintStream(printed, true, StandardCharsets.UTF_8);
        DaosContext context = new DaosContext(
                new ByteArrayInputStream(new byte[0]),
                to,
                to,
                false,
                Map.of("DAOS_AGENT_CONFIG", folder.resolve("daos_agent.yml").toString()),
                read -> new DaosContext.Connection() {
                    @Override
                    public ClientConfig config() {
                        return cluster.config();
                    }

                    @Override
                    public void close() {}
                },
                socket -> {
                    throw new AssertionError("through the agent at " + socket);
                });
        return Daos.run(context, args);
    }

    private String text() {
        return printed.toString(StandardCharsets.UTF_8);
    }

    private void copy(Object from, Object to, String... more) {
        List<String> words =
                new ArrayList<>(List.of("fs", "copy", "-r", "--src", from.toString(), "--dst", to.toString()));
        words.addAll(Arrays.asList(more));
        assertEquals(0, daos(words.toArray(String[]::new)), this::text);
    }

    private void there(String... more) {
        copy(source, "daos://tank/fs/in");
        copy("daos://tank/fs/in", back, more);
    }

    private static String sh(String script, Path at) throws Exception {
        Process p = new ProcessBuilder("sh", "-c", script)
                .directory(at.toFile())
                .redirectErrorStream(true)
                .start();
        String out = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, p.waitFor(), out);
        return out.strip();
    }

    /** Mode, time, and target or content, of everything below. */
    private static Map<String, String> describe(Path start) throws IOException {
        Map<String, String> all = new TreeMap<>();
        try (Stream<Path> paths = Files.walk(start)) {
            for (Path path : (Iterable<Path>) paths::iterator) {
                Map<String, Object> a =
                        Files.readAttributes(path, "unix:mode,lastModifiedTime", LinkOption.NOFOLLOW_LINKS);
                String what = Files.isSymbolicLink(path)
                        ? " -> " + Files.readSymbolicLink(path)
                        : Files.isRegularFile(path) ? " " + Arrays.hashCode(Files.readAllBytes(path)) : "";
                long micros = ((FileTime) a.get("lastModifiedTime")).to(TimeUnit.MICROSECONDS);
                String time = Files.isSymbolicLink(path) ? "" : " " + micros;
                all.put(start.relativize(path).toString(), Integer.toOctalString((int) a.get("mode")) + time + what);
            }
        }
        return all;
    }

    private static void mode(Path file, int mode) throws IOException {
        Files.setAttribute(file, "unix:mode", mode);
    }

    private void makeOddities() throws IOException {
        Path open = Files.createDirectories(source.resolve("open/below")).getParent();
        Path run = Files.writeString(open.resolve("run"), "as its owner");
        Files.writeString(open.resolve("below/shut"), "");
        Files.writeString(source.resolve("n".repeat(255)), "long");
        Files.writeString(source.resolve("é".repeat(127)), "long, too");
        Files.writeString(source.resolve(" a\tb\\\"'*"), "odd");
        Files.createSymbolicLink(source.resolve("nowhere"), Path.of("/not/there"));
        Files.createSymbolicLink(source.resolve("folder"), Path.of("open/below"));
        FileTime old = FileTime.from(Instant.parse("1969-12-31T23:59:59.123456Z"));
        Files.setLastModifiedTime(run, old);
        mode(run, 06755);
        mode(open.resolve("below/shut"), 0);
        mode(open.resolve("below"), 02750);
        mode(open, 01777);
        Files.setLastModifiedTime(open, FileTime.from(Instant.parse("2040-02-03T04:05:06.000001Z")));
    }

    @Test
    void shouldBringBackModesTimesLinksAndNames() throws IOException {
        makeOddities();

        there("--preserve-setid");

        assertEquals(describe(source), describe(back));
        assertFalse(text().contains("No set-id"), text());
    }

    /** Whoever may write to a container would else run what they like as whoever copies it out. */
    @Test
    void shouldGiveNobodyTheRightsOfWhoCopiesUnlessAsked() throws IOException {
        makeOddities();

        there();

        assertTrue(text().contains("No set-id:   1 (--preserve-setid"), text());
        Map<String, String> expected = describe(source);
        expected.computeIfPresent("open/run", (name, what) -> what.replace("106755", "100755"));
        assertEquals(expected, describe(back));
    }

    @Test
    void shouldKeepHolesHoles() throws Exception {
        Path file = source.resolve("sparse");
        try (FileChannel out = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            out.write(java.nio.ByteBuffer.wrap(new byte[] {1}), 20 * MIB + 100_000);
            out.write(java.nio.ByteBuffer.wrap(new byte[1]), 40 * MIB - 1);
        }
        Files.write(source.resolve("zeros"), new byte[3 * MIB + 5]);

        there("--verify");

        assertEquals(describe(source), describe(back));
        for (String name : List.of("sparse", "zeros"))
            assertTrue(Long.parseLong(sh("stat -c %b " + name, back)) * 512 <= 2 * MIB, name);
        copy(source, "daos://tank/fs/in");
        assertTrue(text().contains("Unchanged:   2"), text());
    }

    @Test
    void shouldMakeNewFilesAsTheSourceSaysWhateverTheUmask() throws IOException {
        Path file = Files.writeString(source.resolve("f"), "open to all");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-rw-"));

        there();

        assertEquals("rw-rw-rw-", PosixFilePermissions.toString(Files.getPosixFilePermissions(back.resolve("f"))));
    }

    /** As other programs make theirs. */
    @Test
    void shouldLeaveTheModeOfAValuesFileToTheUmask() throws IOException {
        assertEquals(0, daos("container", "create", "tank", "kv"));
        Path value = Files.writeString(folder.resolve("value"), "v");
        assertEquals(0, daos("kv", "put", "tank", "kv", "k", value.toString()), this::text);

        assertEquals(0, daos("kv", "get", "tank", "kv", "k", folder + "/new"), this::text);

        assertEquals(Files.getPosixFilePermissions(value), Files.getPosixFilePermissions(folder.resolve("new")));
    }

    /** As for cp: what the user names is meant, not the link. */
    @Test
    void shouldFollowLinksThatAreNamed() throws IOException {
        Files.writeString(source.resolve("f"), "content");
        Path toFolder = Files.createSymbolicLink(folder.resolve("to-folder"), source);
        Path toFile = Files.createSymbolicLink(folder.resolve("to-file"), source.resolve("f"));
        Path toNothing = Files.createSymbolicLink(folder.resolve("to-nothing"), Path.of("none"));

        copy(toFolder, "daos://tank/fs/in");
        assertEquals(0, daos("fs", "copy", "--src", toFile.toString(), "--dst", "daos://tank/fs/in"), this::text);
        Files.createSymbolicLink(source.resolve("l"), Path.of("f"));
        copy(source, "daos://tank/fs/in");
        Path into = Files.createDirectory(folder.resolve("into"));
        Path there = Files.createSymbolicLink(folder.resolve("there"), into);
        assertEquals(0, daos("fs", "copy", "--src", "daos://tank/fs/in/l", "--dst", there.toString()), this::text);

        assertEquals("content", Files.readString(into.resolve("l")));
        assertFalse(Files.isSymbolicLink(into.resolve("l")));
        copy("daos://tank/fs/in", back);
        assertEquals("content", Files.readString(back.resolve("to-file")));
        assertTrue(Files.isSymbolicLink(back.resolve("l")));
        assertEquals(1, daos("fs", "copy", "--src", toNothing.toString(), "--dst", "daos://tank/fs/in"));
        assertTrue(text().contains("DER_NONEXIST"), text());
    }

    @Test
    void shouldNotSayThatAPipeWasCopied() throws Exception {
        sh("mkfifo pipe", source);

        copy(source, "daos://tank/fs/in");
        assertTrue(text().contains("Not copied:  1 (sockets, pipes, devices)"), text());
        assertEquals(1, daos("fs", "copy", "--src", source + "/pipe", "--dst", "daos://tank/fs/in"));
        assertTrue(text().contains("is a pipe"), text());
    }

    /** Of a copy that was killed: only what is missing is copied, and what it had not finished goes. */
    @Test
    void shouldGoOnWhereACopyWasKilled() throws IOException {
        for (int i = 0; i < 30; i++) Files.writeString(source.resolve("f" + i), "content " + i);
        copy(source, "daos://tank/fs/in");
        copy("daos://tank/fs/in", back);
        Map<String, String> whole = describe(back);
        for (int i = 0; i < 7; i++) Files.delete(back.resolve("f" + i));
        Path left = Files.createDirectory(
                back.resolve(".daos-part-0123"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Files.writeString(left.resolve("lock"), "");
        Files.writeString(left.resolve("half"), "conte");
        Files.createDirectory(left.resolve("folder"));

        copy("daos://tank/fs/in", back);

        assertTrue(text().contains("Files:       7\n"), text());
        assertTrue(text().contains("Unchanged:   23\n"), text());
        assertEquals(whole, describe(back));
    }

    /** Its file system says that it lives. */
    @Test
    void shouldLeaveAloneWhatACopyIsStillAtWork() throws Exception {
        Files.writeString(source.resolve("f"), "content");
        Path used = Files.createDirectories(back.resolve(".daos-part-4567"));
        Files.writeString(used.resolve("half"), "conte");
        Path lock = Files.writeString(used.resolve("lock"), "");
        Process other = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        LockHolder.class.getName(),
                        lock.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try {
            assertEquals('l', other.getInputStream().read());
            there();
            assertEquals("conte", Files.readString(used.resolve("half")));
        } finally {
            other.destroyForcibly().waitFor();
        }

        copy("daos://tank/fs/in", back);
        assertFalse(Files.exists(used));
    }

    /** Another program with a copy under way. */
    static final class LockHolder {
        public static void main(String[] args) throws Exception {
            try (FileChannel file = FileChannel.open(Path.of(args[0]), StandardOpenOption.WRITE)) {
                file.lock();
                System.out.write('l');
                System.out.flush();
                System.in.read();
            }
        }
    }
}
