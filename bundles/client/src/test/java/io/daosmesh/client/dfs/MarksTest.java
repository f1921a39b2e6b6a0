package io.daosmesh.client.dfs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.client.Blocking;
import io.daosmesh.client.Container;
import io.daosmesh.client.ContainerSpec;
import io.daosmesh.client.DaosClient;
import io.daosmesh.client.FakeCluster;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class MarksTest {
    private static final ObjectId ID = ObjectId.of(ObjectId.Type.KEY_VALUE, ObjectClass.RP_2, 1, 1, 2);
    private static final DfsEntry PLAIN = DfsEntry.directory(0750, 7, ID);

    private static DfsDirectory.Found found(DfsEntry entry) {
        return new DfsDirectory.Found("n", entry, 1);
    }

    @Test
    void shouldHoldBackOthersOnlyWhileItIsFresh() {
        long own = Marks.make();
        assertNotEquals(0, own);
        DfsDirectory.Found marked = found(PLAIN.withShared(own));

        Marks.USUAL.check(found(PLAIN), 0);
        Marks.USUAL.check(marked, own);
        Marks.USUAL.check(new DfsDirectory.Found("n", null, 0), 0);
        FaultException e = assertThrows(FaultException.class, () -> Marks.USUAL.check(marked, Marks.make() ^ 1 << 20));
        assertEquals(FaultCode.TX_RESTART, e.code());
        new Marks(0).check(marked, 0);
        Marks.USUAL.check(found(PLAIN.withShared(own - Duration.ofSeconds(3).toNanos())), 0);
        Marks.USUAL.check(found(PLAIN.withShared(own + Duration.ofHours(3).toNanos())), 0);
    }

    @Test
    void shouldKeepTheFirstLayoutForWhatHasOneName() {
        byte[] plain = Layout.write(PLAIN);
        byte[] marked = Layout.write(PLAIN.withShared(99));

        assertEquals(1, plain[0]);
        assertEquals(2, marked[0]);
        assertEquals(0, Layout.readEntry(plain).sharedSinceNs());
        assertEquals(99, Layout.readEntry(marked).sharedSinceNs());
        assertEquals(PLAIN.object(), Layout.readEntry(marked).object());
        assertArrayEquals(plain, Layout.write(Layout.readEntry(marked).withShared(0)));
        byte[] cut = java.util.Arrays.copyOf(marked, marked.length - 1);
        assertThrows(FaultException.class, () -> Layout.readEntry(cut));
    }

    /** The client that made the mark is gone: whoever comes later waits for a while and then drops the name only. */
    @Test
    void shouldGoOnWhenAMarkHasBecomeOld() throws IOException {
        FakeCluster cluster = new FakeCluster(1);
        Container container = Blocking.get(
                Blocking.get(Blocking.get(DaosClient.connect(cluster.config())).connectPool("tank"))
                        .createContainer(ContainerSpec.posix("fs")));
        Dfs dfs = Blocking.get(
                Dfs.mount(container, new Marks(Duration.ofMillis(400).toNanos())));
        BlockingDfs files = new BlockingDfs(dfs);
        files.write("/f", 0644, new ByteArrayInputStream(new byte[] {5}));
        DfsDirectory root = Blocking.get(dfs.directory(DfsPath.ROOT));
        DfsDirectory.Found f = Blocking.get(root.find("f"));
        long mark = Marks.make();
        Blocking.get(root.set(f, f.entry().withShared(mark)));
        Blocking.get(root.set(Blocking.get(root.find("g")), f.entry().withShared(mark)));
        long start = System.nanoTime();

        files.remove("/f", false);

        assertTrue(System.nanoTime() - start > 100_000_000L, "it waited");
        assertEquals(5, files.read("/g").read());
        assertTrue(files.stat("/g").isShared());
        files.rename("/g", "/h");
        assertEquals(5, files.read("/h").read());
        files.write("/h", 0644, new ByteArrayInputStream(new byte[] {6}));
        assertFalse(files.stat("/h").isShared());
    }
}
