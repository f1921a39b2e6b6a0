package io.daosmesh.management.node;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.port.Maps;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.MapPushMessage;
import io.daosmesh.model.wire.PoolCreateReply;
import io.daosmesh.model.wire.PoolCreateRequest;
import io.daosmesh.model.wire.PoolDestroyRequest;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A tool keeps the identity that it has chosen for a pool: after a create that was undone the same pool is made after all. */
@Timeout(120)
class PoolMadeAgainTest {
    private static final UUID POOL = new UUID(7, 7);

    @TempDir
    Path dir;

    private TestMesh mesh;
    private final Set<String> toldProperties = ConcurrentHashMap.newKeySet();

    @BeforeEach
    void start() {
        mesh = new TestMesh(dir, 3, 1);
        mesh.startAll();
        for (TestMesh.Node n : mesh.nodes) {
            n.management.maps().listen(new Maps.Listener() {
                @Override
                public void onPoolProperties(UUID pool, Map<String, String> properties) {
                    toldProperties.add(n.address);
                }
            });
        }
    }

    @AfterEach
    void stop() {
        mesh.close();
    }

    private void create(String request) {
        PoolCreateRequest create = PoolCreateRequest.newBuilder()
                .setLabel("tank")
                .setPool(Ids.bytes(POOL))
                .setRequestId(request)
                .setServiceReplicas(1)
                .setScmBytesTotal(60L << 20)
                .build();
        mesh.admin(RpcMethod.POOL_CREATE, create, PoolCreateReply.parser());
    }

    private boolean isKnown(TestMesh.Node at) {
        return at.management.maps().poolMap(POOL).isPresent();
    }

    @Test
    void shouldTellEveryNodeOfAPoolThatIsMadeAfterItsCreateWasUndone() {
        TestMesh.Node full = mesh.nodes.get(2);
        full.fullDisk = true;
        assertThrows(FaultException.class, () -> create("r1"));
        full.fullDisk = false;

        create("r2");

        TestMesh.await("all know its map", () -> mesh.nodes.stream().allMatch(this::isKnown));
        TestMesh.await("all know its properties", () -> toldProperties.size() == mesh.nodes.size());
    }

    @Test
    void shouldNotBringAPoolBackByALatePush() {
        create("r1");
        TestMesh.await("all know its map", () -> mesh.nodes.stream().allMatch(this::isKnown));
        PoolMap old = mesh.nodes.get(0).management.maps().poolMap(POOL).orElseThrow();
        PoolDestroyRequest destroy = PoolDestroyRequest.newBuilder()
                .setPool("tank")
                .setRequestId("r2")
                .setForce(true)
                .build();
        mesh.admin(RpcMethod.POOL_DESTROY, destroy, Empty.parser());
        TestMesh.await("all forget it", () -> mesh.nodes.stream().noneMatch(this::isKnown));
        MapPushMessage late =
                MapPushMessage.newBuilder().setPoolMap(old.toWire()).build();

        for (TestMesh.Node n : mesh.nodes) {
            mesh.net
                    .rpc(mesh.nodes.get(1).address, Role.SERVER)
                    .call(Endpoint.node(n.address), RpcMethod.MAP_PUSH, RpcMessage.of(late), TestMesh.LONG, r -> true)
                    .block(TestMesh.LONG);
        }

        assertTrue(mesh.nodes.stream().noneMatch(this::isKnown));
    }
}
