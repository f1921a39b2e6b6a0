package io.daosmesh.management.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import io.daosmesh.management.raft.PeerIds;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.GroupMapMessage;
import io.daosmesh.model.wire.JoinRequest;
import io.daosmesh.model.wire.MapPushMessage;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolServiceRanksMessage;
import io.daosmesh.model.wire.PoolServiceStartRequest;
import io.daosmesh.model.wire.PoolServiceStopRequest;
import io.daosmesh.model.wire.RaftBegin;
import io.daosmesh.model.wire.RaftEnvelope;
import io.daosmesh.model.wire.RaftVoterMessage;
import io.daosmesh.model.wire.RankActionRequest;
import io.daosmesh.model.wire.RankDeadReport;
import io.daosmesh.model.wire.SystemActionRequest;
import java.nio.file.Path;
import java.util.UUID;
import org.apache.ratis.proto.RaftProtos.AppendEntriesRequestProto;
import org.apache.ratis.proto.RaftProtos.RaftGroupIdProto;
import org.apache.ratis.proto.RaftProtos.RaftRpcRequestProto;
import org.apache.ratis.proto.RaftProtos.RequestVoteRequestProto;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Servers with good certificates that speak for others: members, and strangers that never joined. */
@Timeout(120)
class WhoIsWhoTest {
    private static final String STRANGER = "10.0.0.66:10001";
    private static final int APPEND = 2;
    private static final int VOTE = 1;
    private static final int TERM = 5;
    private static final int BEGIN = 6;

    @TempDir
    Path dir;

    private TestMesh mesh;
    private TestMesh.Node leader;
    private TestMesh.Node member;
    private TestMesh.Node victim;

    @BeforeEach
    void start() {
        mesh = new TestMesh(dir, 3, 1);
        mesh.startAll();
        leader = mesh.nodes.get(0);
        member = mesh.nodes.get(1);
        victim = mesh.nodes.get(2);
        mesh.net.server(STRANGER);
    }

    @AfterEach
    void stop() {
        mesh.close();
    }

    private void call(String from, TestMesh.Node to, RpcMethod method, Message body) {
        mesh.net
                .rpc(from, Role.SERVER)
                .call(Endpoint.node(to.address), method, RpcMessage.of(body), TestMesh.LONG, r -> true)
                .block(TestMesh.LONG);
    }

    private void assertRefused(FaultCode code, String from, TestMesh.Node to, RpcMethod method, Message body) {
        Fault f = assertThrows(FaultException.class, () -> call(from, to, method, body))
                .fault();
        assertEquals(code, f.code(), f.message());
    }

    private Member seen(TestMesh.Node n) {
        return leader.management
                .system()
                .replica()
                .read(db -> db.groupMap().member(n.rank()).orElseThrow());
    }

    private JoinRequest.Builder join(String address) {
        return JoinRequest.newBuilder()
                .setSystem("daos_server")
                .setUuid(Ids.bytes(new UUID(3, 4)))
                .setWantedRank(-1)
                .setAddress(address)
                .setFaultDomain("/node9")
                .setIncarnation(1)
                .setTargetCount(2);
    }

    @Test
    void shouldRefuseAJoinForTheAddressOfAnotherNode() {
        Member before = seen(victim);
        JoinRequest.Builder asVictim = join(victim.address)
                .setUuid(Ids.bytes(before.uuid()))
                .setWantedRank(victim.rank())
                .setIncarnation(before.incarnation() + 1);

        for (String from : new String[] {STRANGER, member.address}) {
            assertRefused(FaultCode.NO_PERM, from, leader, RpcMethod.JOIN, asVictim.build());
            assertRefused(
                    FaultCode.NO_PERM,
                    from,
                    leader,
                    RpcMethod.JOIN,
                    join("10.0.0.77:10001").build());
        }
        assertRefused(
                FaultCode.ID_MISMATCH,
                STRANGER,
                leader,
                RpcMethod.JOIN,
                asVictim.setAddress(STRANGER).build());

        assertEquals(before, seen(victim));
        call(STRANGER, leader, RpcMethod.JOIN, join(STRANGER).build());
    }

    @Test
    void shouldRefuseRaftMessagesOfOthers() {
        RaftGroupIdProto group = RaftGroupIdProto.newBuilder()
                .setId(org.apache.ratis.thirdparty.com.google.protobuf.ByteString.copyFrom(
                        Ids.bytes(leader.management.system().id()).toByteArray()))
                .build();
        long term = leader.management.system().term();
        RaftRpcRequestProto.Builder head =
                RaftRpcRequestProto.newBuilder().setRaftGroupId(group).setReplyId(id(leader.address));
        for (String inside : new String[] {leader.address, STRANGER}) {
            RaftRpcRequestProto h = head.setRequestorId(id(inside)).build();
            RaftEnvelope.Builder append = RaftEnvelope.newBuilder()
                    .setKind(APPEND)
                    .setPayload(ByteString.copyFrom(AppendEntriesRequestProto.newBuilder()
                            .setServerRequest(h)
                            .setLeaderTerm(term + 5)
                            .build()
                            .toByteArray()));
            RaftEnvelope.Builder vote = RaftEnvelope.newBuilder()
                    .setKind(VOTE)
                    .setPayload(ByteString.copyFrom(RequestVoteRequestProto.newBuilder()
                            .setServerRequest(h)
                            .setCandidateTerm(term + 5)
                            .build()
                            .toByteArray()));
            for (RaftEnvelope.Builder m : new RaftEnvelope.Builder[] {append, vote}) {
                assertRefused(
                        FaultCode.NO_PERM,
                        STRANGER,
                        leader,
                        RpcMethod.RAFT,
                        m.setFrom(leader.address).build());
                FaultCode code = inside.equals(STRANGER) ? FaultCode.AGAIN : FaultCode.NO_PERM;
                assertRefused(
                        code,
                        STRANGER,
                        leader,
                        RpcMethod.RAFT,
                        m.setFrom(STRANGER).build());
            }
        }
        RaftEnvelope ask = RaftEnvelope.newBuilder()
                .setKind(TERM)
                .setFrom(STRANGER)
                .setGroup(Ids.bytes(leader.management.system().id()))
                .build();
        assertRefused(FaultCode.AGAIN, STRANGER, leader, RpcMethod.RAFT, ask);

        assertTrue(leader.leadsSystem());
        assertEquals(term, leader.management.system().term());
    }

    private static org.apache.ratis.thirdparty.com.google.protobuf.ByteString id(String address) {
        return org.apache.ratis.thirdparty.com.google.protobuf.ByteString.copyFromUtf8(
                PeerIds.of(address).toString());
    }

    @Test
    void shouldRefuseAReportOfADeadRankInTheNameOfOthers() {
        RankDeadReport.Builder report = RankDeadReport.newBuilder()
                .setRank(victim.rank())
                .setIncarnation(seen(victim).incarnation())
                .setReason("silent");

        for (int reporter : new int[] {leader.rank(), member.rank(), victim.rank(), 77, -1})
            assertRefused(
                    FaultCode.NO_PERM,
                    STRANGER,
                    leader,
                    RpcMethod.RANK_DEAD,
                    report.setReporter(reporter).build());
        assertRefused(
                FaultCode.NO_PERM,
                member.address,
                leader,
                RpcMethod.RANK_DEAD,
                report.setReporter(leader.rank()).build());

        assertEquals(MemberState.JOINED, seen(victim).state());
    }

    @Test
    void shouldTakeTheGroupMapAndTheEndOfPoolsFromTheManagementServiceOnly() {
        GroupMapMessage.Builder map = victim.management.maps().groupMapMessage().toBuilder();
        map.setVersion(map.getVersion() + 1000).clearMembers();
        MapPushMessage push = MapPushMessage.newBuilder().setGroupMap(map).build();
        MapPushMessage gone = MapPushMessage.newBuilder()
                .addPoolsGone(Ids.bytes(new UUID(5, 6)))
                .build();

        for (String from : new String[] {STRANGER, member.address}) {
            assertRefused(FaultCode.NO_PERM, from, victim, RpcMethod.MAP_PUSH, push);
            assertRefused(FaultCode.NO_PERM, from, victim, RpcMethod.MAP_PUSH, gone);
        }
        assertRefused(FaultCode.AGAIN, STRANGER, victim, RpcMethod.MAP_PUSH, MapPushMessage.getDefaultInstance());

        assertEquals(3, TestMesh.joined(victim));
        call(member.address, victim, RpcMethod.MAP_PUSH, MapPushMessage.getDefaultInstance());
        call(leader.address, victim, RpcMethod.MAP_PUSH, gone);
    }

    @Test
    void shouldTakeOrdersFromThoseOnlyWhoMayGiveThem() {
        ByteString pool = Ids.bytes(new UUID(5, 6));
        RankActionRequest halt = RankActionRequest.newBuilder()
                .setAction(SystemActionRequest.Action.STOP)
                .setRank(victim.rank())
                .build();
        PoolServiceStartRequest.Builder start =
                PoolServiceStartRequest.newBuilder().setPool(pool).addPeers(STRANGER);
        PoolServiceStopRequest.Builder end =
                PoolServiceStopRequest.newBuilder().setPool(pool).setDeleteData(true);

        for (String from : new String[] {STRANGER, member.address}) {
            assertRefused(FaultCode.NO_PERM, from, victim, RpcMethod.RANK_ACTION, halt);
            assertRefused(FaultCode.NO_PERM, from, victim, RpcMethod.POOL_SERVICE_STOP, end.build());
            PoolServiceStartRequest made = start.clone()
                    .setEntry(PoolEntryMessage.newBuilder().setPool(pool))
                    .build();
            assertRefused(FaultCode.NO_PERM, from, victim, RpcMethod.POOL_SERVICE_START, made);
        }
        RaftEnvelope begin = RaftEnvelope.newBuilder()
                .setKind(BEGIN)
                .setFrom(STRANGER)
                .setGroup(pool)
                .setPayload(RaftBegin.newBuilder()
                        .setIdentity("i")
                        .addVoters(RaftVoterMessage.newBuilder().setAddress(STRANGER))
                        .build()
                        .toByteString())
                .build();
        assertRefused(FaultCode.AGAIN, STRANGER, victim, RpcMethod.RAFT, begin);
        assertRefused(
                FaultCode.AGAIN,
                STRANGER,
                victim,
                RpcMethod.POOL_SERVICE_STOP,
                end.setTerm(9).build());
        assertRefused(
                FaultCode.AGAIN,
                STRANGER,
                leader,
                RpcMethod.POOL_SERVICE_RANKS,
                PoolServiceRanksMessage.newBuilder()
                        .setPool(pool)
                        .setVersion(9)
                        .addRanks(0)
                        .build());

        assertEquals(MemberState.JOINED, seen(victim).state());
        call(leader.address, victim, RpcMethod.RANK_ACTION, halt);
    }
}
