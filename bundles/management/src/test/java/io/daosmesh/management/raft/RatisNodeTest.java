package io.daosmesh.management.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.management.node.TestMesh;
import io.daosmesh.management.pool.PoolDb;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.ras.RasId;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.apache.ratis.util.MD5FileUtil;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class RatisNodeTest {
    private static final int LIVES = 4;
    private static final int ADDERS = 6;

    @TempDir
    Path dir;

    private TestMesh mesh;
    private final List<String> events = new CopyOnWriteArrayList<>();

    @BeforeEach
    void start() {
        mesh = new TestMesh(dir, 1, 1);
    }

    @AfterEach
    void stop() {
        mesh.close();
    }

    private RatisNode open() {
        TestMesh.Node n = mesh.nodes.get(0);
        NodeContext c = n.context(mesh.net.server(n.address));
        NodeContext told = new NodeContext(
                c.config(),
                c.rpc(),
                c.server(),
                c.hlc(),
                c.loop(),
                (id, severity, message, fields) -> events.add(id + " " + fields.get("pool")),
                c.timing());
        return new RatisNode(dir.resolve("raft"), told, g -> new Replica<>(new PoolDb(), () -> {}), n.servers());
    }

    /** A new life in the same process, as after an update of the bundle, takes over every folder of the former one. */
    @Test
    void shouldLeaveNoFolderLockedWhenItClosesWhileGroupsAreAdded() throws Exception {
        for (int life = 0; life < LIVES; life++) {
            RatisNode node = open();
            Set<UUID> before = node.groups();
            List<CompletableFuture<FaultCode>> adding = new ArrayList<>();
            for (int i = 0; i < ADDERS; i++) adding.add(addUntilClosed(node, 1 + life * ADDERS + i));
            TestMesh.await("two groups more", () -> node.groups().size() >= before.size() + 2);

            node.close();

            for (CompletableFuture<FaultCode> a : adding) assertEquals(FaultCode.UNINIT, a.get(30, TimeUnit.SECONDS));
        }
        RatisNode last = open();
        assertTrue(last.groups().size() >= 2 * LIVES);
        last.close();
    }

    /** Whoever asks for a group may go away meanwhile: then the thread that adds it is interrupted. */
    @Test
    void shouldLeaveNoFolderLockedWhenAddingIsInterrupted() {
        for (int life = 1; life <= LIVES; life++) {
            RatisNode node = open();
            Thread.currentThread().interrupt();
            try {
                node.add(new UUID(0, life), "first", voters());
            } finally {
                assertTrue(Thread.interrupted());
                node.close();
            }
        }
        RatisNode last = open();
        assertEquals(LIVES, last.groups().size());
        last.close();
    }

    /** A request to add that is late meets the one to remove. */
    @Test
    void shouldLeaveNoFolderLockedWhenGroupIsRemovedWhileItIsAdded() throws Exception {
        UUID group = new UUID(0, 1);
        for (int life = 0; life < LIVES; life++) {
            RatisNode node = open();
            List<CompletableFuture<Void>> both = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                both.add(CompletableFuture.runAsync(() -> repeat(() -> node.add(group, "first", voters()))));
                both.add(CompletableFuture.runAsync(() -> repeat(() -> node.remove(group, true))));
            }
            for (CompletableFuture<Void> b : both) b.get(60, TimeUnit.SECONDS);
            node.add(group, "first", voters());
            node.close();
        }
        open().close();
    }

    private List<Voter> voters() {
        return mesh.addresses().stream().map(a -> new Voter(a, "first")).toList();
    }

    private static void repeat(Runnable work) {
        for (int i = 0; i < 20; i++) work.run();
    }

    /** One folder that is in use for a moment must not keep the others locked for ever. */
    @Test
    void shouldOpenOnceTheLastFolderIsFree() throws Exception {
        RatisNode node = open();
        for (int i = 1; i <= 3; i++) node.add(new UUID(0, i), "first", voters());
        node.close();
        Path lock = dir.resolve("raft").resolve(new UUID(0, 2).toString()).resolve("in_use.lock");
        try (FileChannel held = FileChannel.open(lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            held.lock();
            FaultException e = assertThrows(FaultException.class, this::open);
            assertEquals(FaultCode.BUSY, e.code(), e.getMessage());
            assertFalse(e.getMessage().contains("remove"), e.getMessage());
        }

        RatisNode again = open();

        assertEquals(3, again.groups().size());
        again.close();
    }

    /** Another release has written the snapshot of a pool's service. */
    @Test
    void shouldTellOfAnIncompatibleLayout() throws Exception {
        UUID group = new UUID(0, 9);
        RatisNode node = open();
        node.add(group, "first", voters());
        node.close();
        Path snapshot = dir.resolve("raft").resolve(group.toString()).resolve("sm/snapshot.1_1");
        Files.write(
                snapshot,
                ByteBuffer.allocate(16).putInt(0x44534d53).putInt(9).putLong(0).array());
        MD5FileUtil.computeAndSaveMd5ForFile(snapshot.toFile());

        assertThrows(FaultException.class, this::open);

        assertTrue(events.contains(RasId.RDB_DURABLE_FORMAT_INCOMPATIBLE + " " + group));
    }

    private CompletableFuture<FaultCode> addUntilClosed(RatisNode node, int number) {
        CompletableFuture<FaultCode> end = new CompletableFuture<>();
        Thread thread = new Thread(() -> {
            try {
                for (int i = 0; i < 1000; i++) node.add(new UUID(number, i), "first", voters());
                end.complete(FaultCode.MISC);
            } catch (FaultException e) {
                end.complete(e.code());
            }
        });
        thread.start();
        return end;
    }
}
