package io.daosmesh.cli.daos;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.client.ClientConfig;
import io.daosmesh.client.FakeCluster;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a user types about who may do what with his containers. */
@Timeout(60)
class DaosAclTest {
    private static final String DEFAULT =
            "# Owner: ada@\n# Owner Group: labs@\n# Entries:\nA::OWNER@:rwdtTaAo\nA:G:GROUP@:rwtT\n";

    @TempDir
    Path folder;

    private final FakeCluster cluster = new FakeCluster(12);
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private Path config;

    @BeforeEach
    void configure() throws IOException {
        config = Files.writeString(folder.resolve("daos_agent.yml"), "access_points: ['127.0.0.1:10001']\n");
    }

    private int daos(String... args) {
        out.reset();
        err.reset();
        DaosContext context = new DaosContext(
                new ByteArrayInputStream(new byte[0]),
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
        return Daos.run(context, args);
    }

    private String text() {
        return out.toString(StandardCharsets.UTF_8);
    }

    private void succeed(String... args) {
        assertEquals(0, daos(args), () -> err.toString(StandardCharsets.UTF_8));
    }

    private void fail(String code, String... args) {
        assertEquals(1, daos(args));
        String errors = err.toString(StandardCharsets.UTF_8);
        assertTrue(errors.startsWith("ERROR: daos: DER_" + code + "(-"), errors);
        assertEquals("", text());
    }

    @Test
    void shouldShowAndChangeTheListOfAContainer() throws IOException {
        Path file = folder.resolve("c.acl");
        succeed("container", "create", "tank", "c");

        succeed("container", "get-acl", "tank", "c");
        assertEquals(DEFAULT, text());
        succeed("cont", "get-acl", "tank", "c", "--outfile", file.toString());
        assertEquals(DEFAULT, Files.readString(file));
        fail("EXIST", "cont", "get-acl", "tank", "c", "--outfile", file.toString());
        succeed("cont", "update-acl", "tank", "c", "-e", "A::bob@:wr");
        assertTrue(text().contains("A::bob@:rw\n"), text());
        succeed("-j", "cont", "delete-acl", "tank", "c", "-P", "u:bob@");
        assertTrue(text().contains("\"owner_group\": \"labs@\""), text());
        fail("NONEXIST", "cont", "delete-acl", "tank", "c", "-P", "u:bob@");
        Files.writeString(file, "A::EVERYONE@:r\n");
        succeed("cont", "overwrite-acl", "tank", "c", "-a", file.toString());
        assertEquals("# Owner: ada@\n# Owner Group: labs@\n# Entries:\nA::EVERYONE@:r\n", text());
        fail("NONEXIST", "cont", "get-acl", "tank", "none");
    }

    @Test
    void shouldRefuseNonsense() {
        succeed("container", "create", "tank", "c");

        fail("INVAL", "cont", "update-acl", "tank", "c");
        fail("INVAL", "cont", "update-acl", "tank", "c", "-e", "bob");
        fail("INVAL", "cont", "update-acl", "tank", "c", "-e", "A::bob@:r", "-a", "x");
        fail("INVAL", "cont", "overwrite-acl", "tank", "c", "-a", "/dev/null");
        fail("INVAL", "cont", "delete-acl", "tank", "c", "-P", "bob@");
        fail("INVAL", "cont", "set-owner", "tank", "c");
        fail("INVAL", "cont", "set-owner", "tank", "c", "-u", "a:b");
        fail("INVAL", "cont", "create", "tank", "d", "-u", "a@b");
        fail("INVAL", "cont", "create", "tank", "d", "--acl-file", "/nowhere/file");
    }

    @Test
    void shouldMakeAContainerForAnotherAndGiveItAway() throws IOException {
        Path file = Files.writeString(folder.resolve("d.acl"), "A::EVERYONE@:r\n");

        succeed("cont", "create", "tank", "d", "-u", "bob", "-g", "ops@", "--acl-file", file.toString());
        succeed("cont", "get-acl", "tank", "d");
        assertEquals("# Owner: bob@\n# Owner Group: ops@\n# Entries:\nA::EVERYONE@:r\n", text());
        succeed("cont", "set-owner", "tank", "d", "--user", "eve@");
        assertEquals("Successfully set owner for container d\n", text());
        succeed("cont", "get-acl", "tank", "d");
        assertTrue(text().startsWith("# Owner: eve@\n# Owner Group: ops@\n"), text());
    }
}
