package io.daosmesh.cli.daos;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.client.Blocking;
import io.daosmesh.client.ClientConfig;
import io.daosmesh.client.Container;
import io.daosmesh.client.DaosClient;
import io.daosmesh.client.FakeCluster;
import io.daosmesh.client.KeyValue;
import io.daosmesh.client.dfs.Dfs;
import io.daosmesh.client.dfs.DfsDirectory;
import io.daosmesh.client.dfs.DfsPath;
import io.daosmesh.client.value.Condition;
import io.daosmesh.model.text.Printable;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The tool in a container where somebody else has stored what nobody should. */
@Timeout(120)
class DaosHostileTest {
    private static final String ODD = "x\nFORGED\u001b]0;t\u0007\u009b\u202e\\";

    @TempDir
    Path folder;

    private final FakeCluster cluster = new FakeCluster(11);
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private Container container;
    private KeyValue directory;

    @BeforeEach
    void fill() throws IOException {
        Files.writeString(folder.resolve("agent.yml"), "name: daos_server\naccess_points: ['127.0.0.1:10001']\n");
        assertEquals(0, daos("container", "create", "tank", "fs", "--type", "POSIX"));
        Path source = Files.createDirectories(folder.resolve("source/d"));
        Files.writeString(source.resolve("good"), "content");
        Files.writeString(source.resolve(ODD), "odd");
        Files.createSymbolicLink(source.resolve("link"), Path.of(ODD));
        assertEquals(0, daos("fs", "copy", "-r", "--src", folder + "/source", "--dst", "daos://tank/fs/"), this::all);
        container = Blocking.get(
                Blocking.get(Blocking.get(DaosClient.connect(cluster.config())).connectPool("tank"))
                        .openContainer("fs"));
        Dfs dfs = Blocking.get(Dfs.mount(container));
        directory =
                container.keyValue(Blocking.get(dfs.stat(DfsPath.parse("/d"))).object());
        DfsDirectory d = Blocking.get(dfs.directory(DfsPath.parse("/d")));
        assertEquals("good", Blocking.get(d.lookup("good").map(e -> "good")));
    }

    private int daos(String... args) {
        out.reset();
        err.reset();
        DaosContext context = new DaosContext(
                new ByteArrayInputStream(new byte[0]),
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                false,
                Map.of("DAOS_AGENT_CONFIG", folder.resolve("agent.yml").toString()),
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
        assertTrue(all().codePoints().allMatch(c -> Printable.isPlain(c) || c == '\n'), this::all);
        assertFalse(all().lines().anyMatch(line -> line.startsWith("FORGED")), this::all);
        return status;
    }

    private String all() {
        return out.toString(StandardCharsets.UTF_8) + err.toString(StandardCharsets.UTF_8);
    }

    /** An entry like that of another name, under bytes that are no name. */
    private void plant(byte[] key) {
        Blocking.run(directory.put(key, Blocking.get(directory.get("good")), Condition.NONE));
    }

    private void plantAll() {
        for (String name : List.of("..", ".", "a/b", "../../escaped", "z\0", "\u00ff", "\u00fe")) {
            plant(name.getBytes(StandardCharsets.ISO_8859_1));
        }
        Blocking.run(directory.put("damaged", new byte[] {1, 2, 3}));
    }

    @Test
    void shouldListWhatIsStoredAsText() {
        plantAll();

        assertEquals(0, daos("fs", "list", "daos://tank/fs/d"));

        String text = all();
        assertEquals(11, text.lines().count(), text);
        assertTrue(text.contains(" x\\nFORGED\\u001b]0;t\\u0007\\u009b\\u202e\\\\\n"), text);
        assertTrue(text.contains(" -> x\\nFORGED\\u001b"), text);
        assertTrue(text.contains(" \\xff\n"), text);
        assertTrue(text.contains(" \\xfe\n"), text);
        assertTrue(text.lines().anyMatch(l -> l.startsWith("?") && l.contains("damaged")), text);
        assertEquals(0, daos("-j", "fs", "list", "daos://tank/fs/d"));
        assertTrue(all().contains("\"name_hex\": \"2e2e\""), this::all);
        assertTrue(all().contains("\"name_hex\": \"ff\""), this::all);
        assertTrue(all().contains("\"name\": \"x\\nFORGED\\u001b]0;t\\u0007\\u009b\\u202e\\\\\""), this::all);
    }

    @Test
    void shouldCopyTheRestAndTellWhatWasLeftOut() throws IOException {
        plantAll();
        Path back = folder.resolve("back/in");

        assertEquals(1, daos("fs", "copy", "-r", "--src", "daos://tank/fs/", "--dst", back.toString()));

        assertTrue(
                err.toString(StandardCharsets.UTF_8).startsWith("ERROR: daos: DER_BADPATH(-1026): left out: '"),
                this::all);
        assertTrue(all().contains("Left out:    6"), this::all);
        assertEquals("content", Files.readString(back.resolve("d/good")));
        assertEquals("odd", Files.readString(back.resolve("d").resolve(ODD)));
        assertEquals(ODD, Files.readSymbolicLink(back.resolve("d/link")).toString());
        try (Stream<Path> all = Files.walk(folder.resolve("back"))) {
            assertEquals(8, all.count());
        }
        assertEquals(1, daos("-j", "fs", "copy", "-r", "--src", "daos://tank/fs/", "--dst", back.toString()));
        assertTrue(all().contains("\"left_out\": 6") && all().contains("\"status\": -1026"), this::all);
        assertTrue(all().contains("\"unchanged\": 5"), this::all);
    }

    @Test
    void shouldRemoveWhatIsStored() {
        plantAll();

        assertEquals(0, daos("fs", "remove", "daos://tank/fs/d", "--hex", "ff"), this::all);
        assertEquals(1, daos("fs", "remove", "daos://tank/fs/d", "--hex", "ff"));
        assertEquals(1, daos("fs", "remove", "daos://tank/fs/d", "--hex", "xyz"));
        assertEquals(0, daos("fs", "list", "daos://tank/fs/d"));
        assertEquals(10, all().lines().count(), this::all);
        assertEquals(0, daos("fs", "remove", "-r", "daos://tank/fs/d"), this::all);
        assertEquals(1, daos("fs", "list", "daos://tank/fs/d"));
    }

    @Test
    void shouldEndInDirectoriesThatHoldThemselves() throws IOException {
        Dfs dfs = Blocking.get(Dfs.mount(container));
        KeyValue root = container.keyValue(Blocking.get(dfs.stat(DfsPath.ROOT)).object());
        byte[] self = Blocking.get(root.get("d"));
        for (String name : List.of("self", "again")) Blocking.run(directory.put(name, self));

        assertEquals(1, daos("fs", "copy", "-r", "--src", "daos://tank/fs/", "--dst", folder + "/back"));

        assertTrue(all().contains("Left out:    2"), this::all);
        assertEquals("content", Files.readString(folder.resolve("back/d/good")));
        assertFalse(Files.exists(folder.resolve("back/d/self")));
    }

    @Test
    void shouldShowOddTextsOfFaultsAndWords() {
        assertEquals(1, daos("fs", "cat", "daos://tank/fs/" + ODD));
        assertEquals(1, daos("fs", "list", "daos://tank/" + ODD));
        assertEquals(1, daos("container", "query", ODD, ODD));
        assertEquals(1, daos("container", "create", "tank", ODD));
        assertEquals(1, daos(ODD));
        assertEquals(1, daos("pool", "--" + ODD));
        assertEquals(1, daos("fs", "copy", "--src", folder + "/" + ODD, "--dst", folder + "/y"));
    }

    @Test
    void shouldKeepKeysApart() {
        assertEquals(0, daos("container", "create", "tank", "kv"));
        assertEquals(0, daos("kv", "put", "tank", "kv", "hex:ff"));
        assertEquals(0, daos("kv", "put", "tank", "kv", "--hex", "ff"));
        assertEquals(0, daos("kv", "put", "tank", "kv", "a\u202eb"));
        assertEquals(0, daos("kv", "put", "tank", "kv", "ab"));

        assertEquals(0, daos("kv", "list", "tank", "kv"));

        assertEquals(
                List.of("ab", "hex:61e280ae62", "hex:6865783a6666", "hex:ff"),
                all().lines().toList());
    }

    @Test
    void shouldKeepLocalNamesThatAreNotUtf8() throws Exception {
        Path source = Files.createDirectories(folder.resolve("local"));
        Process made = new ProcessBuilder(
                        "sh",
                        "-c",
                        "cd \"$1\" && for n in '\\377' '\\376'; do printf $n > \"$(printf \"$n\")\"; ln -s \"$(printf \"to/$n\")\" \"$(printf \"l$n\")\"; done\n"
                                + "mkdir \"$(printf 'd\\375')\" && : > \"$(printf 'd\\375/\\303')\"",
                        "sh",
                        source.toString())
                .start();
        assertEquals(0, made.waitFor());

        assertEquals(0, daos("fs", "copy", "-r", "--src", source.toString(), "--dst", "daos://tank/fs/in"), this::all);
        assertEquals(0, daos("fs", "list", "daos://tank/fs/in"));
        assertTrue(all().contains(" \\xff\n") && all().contains(" l\\xfe -> to/"), this::all);
        assertEquals(0, daos("fs", "copy", "-r", "--src", "daos://tank/fs/in", "--dst", folder + "/again"), this::all);

        Process same = new ProcessBuilder("diff", "-r", "--no-dereference", source.toString(), folder + "/again")
                .inheritIO()
                .start();
        assertEquals(0, same.waitFor());
        assertEquals(0, daos("fs", "copy", "-r", "--src", source.toString(), "--dst", "daos://tank/fs/in"));
        assertTrue(all().contains("Unchanged:   5"), this::all);
    }
}
