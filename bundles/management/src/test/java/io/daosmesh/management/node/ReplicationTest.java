package io.daosmesh.management.node;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.management.loop.LeaderCaller;
import io.daosmesh.management.loop.Loop;
import io.daosmesh.management.pool.PoolDb;
import io.daosmesh.management.pool.service.PoolService;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.ContainerCreateRequest;
import io.daosmesh.model.wire.ContainerListReply;
import io.daosmesh.model.wire.ContainerMessage;
import io.daosmesh.model.wire.LogCommand;
import io.daosmesh.model.wire.LogReply;
import io.daosmesh.model.wire.PoolCreateReply;
import io.daosmesh.model.wire.PoolCreateRequest;
import io.daosmesh.model.wire.PoolRef;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Replicas of a pool's service that fall behind or lead in vain. The management service is on the first of four nodes. */
@Timeout(180)
@Tag("slow")
class ReplicationTest {
    /** Snapshots are taken every 1,000 commands, and the log before them is dropped from the second on. */
    private static final int COMMANDS = 2100;

    /** Together with their number of the size that several log segments, and several pieces of a snapshot, are made of. */
    private static final String PADDING = "x".repeat(3000);

    @TempDir
    Path dir;

    private final Loop loop = new Loop();
    private TestMesh mesh;
    private UUID pool = new UUID(0, 0);

    @BeforeEach
    void start() {
        mesh = new TestMesh(dir, 4, 1);
        mesh.startAll();
        pool = Ids.uuid(mesh.admin(
                        RpcMethod.POOL_CREATE,
                        PoolCreateRequest.newBuilder()
                                .setLabel("tank")
                                .setRequestId("r1")
                                .addAllRanks(mesh.nodes.stream()
                                        .skip(1)
                                        .map(TestMesh.Node::rank)
                                        .sorted()
                                        .toList())
                                .setScmBytesTotal(60L << 20)
                                .build(),
                        PoolCreateReply.parser())
                .getPool());
    }

    @AfterEach
    void stop() {
        mesh.close();
        loop.close();
    }

    private PoolService service(TestMesh.Node n) {
        return n.management.pools().service(pool).orElseThrow();
    }

    private byte[] state(TestMesh.Node n) {
        return service(n).replica().read(PoolDb::snapshot);
    }

    @Test
    void shouldBringALaggingReplicaUpByASnapshotWhenTheLogIsGone() {
        TestMesh.Node leader = mesh.poolLeader(pool);
        TestMesh.Node lagging =
                mesh.nodes.stream().skip(1).filter(n -> n != leader).findFirst().orElseThrow();
        lagging.kill();
        Flux.range(0, COMMANDS)
                .flatMap(
                        i -> service(leader)
                                .propose(LogCommand.newBuilder()
                                        .setRequestId(i + PADDING)
                                        .setNextGeneration(true)),
                        64)
                .blockLast(Duration.ofSeconds(90));
        assertEquals(0, mesh.net.snapshotChunks.get());

        lagging.start();

        TestMesh.await(
                "the same state",
                () -> lagging.management.pools().service(pool).isPresent()
                        && Arrays.equals(state(leader), state(lagging)));
        assertTrue(mesh.net.snapshotChunks.get() > 1, "pieces: " + mesh.net.snapshotChunks.get());
        service(leader).propose(LogCommand.newBuilder().setNextGeneration(true)).block(TestMesh.LONG);
        TestMesh.await("goes on by the log", () -> Arrays.equals(state(leader), state(lagging)));
        lagging.kill();
        lagging.start();
        TestMesh.await(
                "opened again from its own disk",
                () -> lagging.management.pools().service(pool).isPresent()
                        && Arrays.equals(state(leader), state(lagging)));
        assertArrayEquals(state(leader), state(lagging));
    }

    private ContainerMessage create(String label, List<String> at) {
        ContainerCreateRequest r = ContainerCreateRequest.newBuilder()
                .setPool(pool.toString())
                .setRequestId(label)
                .setContainer(ContainerMessage.newBuilder().setLabel(label))
                .build();
        ContainerMessage made = caller(at)
                .call(RpcMethod.CONTAINER_CREATE, r, ContainerMessage.parser(), Duration.ofMillis(700), TestMesh.LONG)
                .block(TestMesh.LONG);
        if (made == null) throw new AssertionError("no reply");
        return made;
    }

    private LeaderCaller caller(List<String> at) {
        return new LeaderCaller(mesh.net.rpc("", Role.ADMIN), loop, () -> Mono.just(at));
    }

    private static Set<String> labels(List<ContainerMessage> containers) {
        Set<String> labels = new TreeSet<>();
        containers.forEach(c -> labels.add(c.getLabel()));
        assertEquals(labels.size(), containers.size(), "each once");
        return labels;
    }

    @Test
    void shouldLoseNothingAndShowNothingOldWhenTheLeaderIsPausedForThreeSeconds() {
        TestMesh.Node paused = mesh.poolLeader(pool);
        List<String> others =
                mesh.addresses().stream().filter(a -> !a.equals(paused.address)).toList();
        create("before", mesh.addresses());
        long endNs = System.nanoTime() + Duration.ofSeconds(3).toNanos();
        mesh.net.freeze(paused.address);
        // On its way when the pause begins: nobody knows what becomes of it.
        UUID limbo = new UUID(4, 4);
        CompletableFuture<LogReply> inFlight = service(paused)
                .propose(LogCommand.newBuilder()
                        .setRequestId("limbo")
                        .setContainerCreate(ContainerMessage.newBuilder()
                                .setUuid(Ids.bytes(limbo))
                                .setLabel("limbo")))
                .onErrorResume(e -> Mono.empty())
                .toFuture();

        create("during", others);
        TestMesh.await("three seconds", () -> System.nanoTime() > endNs);
        mesh.net.thaw(paused.address);

        Set<String> seen = service(paused)
                .read(db -> labels(db.containers()))
                .onErrorReturn(Set.of("during"))
                .block(TestMesh.LONG);
        assertTrue(seen != null && seen.contains("during"), "the former leader shows the past: " + seen);
        inFlight.join();
        create("limbo", mesh.addresses());
        create("after", mesh.addresses());
        PoolRef ref = PoolRef.newBuilder().setPool(pool.toString()).build();
        List<ContainerMessage> all = mesh.admin(
                        mesh.addresses(), RpcMethod.CONTAINER_LIST, ref, ContainerListReply.parser())
                .getContainersList();
        assertEquals(Set.of("before", "during", "limbo", "after"), labels(all));
        TestMesh.await(
                "all replicas agree",
                () -> mesh.nodes.stream().skip(1).allMatch(n -> Arrays.equals(state(n), state(paused))));
    }
}
