package io.daosmesh.management.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import com.google.protobuf.MessageLite;
import io.daosmesh.management.pool.service.PoolService;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.fuzz.Fuzz;
import io.daosmesh.model.fuzz.Oversized;
import io.daosmesh.model.fuzz.RawBody;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.AttributesRequest;
import io.daosmesh.model.wire.ContainerCreateRequest;
import io.daosmesh.model.wire.ContainerMessage;
import io.daosmesh.model.wire.ContainerPropertiesRequest;
import io.daosmesh.model.wire.GroupMapMessage;
import io.daosmesh.model.wire.GroupMapRequest;
import io.daosmesh.model.wire.JoinRequest;
import io.daosmesh.model.wire.MapPushMessage;
import io.daosmesh.model.wire.MemberMessage;
import io.daosmesh.model.wire.OidRangeRequest;
import io.daosmesh.model.wire.PoolCreateReply;
import io.daosmesh.model.wire.PoolCreateRequest;
import io.daosmesh.model.wire.PoolDestroyRequest;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolMapMessage;
import io.daosmesh.model.wire.PoolMapRequest;
import io.daosmesh.model.wire.PoolQueryRequest;
import io.daosmesh.model.wire.PoolRef;
import io.daosmesh.model.wire.PoolServiceRanksMessage;
import io.daosmesh.model.wire.PoolServiceStartRequest;
import io.daosmesh.model.wire.PoolServiceStopRequest;
import io.daosmesh.model.wire.PoolTargetMessage;
import io.daosmesh.model.wire.PoolTargetsRequest;
import io.daosmesh.model.wire.PropertiesRequest;
import io.daosmesh.model.wire.RaftEnvelope;
import io.daosmesh.model.wire.RankActionRequest;
import io.daosmesh.model.wire.RankDeadReport;
import io.daosmesh.model.wire.RasEventMessage;
import io.daosmesh.model.wire.SystemActionRequest;
import io.daosmesh.model.wire.SystemQueryRequest;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a peer with a good certificate may send: each is refused with one clear fault, proposes nothing and stores nothing. */
@Timeout(180)
class HostileRequestsTest {
    /** What an unexpected exception looks like, and what says that the asker should try again. */
    private static final Set<FaultCode> UNCLEAR =
            EnumSet.of(FaultCode.MISC, FaultCode.UNKNOWN, FaultCode.AGAIN, FaultCode.TIMEDOUT, FaultCode.BUSY);

    @TempDir
    Path dir;

    private TestMesh mesh;
    private TestMesh.Node node;
    private UUID pool;

    @BeforeEach
    void start() {
        mesh = new TestMesh(dir, 1, 1);
        mesh.startAll();
        node = mesh.nodes.get(0);
        PoolCreateReply made =
                mesh.admin(RpcMethod.POOL_CREATE, poolCreate("tank").build(), PoolCreateReply.parser());
        pool = Ids.uuid(made.getPool());
        create(ContainerMessage.newBuilder().setLabel("c1"));
    }

    @AfterEach
    void stop() {
        mesh.close();
    }

    private static PoolCreateRequest.Builder poolCreate(String label) {
        return PoolCreateRequest.newBuilder()
                .setLabel(label)
                .setRequestId(UUID.randomUUID().toString())
                .setScmBytesTotal(60L << 20)
                .setNvmeBytesTotal(600L << 20);
    }

    private void create(ContainerMessage.Builder c) {
        Fault f = refusal(
                RpcMethod.CONTAINER_CREATE,
                ContainerCreateRequest.newBuilder()
                        .setPool("tank")
                        .setContainer(c)
                        .build());
        assertEquals(NONE, f);
    }

    private static final Fault NONE = Fault.of(FaultCode.ALREADY, "was taken");

    private Fault refusal(RpcMethod method, MessageLite body) {
        Role role = method.mayBeCalledBy(Role.ADMIN)
                ? Role.ADMIN
                : method.mayBeCalledBy(Role.AGENT) ? Role.AGENT : Role.SERVER;
        try {
            mesh.net
                    .rpc(node.address, role)
                    .call(Endpoint.node(node.address), method, RpcMessage.of(body), TestMesh.LONG, r -> 1)
                    .block(TestMesh.LONG);
            return NONE;
        } catch (FaultException e) {
            return e.fault();
        }
    }

    private static RasEventMessage died() {
        return RasEventMessage.newBuilder()
                .setId("engine_died")
                .putFields("rank", "7")
                .putFields("inc", "1")
                .build();
    }

    /** One request of each method that is right as it is. */
    private Map<RpcMethod, Message> requests() {
        String at = pool.toString();
        ByteString uuid = Ids.bytes(pool);
        Map<RpcMethod, Message> all = new EnumMap<>(RpcMethod.class);
        all.put(RpcMethod.JOIN, join().build());
        all.put(RpcMethod.GROUP_MAP, GroupMapRequest.getDefaultInstance());
        all.put(RpcMethod.SYSTEM_QUERY, SystemQueryRequest.getDefaultInstance());
        all.put(
                RpcMethod.SYSTEM_ACTION,
                SystemActionRequest.newBuilder().setActionValue(3).addRanks(0).build());
        all.put(RpcMethod.RANK_DEAD, RankDeadReport.newBuilder().setRank(7).build());
        all.put(RpcMethod.STATE_EVENT, died());
        all.put(
                RpcMethod.RANK_ACTION,
                RankActionRequest.newBuilder().setActionValue(1).build());
        all.put(RpcMethod.POOL_CREATE, poolCreate("other").build());
        all.put(RpcMethod.POOL_FIND, PoolRef.newBuilder().setPool(at).build());
        all.put(
                RpcMethod.POOL_DESTROY,
                PoolDestroyRequest.newBuilder().setPool("none").build());
        all.put(RpcMethod.MAP_PUSH, MapPushMessage.getDefaultInstance());
        all.put(
                RpcMethod.RAFT,
                RaftEnvelope.newBuilder()
                        .setFrom(node.address)
                        .setGroup(uuid)
                        .setKind(5)
                        .build());
        all.put(
                RpcMethod.POOL_SERVICE_START,
                PoolServiceStartRequest.newBuilder().setPool(uuid).build());
        all.put(
                RpcMethod.POOL_SERVICE_STOP,
                PoolServiceStopRequest.newBuilder().setPool(uuid).build());
        all.put(
                RpcMethod.POOL_SERVICE_RANKS,
                PoolServiceRanksMessage.newBuilder().setPool(uuid).addRanks(0).build());
        all.put(
                RpcMethod.SYSTEM_PROPERTIES,
                PropertiesRequest.newBuilder().putSet("self_heal", "none").build());
        all.put(
                RpcMethod.SYSTEM_ATTRIBUTES,
                AttributesRequest.newBuilder()
                        .setOp(AttributesRequest.Op.SET)
                        .putSet("site", "north")
                        .build());
        all.put(RpcMethod.POOL_QUERY, PoolQueryRequest.newBuilder().setPool(at).build());
        all.put(RpcMethod.POOL_MAP, PoolMapRequest.newBuilder().setPool(uuid).build());
        PoolTargetsRequest.Builder drain =
                PoolTargetsRequest.newBuilder().setPool(at).setOpValue(2);
        all.put(RpcMethod.POOL_TARGETS, drain.addRanks(0).build());
        all.putAll(ContainerRequests.of(at));
        all.putAll(EraseRequests.ALL);
        all.putAll(HandleRequests.of(pool));
        return all;
    }

    private static JoinRequest.Builder join() {
        return JoinRequest.newBuilder()
                .setSystem("daos_server")
                .setUuid(Ids.bytes(new UUID(3, 4)))
                .setWantedRank(-1)
                .setAddress("10.0.0.1:10001")
                .setFaultDomain("/node9")
                .setIncarnation(1)
                .setTargetCount(2);
    }

    private record Kept(ByteString system, ByteString pool, long commands) {}

    private Kept kept() {
        PoolService s = node.management.pools().service(pool).orElseThrow();
        return new Kept(
                ByteString.copyFrom(node.management.system().replica().snapshot()),
                ByteString.copyFrom(s.replica().snapshot()),
                node.management.system().commandCount() + s.commandCount());
    }

    private void assertRefused(String what, RpcMethod method, Message body) {
        Kept before = kept();

        Fault f = refusal(method, body);

        assertFalse(f == NONE, what + " was taken");
        assertFalse(UNCLEAR.contains(f.code()), what + ": " + f.message());
        assertTrue(
                f.message().length() < 1000,
                what + ": the refusal has " + f.message().length());
        assertFalse(f.message().chars().anyMatch(Character::isISOControl), what + ": " + f.message());
        assertEquals(before, kept(), what + " left something");
    }

    @Test
    void shouldKnowAnAttackForEachRequestWhenItIsServed() {
        Set<RpcMethod> served = EnumSet.copyOf(mesh.net.methods(node.address));
        // their requests are empty
        served.removeAll(
                Set.of(RpcMethod.LEADER_QUERY, RpcMethod.POOL_LIST, RpcMethod.MAP_STREAM, RpcMethod.SELF_HEAL_EVAL));

        assertEquals(served, requests().keySet());
    }

    @Test
    @Tag("slow")
    void shouldRefuseEachFieldOfEachRequestWhenItIsTooLarge() {
        requests().forEach((method, right) -> {
            List<Message> attacks = Oversized.of(right);
            for (int i = 0; i < attacks.size(); i++) assertRefused(method + " " + i, method, attacks.get(i));
        });

        assertEquals(
                NONE,
                refusal(
                        RpcMethod.POOL_QUERY,
                        PoolRef.newBuilder().setPool("tank").build()));
    }

    private void assertContainerRefused(ContainerMessage.Builder c) {
        if (c.getLabel().isEmpty()) c.setLabel("odd");
        ContainerCreateRequest r = ContainerCreateRequest.newBuilder()
                .setPool("tank")
                .setContainer(c)
                .build();
        assertRefused(String.valueOf(c), RpcMethod.CONTAINER_CREATE, r);
    }

    private static ContainerMessage.Builder container() {
        return ContainerMessage.newBuilder();
    }

    @Test
    void shouldRefuseAContainerWhenNobodyWouldObeyIt() {
        for (String c : List.of("EC_9P9", "EC_2P1GX", "RP_7", "RP_2G0", "S", "s1 ", "RP_3G99999999999", "\u0130"))
            assertContainerRefused(container().setObjectClass(c));
        // one node is one fault domain
        assertContainerRefused(container().setObjectClass("RP_2GX"));
        assertContainerRefused(container().setRdFac(1));
        assertContainerRefused(container().setRdFac(-1));
        assertContainerRefused(container().setRdFac(9));
        assertContainerRefused(container().setObjectClass("S1").setRdFac(1));
        for (String t : List.of("posix2", "DIRECTORY", " "))
            assertContainerRefused(container().setType(t));
        for (String l : List.of("a b", "x".repeat(128), new UUID(1, 2).toString(), "\u00e4", "a/b"))
            assertContainerRefused(container().setLabel(l));
        assertContainerRefused(container().setUuid(ByteString.copyFrom(new byte[3])));
    }

    @Test
    void shouldRefuseAPropertyOfAContainerByNameWhenItHasNoEffect() {
        Map<String, String> odd = Map.ofEntries(
                Map.entry("colour", "blue"),
                Map.entry("", ""),
                Map.entry("rd_fac", "two"),
                Map.entry("rf", "-1"),
                Map.entry("rd_lvl", "rank"),
                Map.entry("rf_lvl", "1"),
                Map.entry("cksum", "crc64"),
                Map.entry("dedup", "memcmp"),
                Map.entry("compression", "lz4"),
                Map.entry("encryption", "aes-xts128"),
                Map.entry("ec_cell_sz", "65536"),
                Map.entry("status", "unclean"),
                Map.entry("owner", "root@"),
                Map.entry("label", "other"));
        odd.forEach((key, value) -> {
            ContainerMessage.Builder c = container().setLabel("odd").putProperties(key, value);
            assertContainerRefused(c);
            ContainerPropertiesRequest change = ContainerPropertiesRequest.newBuilder()
                    .setPool("tank")
                    .setContainer("c1")
                    .putSet(key, value)
                    .build();
            assertRefused("set " + key, RpcMethod.CONTAINER_PROPERTIES, change);
        });

        create(container().setLabel("fine").putProperties("rd_lvl", "node").putProperties("rf", "0"));
    }

    @Test
    void shouldRefuseAPropertyOfAPoolOrOfTheSystemWhenItHasNoEffect() {
        Map<String, String> odd = Map.of(
                "colour", "blue",
                "rd_fac", "9",
                "self_heal", "sometimes",
                "scrub", "sometimes",
                "scrub_freq", "0",
                "svc_list", "0",
                "data_thresh", "-1");
        odd.forEach((key, value) -> {
            PropertiesRequest.Builder set = PropertiesRequest.newBuilder().putSet(key, value);
            assertRefused(
                    "pool " + key,
                    RpcMethod.POOL_PROPERTIES,
                    set.setPool("tank").build());
            assertRefused("system " + key, RpcMethod.SYSTEM_PROPERTIES, set.build());
            assertRefused(
                    "create with " + key,
                    RpcMethod.POOL_CREATE,
                    poolCreate("odd").putProperties(key, value).build());
        });
        assertRefused(
                "another label",
                RpcMethod.POOL_CREATE,
                poolCreate("odd").putProperties("label", "other").build());
    }

    @Test
    void shouldRefuseNumbersWhenTheyAreOutOfRange() {
        for (int n : new int[] {-1, Integer.MIN_VALUE, Integer.MAX_VALUE, 0}) {
            OidRangeRequest r = OidRangeRequest.newBuilder()
                    .setPool("tank")
                    .setContainer("c1")
                    .setCount(n)
                    .build();
            assertRefused("ids " + n, RpcMethod.OID_RANGE, r);
        }
        for (int n : new int[] {-1, Integer.MIN_VALUE, Integer.MAX_VALUE, 4}) {
            PoolTargetsRequest.Builder targets =
                    PoolTargetsRequest.newBuilder().setPool("tank").addRanks(0);
            assertRefused(
                    "op " + n, RpcMethod.POOL_TARGETS, targets.setOpValue(n).build());
            SystemActionRequest.Builder act = SystemActionRequest.newBuilder().setAll(true);
            assertRefused(
                    "action " + n,
                    RpcMethod.SYSTEM_ACTION,
                    act.setActionValue(n).build());
            RankActionRequest.Builder tell = RankActionRequest.newBuilder().setRank(0);
            assertRefused(
                    "rank action " + n,
                    RpcMethod.RANK_ACTION,
                    tell.setActionValue(n).build());
            assertRefused(
                    "ranks " + n,
                    RpcMethod.POOL_CREATE,
                    poolCreate("odd").setRankCount(n).build());
            assertRefused(
                    "rank " + n,
                    RpcMethod.POOL_CREATE,
                    poolCreate("odd").addRanks(n).build());
            assertRefused(
                    "replicas " + n,
                    RpcMethod.POOL_CREATE,
                    poolCreate("odd").setServiceReplicas(n).build());
        }
        for (long n : new long[] {-1, Long.MIN_VALUE, Long.MAX_VALUE}) {
            assertRefused(
                    "scm " + n,
                    RpcMethod.POOL_CREATE,
                    poolCreate("odd").setScmBytesPerTarget(n).build());
            assertRefused(
                    "nvme " + n,
                    RpcMethod.POOL_CREATE,
                    poolCreate("odd").setNvmeBytesPerTarget(n).build());
            assertRefused(
                    "nvme in all " + n,
                    RpcMethod.POOL_CREATE,
                    poolCreate("odd").setNvmeBytesTotal(n).build());
        }
        assertRefused(
                "uuid",
                RpcMethod.POOL_CREATE,
                poolCreate("odd").setPool(ByteString.copyFromUtf8("abc")).build());
        assertRefused("no label", RpcMethod.POOL_CREATE, poolCreate("").build());
    }

    @Test
    void shouldRefuseAJoinWhenSomethingAboutItIsOdd() {
        List<JoinRequest.Builder> odd = new ArrayList<>();
        for (String a : List.of("", "10.0.0.9", ":1", "10.0.0.9:0", "10.0.0.9:99999", "a b:1", "\u00e4:1"))
            odd.add(join().setAddress(a));
        for (String d : List.of("", "/", "node9", "//", "/a//b", "/a b", "/a/", "/" + "x".repeat(256)))
            odd.add(join().setFaultDomain(d));
        for (int n : new int[] {0, -1, 100_000}) odd.add(join().setTargetCount(n));
        for (int n : new int[] {-1, 100_000}) odd.add(join().setEngineIndex(n));
        odd.add(join().setUuid(ByteString.copyFrom(new byte[3])));
        odd.add(join().setWantedRank(-2));
        odd.add(join().setIncarnation(0));
        odd.add(join().setIncarnation(Long.MAX_VALUE));
        odd.add(join().setIncarnation(-1));
        odd.add(join().setSystem("other"));

        for (JoinRequest.Builder j : odd) assertRefused(String.valueOf(j), RpcMethod.JOIN, j.build());
    }

    @Test
    void shouldRefuseWhatAServerSaysWhenItCannotBe() {
        MapPushMessage.Builder push = MapPushMessage.newBuilder();
        PoolMapMessage odd = PoolMapMessage.newBuilder()
                .setPool(Ids.bytes(pool))
                .setVersion(1000)
                .addTargets(PoolTargetMessage.newBuilder().setStateValue(77))
                .build();
        assertRefused("pool map", RpcMethod.MAP_PUSH, push.setPoolMap(odd).build());
        PoolServiceStartRequest.Builder start = PoolServiceStartRequest.newBuilder()
                .setPool(Ids.bytes(new UUID(5, 6)))
                .addPeers(node.address);
        PoolEntryMessage entry =
                node.management.system().replica().read(db -> db.pools().get(0));
        assertRefused(
                "entry and odd map",
                RpcMethod.POOL_SERVICE_START,
                start.setMap(odd).setEntry(entry).build());
        assertRefused(
                "peer", RpcMethod.POOL_SERVICE_START, start.addPeers("nowhere").build());
        assertRefused(
                "service of three bytes",
                RpcMethod.POOL_SERVICE_RANKS,
                PoolServiceRanksMessage.newBuilder()
                        .setPool(ByteString.copyFromUtf8("abc"))
                        .build());
    }

    @Test
    void shouldGoOnWhenAMapHasAMemberInAStateOfAnotherRelease() {
        GroupMapMessage.Builder map = node.management.maps().groupMapMessage().toBuilder();
        map.setVersion(map.getVersion() + 1000)
                .addMembers(MemberMessage.newBuilder()
                        .setRank(99)
                        .setUuid(Ids.bytes(new UUID(9, 9)))
                        .setStateValue(77));

        refusal(RpcMethod.MAP_PUSH, MapPushMessage.newBuilder().setGroupMap(map).build());

        TestMesh.await(
                "the map", () -> node.management.maps().groupMap().member(99).isPresent());
    }

    @Test
    @Tag("fuzz")
    void shouldAnswerDamagedRequestsAndGoOn() throws Exception {
        for (Map.Entry<RpcMethod, Message> e : requests().entrySet()) {
            Fuzz fuzz = Fuzz.of("request " + e.getKey()).good(e.getValue().toByteArray());
            for (int i = 0; i < Fuzz.runs() / 16; i++) {
                Fuzz.check("request " + e.getKey() + " run " + i, fuzz.input(i), in -> {
                    Fault f = refusal(e.getKey(), RawBody.of(in));
                    if (f != NONE) throw f.asException();
                });
            }
        }

        assertEquals(NONE, refusal(RpcMethod.GROUP_MAP, GroupMapRequest.getDefaultInstance()));
    }
}
