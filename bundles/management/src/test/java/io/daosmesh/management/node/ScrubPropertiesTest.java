package io.daosmesh.management.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.PoolCreateReply;
import io.daosmesh.model.wire.PoolCreateRequest;
import io.daosmesh.model.wire.PoolTargetsReply;
import io.daosmesh.model.wire.PoolTargetsRequest;
import io.daosmesh.model.wire.PropertiesReply;
import io.daosmesh.model.wire.PropertiesRequest;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the system, a pool and its engines have to say about the scrubber. */
@Timeout(120)
@Tag("slow")
class ScrubPropertiesTest {
    @TempDir
    Path dir;

    private TestMesh mesh;

    @BeforeEach
    void start() {
        mesh = new TestMesh(dir, 3, 1);
        mesh.startAll();
    }

    @AfterEach
    void stop() {
        mesh.close();
    }

    private UUID pool(String label, Map<String, String> properties) {
        return Ids.uuid(mesh.admin(
                        RpcMethod.POOL_CREATE,
                        PoolCreateRequest.newBuilder()
                                .setLabel(label)
                                .setRequestId("r-" + label)
                                .setScmBytesTotal(60L << 20)
                                .putAllProperties(properties)
                                .build(),
                        PoolCreateReply.parser())
                .getPool());
    }

    private void set(RpcMethod method, PropertiesRequest.Builder set) {
        mesh.admin(mesh.addresses(), method, set.build(), PropertiesReply.parser());
    }

    private String scrub(String pool) {
        PropertiesRequest ask = PropertiesRequest.newBuilder().setPool(pool).build();
        return mesh.admin(mesh.addresses(), RpcMethod.POOL_PROPERTIES, ask, PropertiesReply.parser())
                .getValuesOrThrow("scrub");
    }

    private <T> T asEngine(UUID pool, RpcMethod method, MessageLite body, Parser<T> parser) {
        TestMesh.Node leader = mesh.poolLeader(pool);
        return mesh.net
                .rpc(leader.address, Role.SERVER)
                .call(
                        Endpoint.node(leader.address),
                        method,
                        RpcMessage.of(body),
                        Duration.ofSeconds(10),
                        r -> parser.parseFrom(r.body()))
                .block();
    }

    @Test
    void shouldSetAllPoolsAtOnceAndThenObeyTheirOwnWord() {
        pool("old", Map.of("scrub", "lazy"));
        assertEquals("lazy", scrub("old"));

        set(RpcMethod.SYSTEM_PROPERTIES, PropertiesRequest.newBuilder().putSet("pool_scrub_mode", "timed"));
        TestMesh.await("the pool follows", () -> "timed".equals(scrub("old")));
        set(
                RpcMethod.POOL_PROPERTIES,
                PropertiesRequest.newBuilder().setPool("old").putSet("scrub", "off"));
        pool("said", Map.of("scrub", "lazy"));
        pool("silent", Map.of());

        assertEquals("timed", scrub("silent"));
        assertEquals("lazy", scrub("said"));
        assertEquals("off", scrub("old"));
    }

    @Test
    void shouldLetAnEngineDrainOnlyWhereThePolicyAllowsIt() {
        UUID pool = pool("tank", Map.of("scrub", "timed", "scrub_freq", "60"));
        PoolTargetsRequest drain = PoolTargetsRequest.newBuilder()
                .setPool(pool.toString())
                .setOp(PoolTargetsRequest.Op.DRAIN)
                .addRanks(1)
                .addTargetIndexes(0)
                .build();
        set(
                RpcMethod.POOL_PROPERTIES,
                PropertiesRequest.newBuilder().setPool("tank").putSet("self_heal", "none"));
        FaultException refused = assertThrows(
                FaultException.class, () -> asEngine(pool, RpcMethod.POOL_TARGETS, drain, PoolTargetsReply.parser()));
        assertEquals(FaultCode.NO_PERM, refused.code());
        set(
                RpcMethod.POOL_PROPERTIES,
                PropertiesRequest.newBuilder().setPool("tank").putSet("self_heal", "exclude"));
        assertEquals(
                2,
                asEngine(pool, RpcMethod.POOL_TARGETS, drain, PoolTargetsReply.parser())
                        .getMapVersion());
    }
}
