package io.daosmesh.admin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.GroupMapMessage;
import io.daosmesh.model.wire.MemberMessage;
import io.daosmesh.model.wire.PoolCreateReply;
import io.daosmesh.model.wire.PoolCreateRequest;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolFindReply;
import io.daosmesh.model.wire.PoolQueryReply;
import io.daosmesh.model.wire.StorageFormatReply;
import io.daosmesh.model.wire.SystemQueryReply;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class AdminCallsTest {
    private static final Duration SHORT = Duration.ofMillis(1500);

    private final FakeRpc rpc = new FakeRpc();
    private final AdminCalls calls = new AdminCalls(rpc, List.of("a:1", "b:1", "c:1"), SHORT, SHORT);

    @Test
    void shouldFollowTheHintWhenTheHostIsNotTheLeader() {
        rpc.refuse("a:1", RpcMethod.SYSTEM_QUERY, Fault.of(FaultCode.NOTLEADER).with("leader", "z:1"));
        rpc.on("z:1", RpcMethod.SYSTEM_QUERY, r -> SystemQueryReply.getDefaultInstance());

        calls.systemQuery(List.of());

        assertEquals(List.of("a:1 SYSTEM_QUERY", "z:1 SYSTEM_QUERY"), rpc.calls);
    }

    @Test
    void shouldAskTheNextHostWhenOneIsUnreachable() {
        rpc.on("c:1", RpcMethod.SYSTEM_QUERY, r -> SystemQueryReply.getDefaultInstance());

        calls.systemQuery(List.of());

        assertEquals(3, rpc.calls.size());
    }

    @Test
    void shouldFailAtOnceWhenEveryHostIsUnreachable() {
        FaultException e = assertThrows(FaultException.class, () -> calls.systemQuery(List.of()));

        assertEquals(FaultCode.UNREACH, e.code());
        assertEquals(3, rpc.calls.size());
    }

    @Test
    void shouldGiveUpAtTheDeadlineWhenNoLeaderIsElected() {
        for (String host : List.of("a:1", "b:1", "c:1")) {
            rpc.refuse(host, RpcMethod.SYSTEM_QUERY, Fault.of(FaultCode.NO_SERVICE));
        }

        FaultException e = assertThrows(FaultException.class, () -> calls.systemQuery(List.of()));

        assertEquals(FaultCode.NO_SERVICE, e.code());
        assertFalse(rpc.calls.size() > 3 * 20, "no spinning: " + rpc.calls.size());
    }

    @Test
    void shouldNotSpinWhenHintsGoInACircle() {
        rpc.refuse("a:1", RpcMethod.SYSTEM_QUERY, Fault.of(FaultCode.NOTLEADER).with("leader", "b:1"));
        rpc.refuse("b:1", RpcMethod.SYSTEM_QUERY, Fault.of(FaultCode.NOTLEADER).with("leader", "a:1"));

        FaultException e = assertThrows(FaultException.class, () -> calls.systemQuery(List.of()));

        assertEquals(FaultCode.NOTLEADER, e.code());
        assertFalse(rpc.calls.size() > 8 * 20, "no spinning: " + rpc.calls.size());
    }

    @Test
    void shouldNotRetryWhenTheRefusalIsFinal() {
        rpc.refuse("a:1", RpcMethod.POOL_CREATE, Fault.of(FaultCode.NOSPACE));

        assertThrows(FaultException.class, () -> calls.poolCreate(PoolCreateRequest.getDefaultInstance()));

        assertEquals(1, rpc.calls.size());
    }

    @Test
    void shouldKeepTheRequestIdWhenAWriteIsResent() {
        AtomicInteger tries = new AtomicInteger();
        rpc.on("a:1", RpcMethod.POOL_CREATE, r -> {
            if (tries.incrementAndGet() == 1) throw Fault.of(FaultCode.AGAIN).asException();
            return PoolCreateReply.getDefaultInstance();
        });

        calls.poolCreate(PoolCreateRequest.getDefaultInstance());

        Set<String> ids = rpc.requests.stream()
                .map(r -> ((PoolCreateRequest) r).getRequestId())
                .collect(Collectors.toSet());
        assertEquals(1, ids.size());
        assertFalse(ids.iterator().next().isEmpty());
    }

    @Test
    void shouldSendFormatOnceAndKeepErrorsByHost() {
        rpc.on("a:1", RpcMethod.STORAGE_FORMAT, r -> StorageFormatReply.getDefaultInstance());
        rpc.refuse("b:1", RpcMethod.STORAGE_FORMAT, Fault.of(FaultCode.AGAIN));

        HostReplies<StorageFormatReply> replies = calls.storageFormat(List.of("a:1", "b:1", "c:1"), false, false);

        assertEquals(Set.of("a:1"), replies.replies().keySet());
        assertEquals(FaultCode.AGAIN, replies.errors().get("b:1").code());
        assertEquals(FaultCode.UNREACH, replies.errors().get("c:1").code());
        assertEquals(3, rpc.calls.size());
    }

    @Test
    void shouldAskTheReplicasOfThePoolServiceWhenAPoolIsQueried() {
        UUID pool = UUID.fromString("00000000-0000-0000-0000-000000000001");
        rpc.on(
                "a:1",
                RpcMethod.POOL_FIND,
                r -> PoolFindReply.newBuilder()
                        .setEntry(PoolEntryMessage.newBuilder()
                                .setPool(Ids.bytes(pool))
                                .addServiceRanks(2))
                        .setGroupMap(GroupMapMessage.newBuilder()
                                .addMembers(
                                        MemberMessage.newBuilder().setRank(2).setAddress("p:1")))
                        .build());
        rpc.refuse("p:1", RpcMethod.POOL_QUERY, Fault.of(FaultCode.NOTLEADER).with("leader", "q:1"));
        rpc.on(
                "q:1",
                RpcMethod.POOL_QUERY,
                r -> PoolQueryReply.newBuilder().setLeader(7).build());

        assertEquals(7, calls.poolQuery("tank").getLeader());
    }
}
