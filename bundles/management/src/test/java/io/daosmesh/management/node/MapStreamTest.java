package io.daosmesh.management.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.access.User;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.AclReply;
import io.daosmesh.model.wire.AclRequest;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.MapPushMessage;
import io.daosmesh.model.wire.PoolCreateReply;
import io.daosmesh.model.wire.PoolCreateRequest;
import io.daosmesh.model.wire.PoolDestroyRequest;
import io.daosmesh.model.wire.PoolMapMessage;
import io.daosmesh.model.wire.PoolTargetsReply;
import io.daosmesh.model.wire.PoolTargetsRequest;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;

/** MAP_STREAM: what a client that subscribes to maps gets. */
@Timeout(120)
class MapStreamTest {
    @TempDir
    Path dir;

    private TestMesh mesh;

    @BeforeEach
    void start() {
        mesh = new TestMesh(dir, 2, 1);
        mesh.startAll();
    }

    @AfterEach
    void stop() {
        mesh.close();
    }

    /** Asks for nothing by itself. */
    private static final class Client extends BaseSubscriber<MapPushMessage> {
        private final BlockingQueue<MapPushMessage> got = new LinkedBlockingQueue<>();

        @Override
        protected void hookOnSubscribe(Subscription subscription) {}

        @Override
        protected void hookOnNext(MapPushMessage m) {
            got.add(m);
        }

        MapPushMessage next() throws InterruptedException {
            request(1);
            MapPushMessage m = got.poll(30, TimeUnit.SECONDS);
            if (m == null) throw new AssertionError("nothing came");
            return m;
        }
    }

    private Client subscribe(TestMesh.Node at) {
        return subscribe(at, mesh.net.rpc("", Role.AGENT));
    }

    private static Client subscribe(TestMesh.Node at, Rpc as) {
        Client c = new Client();
        as.<MapPushMessage>stream(
                        Endpoint.node(at.address),
                        RpcMethod.MAP_STREAM,
                        RpcMessage.of(Empty.getDefaultInstance()),
                        r -> MapPushMessage.parseFrom(r.body()))
                .subscribe(c);
        return c;
    }

    private UUID createPool() {
        return createPool("tank");
    }

    private UUID createPool(String label) {
        return Ids.uuid(mesh.admin(
                        RpcMethod.POOL_CREATE,
                        PoolCreateRequest.newBuilder()
                                .setLabel(label)
                                .setRequestId(label)
                                .setScmBytesTotal(60L << 20)
                                .setUser(TestNet.ADA.user())
                                .build(),
                        PoolCreateReply.parser())
                .getPool());
    }

    private int change(UUID pool, int op, int rank) {
        return mesh.admin(
                        mesh.addresses(),
                        RpcMethod.POOL_TARGETS,
                        PoolTargetsRequest.newBuilder()
                                .setPool(pool.toString())
                                .setOpValue(op)
                                .addRanks(rank)
                                .setRequestId("op" + op)
                                .build(),
                        PoolTargetsReply.parser())
                .getMapVersion();
    }

    @Test
    void shouldSendASlowSubscriberTheNewestMapAndNoneInBetween() throws InterruptedException {
        TestMesh.Node at = mesh.nodes.get(1);
        Client slow = subscribe(at);
        MapPushMessage first = slow.next();
        assertEquals(2, first.getGroupMap().getMembersCount());
        assertFalse(first.hasPoolMap());

        UUID pool = createPool();
        change(pool, 0, at.rank());
        int version = change(pool, 1, at.rank());
        TestMesh.await(
                "newest map on the node",
                () -> at.management
                        .maps()
                        .poolMap(pool)
                        .filter(m -> m.version() == version)
                        .isPresent());
        assertTrue(slow.got.isEmpty(), "nothing without demand");

        MapPushMessage next = slow.next();
        assertEquals(version, next.getPoolMap().getVersion());
        assertEquals(3, version);

        mesh.admin(
                RpcMethod.POOL_DESTROY,
                PoolDestroyRequest.newBuilder()
                        .setPool("tank")
                        .setRequestId("d1")
                        .build(),
                Empty.parser());
        MapPushMessage last = slow.next();
        assertEquals(List.of(Ids.bytes(pool)), last.getPoolsGoneList());
        assertFalse(last.hasPoolMap());
        assertTrue(slow.got.isEmpty());
        slow.cancel();
    }

    @Test
    void shouldStartALateSubscriberWithAllThatIsKnown() throws InterruptedException {
        UUID pool = createPool();
        TestMesh.Node at = mesh.nodes.get(1);
        TestMesh.await(
                "map on the node", () -> at.management.maps().poolMap(pool).isPresent());
        Client late = subscribe(at);

        MapPushMessage.Builder known = MapPushMessage.newBuilder();
        while (!known.hasGroupMap() || !known.hasPoolMap()) known.mergeFrom(late.next());

        assertEquals(Ids.bytes(pool), known.getPoolMap().getPool());
        late.cancel();
    }

    @Test
    void shouldNotTellOfPoolsThatLetTheUserNotIn() throws InterruptedException {
        UUID adas = createPool();
        TestMesh.Node at = mesh.nodes.get(1);
        User bob = new User("bob@", "users@", List.of(), "node1");
        Client stranger = subscribe(at, mesh.net.rpc("", Role.AGENT, Optional.of(bob)));
        Client agent = subscribe(at, mesh.net.rpc("", Role.AGENT, Optional.empty()));
        assertTrue(stranger.next().hasGroupMap());
        assertTrue(agent.next().hasGroupMap());
        stranger.request(10);
        agent.request(10);
        TestMesh.await(
                "map on the node", () -> at.management.maps().poolMap(adas).isPresent());
        int hidden = change(adas, 0, at.rank());
        TestMesh.await(
                "newest map on the node",
                () -> at.management
                        .maps()
                        .poolMap(adas)
                        .filter(m -> m.version() == hidden)
                        .isPresent());
        assertEquals(0, poolMaps(stranger).count());

        mesh.admin(
                mesh.addresses(),
                RpcMethod.POOL_ACL,
                AclRequest.newBuilder()
                        .setPool(adas.toString())
                        .setOpValue(2)
                        .addEntries("A::bob@:r")
                        .build(),
                AclReply.parser());

        TestMesh.await("bob sees the pool", () -> poolMaps(stranger).count() == 1);
        assertTrue(poolMaps(stranger).allMatch(m -> m.getVersion() == hidden), stranger.got.toString());
        int version = change(adas, 1, at.rank());
        TestMesh.await("bob sees the change", () -> poolMaps(stranger).anyMatch(m -> m.getVersion() == version));
        assertEquals(0, poolMaps(agent).count());
        stranger.cancel();
        agent.cancel();
    }

    private static Stream<PoolMapMessage> poolMaps(Client c) {
        return c.got.stream().filter(MapPushMessage::hasPoolMap).map(MapPushMessage::getPoolMap);
    }
}
