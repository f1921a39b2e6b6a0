package io.daosmesh.cli.daos;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.client.ClientConfig;
import io.daosmesh.client.FakeCluster;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class DaosTest {
    @TempDir
    Path folder;

    private final FakeCluster cluster = new FakeCluster(11);
    private Path config;
    private byte[] input = {};
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    @BeforeEach
    void configure() throws IOException {
        config = folder.resolve("daos_agent.yml");
        Files.writeString(config, "name: daos_server\naccess_points: ['127.0.0.1:10001']\n");
    }

    private int daos(String... args) {
        out.reset();
        err.reset();
        DaosContext context = new DaosContext(
                new ByteArrayInputStream(input),
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                false,
                Map.of("DAOS_AGENT_CONFIG", config.toString()),
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
        int status = Daos.run(context, args);
        assertEquals(0, cluster.connectedPools(), "each command gives back what it has opened");
        assertEquals(0, cluster.openContainers());
        return status;
    }

    private String text() {
        return out.toString(StandardCharsets.UTF_8);
    }

    private String errors() {
        return err.toString(StandardCharsets.UTF_8);
    }

    private void succeed(String... args) {
        assertEquals(0, daos(args), () -> errors());
    }

    private void fail(String code, String... args) {
        assertEquals(1, daos(args));
        assertTrue(errors().startsWith("ERROR: daos: DER_" + code + "(-"), errors());
        assertEquals(2, errors().lines().count(), errors());
        assertFalse(errors().contains("\tat "), errors());
        assertEquals("", text());
    }

    @Test
    void shouldCompareBeforeItStores() {
        succeed("container", "create", "tank", "c1");
        succeed("kv", "put", "tank", "c1", "k", "--if-absent");
        succeed("kv", "get", "tank", "c1", "k", "--show-version");
        String version = errors().strip();
        fail("EXIST", "kv", "put", "tank", "c1", "k", "--if-absent");
        input = new byte[] {1, 2, 3};

        succeed("kv", "put", "tank", "c1", "k", "--if-version", version);
        fail("TX_RESTART", "kv", "put", "tank", "c1", "k", "--if-version", version);

        succeed("kv", "get", "tank", "c1", "k");
        assertArrayEquals(input, out.toByteArray());
        succeed("--json", "kv", "get", "tank", "c1", "k");
        assertFalse(text().contains("\"" + version + "\""), text());
        assertTrue(text().contains("\"version\""), text());
        fail("INVAL", "kv", "put", "tank", "c1", "k", "--if-version", version, "--if-absent");
    }

    @Test
    void shouldKeepValuesForScripts() {
        succeed("container", "create", "tank", "c1", "--properties", "rd_fac:1");
        assertTrue(text().contains("RP_2GX"), text());
        input = new byte[] {0, 1, (byte) 0xff, '\n'};

        fail("NONEXIST", "kv", "get", "tank", "c1", "k");
        succeed("kv", "put", "tank", "c1", "k");
        succeed("kv", "put", "tank", "c1", "other", config.toString());
        succeed("kv", "get", "tank", "c1", "k");
        assertArrayEquals(input, out.toByteArray());
        succeed("kv", "list", "tank", "c1");
        assertEquals("k\nother\n", text());
        succeed("kv", "remove", "tank", "c1", "k");
        fail("NONEXIST", "kv", "get", "tank", "c1", "k");
        fail("NONEXIST", "kv", "remove", "tank", "c1", "k");
    }

    @Test
    void shouldTakeKeysAsTheyAreTyped() throws IOException {
        succeed("container", "create", "tank", "c1");
        Files.writeString(folder.resolve("words"), "other words");
        for (String key : new String[] {"@x", "@@x", "@" + folder.resolve("words"), "ключ", "-", "a,b", " "}) {
            input = key.getBytes(StandardCharsets.UTF_8);
            succeed("kv", "put", "tank", "c1", "--", key);
        }

        for (String key : new String[] {"@x", "@@x", "@" + folder.resolve("words"), "ключ", "-", "a,b", " "}) {
            succeed("kv", "get", "tank", "c1", "--", key);
            assertEquals(key, text());
        }
        fail("INVAL", "kv", "put", "tank", "c1", "");
    }

    @Test
    void shouldKeepTheBytesOfKeysOrRefuseThem() {
        succeed("container", "create", "tank", "c1");
        fail("INVAL", "kv", "put", "tank", "c1", "\ufffd");
        fail("INVAL", "kv", "get", "tank", "c1", "a\ufffdb");
        fail("INVAL", "kv", "put", "tank", "c1", "--hex", "xyz");
        input = new byte[] {1};
        succeed("kv", "put", "tank", "c1", "--hex", "ff");
        input = new byte[] {2};
        succeed("kv", "put", "tank", "c1", "--hex", "fe");
        succeed("kv", "put", "tank", "c1", "plain");

        succeed("kv", "get", "tank", "c1", "--hex", "ff");
        assertArrayEquals(new byte[] {1}, out.toByteArray());
        succeed("kv", "get", "tank", "c1", "--hex", "fe");
        assertArrayEquals(new byte[] {2}, out.toByteArray());
        succeed("kv", "list", "tank", "c1");
        assertEquals("hex:fe\nhex:ff\nplain\n", text());
        succeed("kv", "list", "tank", "c1", "--hex");
        assertEquals("706c61696e\nfe\nff\n", text());
        succeed("kv", "remove", "tank", "c1", "--hex", "ff");
        fail("NONEXIST", "kv", "get", "tank", "c1", "--hex", "ff");
    }

    @Test
    void shouldRefuseToCopyATreeIntoItself() throws IOException {
        Path source = tree();
        Files.createSymbolicLink(folder.resolve("other-name"), source);
        for (String inside : new String[] {"source", "source/b", "source/d/../x/y", "other-name/z", "./source/d"}) {
            fail("INVAL", "fs", "copy", "-r", "--src", source.toString(), "--dst", folder + "/" + inside);
        }
        assertEquals(
                describe(source).keySet(), describe(folder.resolve("source")).keySet());
        assertFalse(Files.exists(source.resolve("b")) || Files.exists(source.resolve("x")));

        succeed("container", "create", "tank", "fs", "--type", "POSIX");
        succeed("fs", "copy", "-r", "--src", source.toString(), "--dst", "daos://tank/fs/in");
        fail("INVAL", "fs", "copy", "-r", "--src", "daos://tank/fs/in", "--dst", "daos://tank/fs/in/d/deep");
        fail("INVAL", "fs", "copy", "-r", "--src", "daos://tank/fs/", "--dst", "daos://tank/fs/copy");
        fail("INVAL", "fs", "copy", "-r", "--src", "daos://tank/fs/in", "--dst", "daos://tank/fs/in");
        succeed("fs", "copy", "-r", "--src", "daos://tank/fs/in", "--dst", "daos://tank/fs/in2");
    }

    @Test
    void shouldWrapAnswersAndFaultsInJson() {
        succeed("-j", "cont", "create", "tank", "c1", "--type", "POSIX");
        assertTrue(text().contains("\"container_label\": \"c1\""), text());
        assertTrue(text().contains("\"status\": 0"), text());

        assertEquals(1, daos("container", "query", "tank", "nope", "--json"));

        assertTrue(text().contains("\"status\": -1005"), text());
        assertTrue(text().contains("\"response\": null"), text());
    }

    @Test
    void shouldShowPoolsContainersAndObjects() {
        succeed("container", "create", "tank", "c1");
        succeed("pool", "list");
        assertTrue(text().contains("tank"), text());
        succeed("pool", "query", "tank");
        assertTrue(text().contains(FakeCluster.POOL.toString()), text());
        succeed("container", "list", "tank");
        assertTrue(text().contains("c1"), text());
        succeed("container", "destroy", "tank", "c1", "--force");
        fail("NONEXIST", "container", "query", "tank", "c1");
    }

    @Test
    void shouldSayWhatIsWrongInOneLine() throws IOException {
        fail("NONEXIST", "container", "list", "nopool");
        fail("NOSYS", "container", "create-snap", "tank", "c1", "--snap", "x");
        fail("INVAL", "container", "create", "tank", "c1", "--oclass", "EC_2P1");
        fail("INVAL", "container", "create", "tank", "bad/label");
        fail("INVAL", "kv", "frobnicate");
        fail("INVAL", "fs", "list", "daos://tank");
        fail("NONEXIST", "-o", folder.resolve("none.yml").toString(), "pool", "list");
        Files.writeString(config, "access_points: [a\nport: 5");
        fail("INVAL", "pool", "list");
        Files.writeString(config, "acces_points: [a]\n");
        fail("INVAL", "pool", "list");
        assertTrue(errors().contains("acces_points"), errors());
        Files.writeString(config, "port: 99999\n");
        fail("INVAL", "pool", "list");
    }

    @Test
    void shouldCopyATreeInAndOut() throws IOException {
        cluster.loseMessages(0.05);
        Path source = tree();
        succeed("container", "create", "tank", "fs", "--type", "POSIX");

        succeed("fs", "copy", "--src", source.toString(), "--dst", "daos://tank/fs/in", "--recursive");
        assertTrue(text().contains("Files:       5"), text());
        Path back = folder.resolve("back");
        succeed("fs", "copy", "--src", "daos://tank/fs/in", "--dst", back.toString(), "-r", "--verify");
        assertEquals(describe(source), describe(back));

        succeed("-j", "fs", "copy", "--src", source.toString(), "--dst", "daos://tank/fs/in", "--recursive");
        assertTrue(text().contains("\"files\": 0"), text());
        assertTrue(text().contains("\"unchanged\": 6"), text());
        Files.writeString(source.resolve("a"), "changed");
        succeed("-j", "fs", "copy", "--src", source.toString(), "--dst", "daos://tank/fs/in", "--recursive");
        assertTrue(text().contains("\"files\": 1"), text());
        succeed("fs", "cat", "daos://tank/fs/in/a");
        assertEquals("changed", text());
        succeed("fs", "cat", "daos://tank/fs/in/link");
        assertEquals("changed", text());
    }

    private Path tree() throws IOException {
        Path source = Files.createDirectories(folder.resolve("source"));
        Random random = new Random(5);
        Files.createDirectories(source.resolve("d/é/empty"));
        for (String name : new String[] {"a", "d/b", "d/é/c d", "d/é/zero", "d/big"}) {
            byte[] content = new byte[name.endsWith("zero") ? 0 : name.endsWith("big") ? 5_000_000 : 1000];
            random.nextBytes(content);
            Files.write(source.resolve(name), content);
        }
        Files.setPosixFilePermissions(source.resolve("d/b"), PosixFilePermissions.fromString("r-xr-----"));
        Files.setPosixFilePermissions(source.resolve("d/é"), PosixFilePermissions.fromString("r-xr-xr-x"));
        Files.createSymbolicLink(source.resolve("link"), Path.of("a"));
        FileTime old = FileTime.from(Instant.parse("2001-02-03T04:05:06.123456Z"));
        Files.setLastModifiedTime(source.resolve("d/b"), old);
        Files.setLastModifiedTime(source.resolve("d"), old);
        return source;
    }

    private static Map<String, String> describe(Path start) throws IOException {
        Map<String, String> all = new TreeMap<>();
        try (Stream<Path> paths = Files.walk(start)) {
            for (Path path : (Iterable<Path>) paths::iterator) {
                String content = Files.isSymbolicLink(path)
                        ? "-> " + Files.readSymbolicLink(path)
                        : Files.getPosixFilePermissions(path)
                                + " "
                                + Files.getLastModifiedTime(path).toMillis()
                                + (Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)
                                        ? " " + java.util.Arrays.hashCode(Files.readAllBytes(path))
                                        : "");
                all.put(start.relativize(path).toString(), content);
            }
        }
        return all;
    }

    @Test
    void shouldCopyOneFileByTheRulesOfCp() throws IOException {
        succeed("container", "create", "tank", "fs", "--type", "POSIX");
        Path file = Files.writeString(folder.resolve("f"), "content");

        succeed("fs", "copy", "--src", file.toString(), "--dst", "daos://tank/fs/x/y");
        succeed("fs", "copy", "--src", file.toString(), "--dst", "daos://tank/fs/x");
        succeed("fs", "list", "daos://tank/fs/x");
        assertTrue(text().contains(" f\n") && text().contains(" y\n"), text());
        succeed(
                "fs",
                "copy",
                "--src",
                "daos://tank/fs/x/y",
                "--dst",
                folder.resolve("out").toString());
        assertEquals("content", Files.readString(folder.resolve("out")));
        fail("INVAL", "fs", "copy", "--src", folder.toString(), "--dst", "daos://tank/fs/z");
        fail("NONEXIST", "fs", "copy", "--src", folder + "/none", "--dst", "daos://tank/fs/z");
        fail("INVAL", "fs", "remove", "daos://tank/fs/x");
        succeed("fs", "remove", "daos://tank/fs/x", "--recursive");
        fail("NONEXIST", "fs", "cat", "daos://tank/fs/x/y");
    }

    @Test
    void shouldShowWhereAnObjectLives() {
        succeed("container", "create", "tank", "c1");
        succeed(
                "object",
                "query",
                "tank",
                "c1",
                new io.daosmesh.model.id.ObjectId(
                                io.daosmesh.model.id.ObjectId.of(
                                                io.daosmesh.model.id.ObjectId.Type.ARRAY,
                                                io.daosmesh.model.id.ObjectClass.RP_3,
                                                2,
                                                1,
                                                7)
                                        .high(),
                                7)
                        .toString());

        assertTrue(text().contains("grp: 1\nreplica 0 rank "), text());
        fail("INVAL", "object", "query", "tank", "c1", "12");
    }
}
