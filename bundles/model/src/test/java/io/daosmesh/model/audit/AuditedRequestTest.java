package io.daosmesh.model.audit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.text.Printable;
import io.daosmesh.model.wire.AclRequest;
import io.daosmesh.model.wire.ContainerCreateRequest;
import io.daosmesh.model.wire.ContainerMessage;
import io.daosmesh.model.wire.ContainerRef;
import io.daosmesh.model.wire.PoolCreateRequest;
import io.daosmesh.model.wire.PoolDestroyRequest;
import io.daosmesh.model.wire.PoolEvictRequest;
import io.daosmesh.model.wire.PropertiesRequest;
import io.daosmesh.model.wire.SystemActionRequest;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class AuditedRequestTest {
    private static Optional<String> shown(RpcMethod method, Message request) {
        return AuditedRequest.of(method, ByteBuffer.wrap(request.toByteArray()));
    }

    @Test
    void shouldKnowTheRequestOfEachAuditedRpc() {
        assertEquals(
                Arrays.stream(RpcMethod.values()).filter(RpcMethod::isAudited).collect(Collectors.toSet()),
                EnumSet.copyOf(AuditedRequest.known()));
    }

    @Test
    void shouldShowWhatIsChanged() {
        PoolCreateRequest pool = PoolCreateRequest.newBuilder()
                .setRequestId("r1")
                .setPool(Ids.bytes(new UUID(1, 2)))
                .setLabel("tank")
                .addAllRanks(Collections.nCopies(20, 1))
                .putProperties("rd_fac", "1")
                .build();

        assertEquals(
                "pool=00000000-0000-0001-0000-000000000002 label=tank" + " ranks=1".repeat(8) + " ranks=(20) rd_fac=1",
                shown(RpcMethod.POOL_CREATE, pool).orElseThrow());
        assertEquals(
                "pool=tank label=c1",
                shown(
                                RpcMethod.CONTAINER_CREATE,
                                ContainerCreateRequest.newBuilder()
                                        .setPool("tank")
                                        .setContainer(
                                                ContainerMessage.newBuilder().setLabel("c1"))
                                        .build())
                        .orElseThrow());
        assertEquals(
                "",
                shown(RpcMethod.STORAGE_FORMAT, PoolDestroyRequest.getDefaultInstance())
                        .orElseThrow());
    }

    @Test
    void shouldBeSilentAboutRequestsThatOnlyAsk() {
        PropertiesRequest ask = PropertiesRequest.newBuilder().setPool("tank").build();
        AclRequest acl = AclRequest.newBuilder().setPool("tank").build();

        assertEquals(Optional.empty(), shown(RpcMethod.POOL_PROPERTIES, ask));
        assertEquals(Optional.empty(), shown(RpcMethod.POOL_ACL, acl));
        assertEquals(Optional.empty(), shown(RpcMethod.POOL_QUERY, ask));
        assertEquals(
                Optional.of("pool=tank op=3"),
                shown(RpcMethod.POOL_ACL, acl.toBuilder().setOpValue(3).build()));
        assertEquals(
                Optional.of("pool=tank rd_fac=''"),
                shown(
                        RpcMethod.POOL_PROPERTIES,
                        ask.toBuilder().putSet("rd_fac", "").build()));
    }

    @Test
    void shouldNotShowHandles() {
        ByteString secret = ByteString.copyFromUtf8("secretsecretsecr");
        ContainerRef ref = ContainerRef.newBuilder()
                .setContainer("c1")
                .setPoolHandle(secret)
                .build();
        PoolEvictRequest evict =
                PoolEvictRequest.newBuilder().setPool("tank").addHandles(secret).build();

        assertEquals(Optional.of("container=c1"), shown(RpcMethod.CONTAINER_DESTROY, ref));
        assertEquals(Optional.of("pool=tank"), shown(RpcMethod.POOL_EVICT, evict));
    }

    @Test
    void shouldStayShortAndPlainWhateverIsSent() {
        for (String odd : new String[] {
            "a\n2026 user=root", "\u001b[2J", "it's \\'", "x".repeat(5000), "\ud83d\ude00".repeat(500), "a b=c"
        }) {
            String label = shown(
                            RpcMethod.POOL_DESTROY,
                            PoolDestroyRequest.newBuilder().setPool(odd).build())
                    .orElseThrow();
            assertTrue(Printable.isPlain(label), label);
            assertTrue(label.startsWith("pool='") && label.endsWith("'"), label);
            assertTrue(label.length() <= AuditedRequest.CHARACTERS_MAX + 3, label);
        }
        SystemActionRequest many = SystemActionRequest.newBuilder()
                .addAllRanks(Collections.nCopies(100_000, 1))
                .build();
        assertEquals(Optional.of("(100004 bytes)"), shown(RpcMethod.SYSTEM_ACTION, many));
        PropertiesRequest.Builder set = PropertiesRequest.newBuilder();
        for (int i = 0; i < 8; i++) set.putSet("name" + i, "y".repeat(60));
        String cut = shown(RpcMethod.SYSTEM_PROPERTIES, set.build()).orElseThrow();
        assertEquals(AuditedRequest.CHARACTERS_MAX, cut.length());
        assertFalse(AuditedRequest.of(RpcMethod.POOL_DESTROY, ByteBuffer.wrap(new byte[] {10, 100}))
                .isEmpty());
    }
}
