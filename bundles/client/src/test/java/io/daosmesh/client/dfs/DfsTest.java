package io.daosmesh.client.dfs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.client.Blocking;
import io.daosmesh.client.Container;
import io.daosmesh.client.ContainerSpec;
import io.daosmesh.client.DaosClient;
import io.daosmesh.client.FakeCluster;
import io.daosmesh.client.Pool;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class DfsTest {
    private final FakeCluster cluster = new FakeCluster(3);
    private Container container;
    private Dfs dfs;
    private BlockingDfs files;

    @BeforeEach
    void mount() {
        Pool pool =
                Blocking.get(Blocking.get(DaosClient.connect(cluster.config())).connectPool("tank"));
        container = Blocking.get(pool.createContainer(ContainerSpec.posix("fs")));
        dfs = Blocking.get(Dfs.mount(container));
        files = new BlockingDfs(dfs);
    }

    @Test
    void shouldKeepATreeWhenMessagesAreLost() throws IOException {
        cluster.loseMessages(0.1);
        Random random = new Random(3);
        Map<String, byte[]> tree = new TreeMap<>();
        for (String path : List.of("/a", "/d/e/b", "/d/e/f f", "/d/ünï/日本語", "/d/empty")) {
            byte[] content = new byte[path.endsWith("empty") ? 0 : random.nextInt(3_000_000)];
            random.nextBytes(content);
            tree.put(path, content);
            files.makeDirectories(DfsPath.parse(path).parent().toString());
            files.write(path, 0640, new ByteArrayInputStream(content));
        }

        Dfs again = Blocking.get(Dfs.mount(container));
        BlockingDfs seen = new BlockingDfs(again);
        for (Map.Entry<String, byte[]> file : tree.entrySet()) {
            DfsEntry entry = seen.stat(file.getKey());
            assertEquals(file.getValue().length, entry.size());
            assertEquals("-rw-r-----", entry.modeText());
            try (var in = seen.read(file.getKey())) {
                assertArrayEquals(file.getValue(), in.readAllBytes());
            }
        }
        assertEquals(
                List.of("e", "empty", "ünï"),
                seen.list("/d").stream().map(DfsDirectory.Named::name).sorted().toList());
    }

    @Test
    void shouldReplaceAFileAtOnce() throws IOException {
        files.write("/f", 0644, new ByteArrayInputStream("old".getBytes()));
        DfsEntry old = files.stat("/f");

        files.write("/f", 0644, new ByteArrayInputStream("newer".getBytes()));

        assertEquals("newer", new String(files.read("/f").readAllBytes()));
        assertEquals(0, Blocking.get(container.array(old.object()).size()));
    }

    @Test
    void shouldNotShowAFileWhoseSourceFailed() {
        var broken = new java.io.InputStream() {
            @Override
            public int read() throws IOException {
                throw new IOException("gone");
            }
        };

        assertThrows(FaultException.class, () -> files.write("/f", 0644, broken));

        assertEquals(FaultCode.NONEXIST, codeOf(() -> files.stat("/f")));
    }

    @Test
    void shouldRemoveRecursivelyOnlyWhenTold() {
        files.makeDirectories("/d/e");
        files.write("/d/e/f", 0644, new ByteArrayInputStream(new byte[10]));

        assertEquals(FaultCode.INVAL, codeOf(() -> files.remove("/d", false)));
        files.remove("/d", true);

        assertEquals(FaultCode.NONEXIST, codeOf(() -> files.stat("/d")));
        assertTrue(files.list("/").isEmpty());
    }

    @Test
    void shouldFollowLinksAndRefuseCircles() throws IOException {
        files.makeDirectories("/d");
        files.write("/d/f", 0644, new ByteArrayInputStream("x".getBytes()));
        DfsDirectory root = Blocking.get(dfs.directory(DfsPath.ROOT));
        Blocking.get(dfs.makeLink(root, "l", "d/../d", 5));
        Blocking.get(dfs.makeLink(root, "loop", "loop", 5));

        assertEquals("x", new String(files.read("/l/f").readAllBytes()));
        assertEquals("d/../d", files.stat("/l").linkTarget());
        assertEquals(FaultCode.BADPATH, codeOf(() -> files.list("/loop")));
    }

    @Test
    void shouldRenameAndSetAttributes() {
        files.makeDirectories("/d");
        files.write("/f", 0644, new ByteArrayInputStream("x".getBytes()));

        files.rename("/f", "/d/g");
        Blocking.run(dfs.setAttributes(DfsPath.parse("/d/g"), new DfsEntry.Attributes(0755, 42)));
        Blocking.run(dfs.setAttributes(DfsPath.ROOT, new DfsEntry.Attributes(0700, 43)));

        assertEquals(42, files.stat("/d/g").mtimeNs());
        assertEquals("-rwxr-xr-x", files.stat("/d/g").modeText());
        assertEquals("drwx------", files.stat("/").modeText());
        assertEquals(FaultCode.NONEXIST, codeOf(() -> files.stat("/f")));
        assertEquals(FaultCode.INVAL, codeOf(() -> files.rename("/d", "/d/x")));
    }

    @Test
    void shouldSayWhenAPathIsWrong() {
        files.write("/f", 0644, new ByteArrayInputStream(new byte[1]));

        assertEquals(FaultCode.NOTDIR, codeOf(() -> files.stat("/f/x")));
        assertEquals(FaultCode.BADPATH, codeOf(() -> files.stat("/" + "x".repeat(256))));
        assertEquals(FaultCode.NOTDIR, codeOf(() -> files.makeDirectories("/f/x")));
    }

    @Test
    void shouldRefuseADamagedSuperblock() {
        byte[] bytes = Layout.write(Layout.Superblock.of(DfsEntry.directory(
                0755, 1, Blocking.get(container.createArray()).id())));
        bytes[20] ^= 1;

        assertEquals(FaultCode.DF_INVAL, codeOf(() -> Layout.readSuperblock(bytes)));
        for (int cut = 0; cut < bytes.length; cut++) {
            byte[] shorter = java.util.Arrays.copyOf(bytes, cut);
            assertEquals(FaultCode.DF_INVAL, codeOf(() -> Layout.readSuperblock(shorter)));
        }
    }

    private static FaultCode codeOf(Runnable call) {
        return assertThrows(FaultException.class, call::run).code();
    }
}
