package io.daosmesh.model.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.wire.SupportPart;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is handed out: bounded, and without secrets. */
class SupportTest {
    @TempDir
    Path folder;

    private static List<SupportPart> all(SupportReader reader) {
        List<SupportPart> parts = new ArrayList<>();
        reader.forEachRemaining(parts::add);
        return parts;
    }

    @Test
    void shouldHideWhatOpensAnything() {
        String text = """
                password_file: /etc/x
                basic_auth_users:
                  ann: $2y$10$abcdefghijklmnopqrstuv
                -Djavax.net.ssl.keyStorePassword=hunter2 -Dx=1
                {"token": "abc def", "port": 1}
                fabric_auth_key: k1 # note
                -----BEGIN PRIVATE KEY-----
                MIIE
                -----END PRIVATE KEY-----
                Authorization: Basic YW5uOnNlY3JldA==
                http://ann:pw@host/x
                key: /etc/daos/certs/server.key
                """;

        String hidden = Secrets.hidden(text);

        for (String secret : List.of("abcdefgh", "hunter2", "abc def", "k1", "MIIE", "YW5u", "ann:pw")) {
            assertFalse(hidden.contains(secret), secret + " in " + hidden);
        }
        assertTrue(hidden.contains("-Dx=1"), hidden);
        assertTrue(hidden.contains("\"port\": 1}"), hidden);
        assertTrue(hidden.contains("key: /etc/daos/certs/server.key"), hidden);
    }

    @Test
    void shouldTakeTheNewestPlainFilesAndNoKeys() throws IOException {
        for (String name : List.of("a.log", "b.log", "server.key", "users.properties")) {
            Files.writeString(folder.resolve(name), name);
        }
        Files.setLastModifiedTime(folder.resolve("a.log"), FileTime.fromMillis(1));
        Files.createSymbolicLink(folder.resolve("c.log"), Path.of("/etc/passwd"));
        Files.createDirectory(folder.resolve("d.log"));

        assertEquals(
                List.of("log/b.log", "log/a.log"),
                SupportFiles.of(folder, "log").stream().map(SupportItem::name).toList());
        assertEquals(List.of(), SupportFiles.of(folder.resolve("none"), "log"));
    }

    @Test
    void shouldReadTheEndOfLongFilesAndNoMoreThanAllowed() throws IOException {
        Path file = Files.write(folder.resolve("long.log"), new byte[3 * SupportReader.PART_BYTES]);
        Files.writeString(folder.resolve("tail.log"), "0123456789");
        Files.createFile(folder.resolve("empty.log"));

        List<SupportPart> parts = all(new SupportReader(
                List.of(
                        SupportItem.of("long", file),
                        SupportItem.of("text", () -> "secret=1"),
                        SupportItem.of("bad", () -> {
                            throw new IllegalStateException("not now");
                        }),
                        SupportItem.of("empty", folder.resolve("empty.log")),
                        SupportItem.of("gone", folder.resolve("gone.log")),
                        SupportItem.of("tail", folder.resolve("tail.log"))),
                2L * SupportReader.PART_BYTES,
                2L * SupportReader.PART_BYTES + 60));

        assertEquals(SupportReader.PART_BYTES, parts.get(0).getData().size());
        assertTrue(parts.get(0).getIsFirst());
        assertEquals(SupportReader.PART_BYTES, parts.get(0).getCutBytes());
        assertFalse(parts.get(1).getIsFirst());
        assertEquals("secret=(hidden)", parts.get(2).getData().toStringUtf8());
        assertTrue(parts.get(3).getData().toStringUtf8().startsWith("not available: "));
        assertEquals(0, parts.get(4).getData().size());
        assertFalse(parts.get(5).getError().isEmpty());
        SupportPart last = parts.get(6);
        assertEquals(7, parts.size());
        assertEquals(10, last.getData().size() + last.getCutBytes());
        assertTrue(last.getCutBytes() > 0);
        assertTrue("0123456789".endsWith(last.getData().toStringUtf8()));
    }
}
