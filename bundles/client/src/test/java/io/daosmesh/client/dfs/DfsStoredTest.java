package io.daosmesh.client.dfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.client.Blocking;
import io.daosmesh.client.Container;
import io.daosmesh.client.ContainerSpec;
import io.daosmesh.client.DaosClient;
import io.daosmesh.client.FakeCluster;
import io.daosmesh.client.KeyValue;
import io.daosmesh.client.Pool;
import io.daosmesh.client.value.Condition;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.ObjectId;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Whoever may write to a container may have stored anything in its directories: the rest stays of use. */
@Timeout(60)
class DfsStoredTest {
    private final FakeCluster cluster = new FakeCluster(3);
    private Container container;
    private Dfs dfs;
    private BlockingDfs files;
    private KeyValue stored;
    private ObjectId directory;

    @BeforeEach
    void mount() {
        Pool pool =
                Blocking.get(Blocking.get(DaosClient.connect(cluster.config())).connectPool("tank"));
        container = Blocking.get(pool.createContainer(ContainerSpec.posix("fs")));
        dfs = Blocking.get(Dfs.mount(container));
        files = new BlockingDfs(dfs);
        files.makeDirectories("/d");
        files.write("/d/good", 0644, new ByteArrayInputStream(new byte[3]));
        directory = files.stat("/d").object();
        stored = container.keyValue(directory);
    }

    private static byte[] bytes(String latin1) {
        return latin1.getBytes(StandardCharsets.ISO_8859_1);
    }

    private void put(byte[] key, byte[] value) {
        Blocking.run(stored.put(key, value, Condition.NONE));
    }

    private static byte[] link() {
        return Layout.write(DfsEntry.link("x", 1));
    }

    private byte[] directoryEntry(ObjectId object) {
        return Layout.write(DfsEntry.directory(0755, 1, object));
    }

    private List<byte[]> illegalNames() {
        return List.of(
                bytes(".."),
                bytes("."),
                bytes("a/b"),
                bytes("/"),
                bytes("a\0"),
                bytes("\u00ff\u00fe/"),
                bytes("\u00ff".repeat(256)),
                bytes("x".repeat(300)));
    }

    /** Names are bytes: what is not UTF-8 can be read, renamed and removed as any other. */
    @Test
    void shouldTakeNamesThatAreNotUtf8() {
        List<byte[]> names =
                List.of(bytes("\u00ff"), bytes("\u00fe"), bytes("\u00ed\u00a0\u0080"), bytes("\u00ff".repeat(255)));
        names.forEach(name -> put(name, link()));

        List<DfsDirectory.Named> all = files.list("/d");

        assertEquals(names.size() + 1, all.size());
        assertTrue(all.stream().allMatch(DfsDirectory.Named::isUsable));
        for (byte[] name : names) {
            String path = "/d/" + NameBytes.text(name);
            assertTrue(all.stream().anyMatch(n -> Arrays.equals(n.key(), name)));
            assertEquals(DfsEntry.Type.SYMLINK, files.stat(path).type());
        }
        files.rename("/d/\udcff", "/d/\udcfd");
        assertEquals(FaultCode.NONEXIST, codeOf(() -> files.stat("/d/\udcff")));
        files.remove("/d/\udcfd", false);
        assertEquals(names.size(), files.list("/d").size());
    }

    @Test
    void shouldListNamesThatAreNoneWithTheirBytes() {
        illegalNames().forEach(name -> put(name, link()));

        List<DfsDirectory.Named> all = files.list("/d");

        assertEquals(illegalNames().size() + 1, all.size());
        Set<String> shown = new HashSet<>();
        for (DfsDirectory.Named named : all) {
            boolean isGood = named.name().equals("good");
            assertEquals(isGood, named.isUsable(), named.shown());
            assertEquals(isGood, named.problem().isEmpty());
            assertNotNull(named.entry());
            assertTrue(shown.add(named.shown()), "two look like " + named.shown());
            if (!isGood) {
                assertTrue(illegalNames().stream().anyMatch(name -> Arrays.equals(name, named.key())));
            }
        }
        assertEquals(3, files.stat("/d/good").size());
    }

    @Test
    void shouldListEntriesThatAreNone() {
        byte[] file = Layout.write(files.stat("/d/good"));
        Random random = new Random(7);
        for (int i = 0; i < 500; i++) {
            byte[] damaged = Arrays.copyOf(file, random.nextInt(file.length + 1));
            for (int changes = random.nextInt(4); changes > 0 && damaged.length > 0; changes--) {
                damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
            }
            put(bytes("n" + i), damaged);
        }

        List<DfsDirectory.Named> all = files.list("/d");

        assertEquals(501, all.size());
        for (DfsDirectory.Named named : all) {
            DfsEntry entry = named.entry();
            assertEquals(entry == null, !named.isUsable(), named.name());
            if (entry == null || !entry.isFile()) continue;
            assertTrue(entry.size() >= 0 && entry.mode() >= 0 && entry.mode() <= 07777);
            container.array(entry.object(), entry.chunkBytes());
        }
        files.remove("/d", true);
        assertEquals(FaultCode.NONEXIST, codeOf(() -> files.stat("/d")));
    }

    @Test
    void shouldRemoveWhatNobodyShouldHaveStored() {
        illegalNames().forEach(name -> put(name, link()));
        put(
                bytes("sub/.."),
                directoryEntry(Blocking.get(container.createKeyValue()).id()));
        put(bytes("damaged"), new byte[] {1, 9, 9});

        files.remove("/d/damaged", false);
        DfsDirectory at = Blocking.get(dfs.directory(DfsPath.parse("/d")));
        Blocking.run(dfs.remove(at, bytes("\u00ff\u00fe/"), false));
        assertEquals(FaultCode.NONEXIST, codeOf(() -> Blocking.run(dfs.remove(at, bytes("\u00ff\u00fe/"), false))));
        List<DfsDirectory.Named> left = files.list("/d");
        files.remove("/d", true);

        assertFalse(left.stream()
                .anyMatch(n -> n.shown().equals("\\xff\\xfe/") || n.name().equals("damaged")));
        assertTrue(left.stream().anyMatch(n -> n.shown().equals("a/b")));
        assertEquals(FaultCode.NONEXIST, codeOf(() -> files.stat("/d")));
        assertFalse(Blocking.get(stored.list().hasElements()));
    }

    @Test
    void shouldEndWhenDirectoriesHoldEachOther() {
        ObjectId root = files.stat("/").object();
        ObjectId twice = Blocking.get(container.createKeyValue()).id();
        for (String name : new String[] {"self", "again"}) put(bytes(name), directoryEntry(directory));
        put(bytes("root"), directoryEntry(root));
        for (String name : new String[] {"one", "two"}) {
            put(bytes(name), directoryEntry(twice));
            Blocking.run(container.keyValue(twice).put(bytes(name), directoryEntry(directory), Condition.NONE));
        }
        files.write("/other", 0644, new ByteArrayInputStream(new byte[1]));

        files.remove("/d", true);

        assertEquals(
                List.of("other"),
                files.list("/").stream().map(DfsDirectory.Named::name).toList());
    }

    @Test
    void shouldRemoveTreesThatAreDeeperThanAPath() {
        KeyValue at = stored;
        for (int i = 0; i < DfsPath.DEPTH_MAX + 50; i++) {
            ObjectId next = Blocking.get(container.createKeyValue()).id();
            Blocking.run(at.put(bytes("n"), directoryEntry(next), Condition.NONE));
            at = container.keyValue(next);
        }

        files.remove("/d", true);

        assertTrue(files.list("/").isEmpty());
    }

    @Test
    void shouldNotRenameWhatItDoesNotUnderstand() {
        put(bytes("newer"), new byte[] {77, 0, 0, 0});

        assertEquals(FaultCode.DF_INCOMPT, codeOf(() -> files.rename("/d/newer", "/d/x")));
        assertEquals(FaultCode.DF_INCOMPT, codeOf(() -> files.rename("/d/newer", "/x")));

        assertTrue(files.list("/d").stream().anyMatch(n -> n.name().equals("newer") && !n.isUsable()));
    }

    @Test
    void shouldTakeNoNameThatIsNoText() {
        for (String name : new String[] {"\ud800", "a\udc00b", "\udc00\ud800"}) {
            assertEquals(FaultCode.BADPATH, codeOf(() -> files.makeDirectories("/" + name)));
        }
        assertEquals(FaultCode.INVAL, codeOf(() -> KeyValue.utf8("\ud800")));
    }

    private static FaultCode codeOf(Runnable call) {
        return assertThrows(FaultException.class, call::run).code();
    }
}
