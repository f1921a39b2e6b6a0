package io.daosmesh.management.node;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.ContainerCreateRequest;
import io.daosmesh.model.wire.ContainerListReply;
import io.daosmesh.model.wire.ContainerMessage;
import io.daosmesh.model.wire.ContainerRef;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.PoolCreateReply;
import io.daosmesh.model.wire.PoolCreateRequest;
import io.daosmesh.model.wire.PoolDestroyRequest;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolListReply;
import io.daosmesh.model.wire.PoolQueryReply;
import io.daosmesh.model.wire.PoolRef;
import io.daosmesh.model.wire.PoolTargetsReply;
import io.daosmesh.model.wire.PoolTargetsRequest;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A random sequence of an administrator's commands while leaders die in the middle of them; each is sent again as by a tool
 * that did not hear the answer. In the end the system is what each command done exactly once makes of it. Another
 * sequence: {@code -Dchaos.seed=N -Dchaos.steps=N}.
 */
@Timeout(300)
@Tag("slow")
class LeaderChaosTest {
    private static final long SEED = Long.getLong("chaos.seed", 20261122L);
    private static final int STEPS = Integer.getInteger("chaos.steps", 24);

    @TempDir
    Path dir;

    private final Random random = new Random(SEED);
    private final Map<String, Expected> pools = new TreeMap<>();
    private final List<String> history = new ArrayList<>();
    private TestMesh mesh;
    private int requests;

    /** What a pool has to be. */
    private static final class Expected {
        final UUID id;
        int version = 1;
        final Set<String> excluded = new TreeSet<>();
        final Set<String> containers = new TreeSet<>();

        Expected(UUID id) {
            this.id = id;
        }
    }

    @BeforeEach
    void start() {
        mesh = new TestMesh(dir, 4, 3);
        mesh.startAll();
    }

    @AfterEach
    void stop() {
        mesh.close();
    }

    @Test
    void shouldDoEachCommandExactlyOnceWhenLeadersDieInTheMiddle() {
        try {
            for (int i = 0; i < STEPS; i++) step(i);
            verify();
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError("seed " + SEED + " after\n" + String.join("\n", history), e);
        }
    }

    private void step(int i) {
        int dice = random.nextInt(10);
        if (pools.isEmpty() || dice == 0 && pools.size() < 3) {
            create("pool" + i);
            return;
        }
        String label = List.copyOf(pools.keySet()).get(random.nextInt(pools.size()));
        Expected pool = pools.get(label);
        if (dice == 1 && pools.size() > 1) destroy(label);
        else if (dice < 6)
            flip(pool, mesh.nodes.get(random.nextInt(mesh.nodes.size())).rank(), random.nextInt(2));
        else if (dice == 6 && !pool.containers.isEmpty()) destroyContainer(pool);
        else createContainer(pool, "c" + i);
    }

    private void create(String label) {
        // A rank that is down refuses a pool for good, under this request: people ask again under a new one.
        for (int tries = 0; tries < 5 && !pools.containsKey(label); tries++) {
            PoolCreateRequest r = PoolCreateRequest.newBuilder()
                    .setLabel(label)
                    .setRequestId(id())
                    .setScmBytesTotal(60L << 20)
                    .putProperties("rd_fac", "2")
                    .build();
            try {
                PoolCreateReply made = command(
                        "create " + label, mesh.systemLeader(), RpcMethod.POOL_CREATE, r, PoolCreateReply.parser());
                pools.put(label, new Expected(Ids.uuid(made.getPool())));
            } catch (FaultException e) {
                history.add("refused: " + e.getMessage());
            }
        }
    }

    private void destroy(String label) {
        PoolDestroyRequest r = PoolDestroyRequest.newBuilder()
                .setPool(label)
                .setRecursive(true)
                .setRequestId(id())
                .build();
        command("destroy " + label, mesh.systemLeader(), RpcMethod.POOL_DESTROY, r, Empty.parser());
        pools.remove(label);
    }

    /** Excludes a target, or takes it back: each is one version of the map, and refused when done twice. */
    private void flip(Expected pool, int rank, int index) {
        String target = rank + "." + index;
        boolean isOut = pool.excluded.contains(target);
        PoolTargetsRequest r = PoolTargetsRequest.newBuilder()
                .setPool(pool.id.toString())
                .setOpValue(isOut ? 1 : 0)
                .addRanks(rank)
                .addTargetIndexes(index)
                .setForce(true)
                .setRequestId(id())
                .build();
        String what = (isOut ? "reintegrate " : "exclude ") + target;
        int version = command(what, mesh.poolLeader(pool.id), RpcMethod.POOL_TARGETS, r, PoolTargetsReply.parser())
                .getMapVersion();
        if (isOut) pool.excluded.remove(target);
        else pool.excluded.add(target);
        assertEquals(++pool.version, version, what);
    }

    private void createContainer(Expected pool, String label) {
        ContainerCreateRequest r = ContainerCreateRequest.newBuilder()
                .setPool(pool.id.toString())
                .setContainer(ContainerMessage.newBuilder().setLabel(label))
                .setRequestId(id())
                .build();
        command(
                "container " + label,
                mesh.poolLeader(pool.id),
                RpcMethod.CONTAINER_CREATE,
                r,
                ContainerMessage.parser());
        pool.containers.add(label);
    }

    private void destroyContainer(Expected pool) {
        String label = pool.containers.iterator().next();
        ContainerRef r = ContainerRef.newBuilder()
                .setPool(pool.id.toString())
                .setContainer(label)
                .setRequestId(id())
                .build();
        command("drop " + label, mesh.poolLeader(pool.id), RpcMethod.CONTAINER_DESTROY, r, Empty.parser());
        pool.containers.remove(label);
    }

    private String id() {
        return "request-" + ++requests;
    }

    /** Sends a command, in every second case with the death of its leader a moment later, and now and then once more. */
    private <T extends MessageLite> T command(
            String what, TestMesh.Node leader, RpcMethod method, MessageLite body, Parser<T> parser) {
        boolean dies = random.nextInt(2) == 0;
        long afterNs = random.nextInt(40) * 1_000_000L;
        boolean again = random.nextInt(3) == 0;
        history.add(
                what + (dies ? ", leader dies after " + afterNs / 1_000_000 + " ms" : "") + (again ? ", again" : ""));
        CompletableFuture<T> reply =
                CompletableFuture.supplyAsync(() -> mesh.admin(mesh.addresses(), method, body, parser));
        if (dies) {
            LockSupport.parkNanos(afterNs);
            leader.kill();
            leader.start();
        }
        T first;
        try {
            first = reply.join();
        } catch (java.util.concurrent.CompletionException e) {
            throw FaultException.faultOf(e.getCause()).asException();
        }
        if (again) assertEquals(first, mesh.admin(mesh.addresses(), method, body, parser), what);
        return first;
    }

    private void verify() {
        Map<String, UUID> listed =
                mesh
                        .admin(RpcMethod.POOL_LIST, Empty.getDefaultInstance(), PoolListReply.parser())
                        .getPoolsList()
                        .stream()
                        .collect(Collectors.toMap(PoolEntryMessage::getLabel, p -> Ids.uuid(p.getPool())));
        Map<String, UUID> wanted = new TreeMap<>();
        pools.forEach((label, p) -> wanted.put(label, p.id));
        assertEquals(wanted, new TreeMap<>(listed));
        pools.forEach(this::verify);
        Set<UUID> ids = Set.copyOf(wanted.values());
        TestMesh.await(
                "the pools and nothing else on each rank",
                () -> mesh.nodes.stream().allMatch(n -> n.storage.pools.equals(ids)));
    }

    private void verify(String label, Expected pool) {
        PoolRef ref = PoolRef.newBuilder().setPool(pool.id.toString()).build();
        PoolQueryReply q = mesh.admin(mesh.addresses(), RpcMethod.POOL_QUERY, ref, PoolQueryReply.parser());
        Set<String> out = q.getMap().getTargetsList().stream()
                .filter(t -> t.getStateValue() == 3 || t.getStateValue() == 4)
                .map(t -> t.getRank() + "." + t.getIndex())
                .collect(Collectors.toSet());
        Set<String> containers = new TreeSet<>();
        mesh.admin(mesh.addresses(), RpcMethod.CONTAINER_LIST, ref, ContainerListReply.parser())
                .getContainersList()
                .forEach(c -> containers.add(c.getLabel()));
        assertEquals(pool.excluded, out, label);
        assertEquals(pool.version, q.getMap().getVersion(), label);
        assertEquals(pool.containers, containers, label);
    }
}
