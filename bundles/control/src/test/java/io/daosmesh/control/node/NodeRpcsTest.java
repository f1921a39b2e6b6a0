package io.daosmesh.control.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.MessageLite;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.limit.MessageLimits;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.port.Maps;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.port.RankIdentity;
import io.daosmesh.model.port.StorageAdmin;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Registrations;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.RpcCall;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.rpc.RpcServer;
import io.daosmesh.model.wire.AddDeviceRequest;
import io.daosmesh.model.wire.DeviceInfoMessage;
import io.daosmesh.model.wire.DriversReply;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.FormatResultMessage;
import io.daosmesh.model.wire.LedRequest;
import io.daosmesh.model.wire.ListDevicesReply;
import io.daosmesh.model.wire.ListDevicesRequest;
import io.daosmesh.model.wire.NodeStatusReply;
import io.daosmesh.model.wire.RebindRequest;
import io.daosmesh.model.wire.ReplaceDeviceRequest;
import io.daosmesh.model.wire.SetFaultyRequest;
import io.daosmesh.model.wire.StorageFormatReply;
import io.daosmesh.model.wire.StorageFormatRequest;
import io.daosmesh.model.wire.StorageScanReply;
import io.daosmesh.model.wire.StorageScanRequest;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

@Timeout(20)
class NodeRpcsTest {
    static final UUID DEVICE = new UUID(7, 7);
    private static final NodeConfig CONFIG = new NodeConfig(
            "daos_server",
            "127.0.0.1:10001",
            "127.0.0.1",
            10001,
            List.of("127.0.0.1:10001"),
            "/node1",
            9191,
            Path.of("/nowhere"),
            new NodeConfig.Tls(true, false, Optional.empty(), Optional.empty(), Optional.empty()),
            List.of(new NodeConfig.Engine(0, 2, "file", Path.of("/scm"), 0, "file", List.of("/ssd"), 8, "INFO")));

    private final Scheduler scheduler = Schedulers.newSingle("test");
    private final Map<RpcMethod, RpcServer.Handler> handlers = new EnumMap<>(RpcMethod.class);
    private final Engines engines = new Engines();
    private final FakeStorage storage = new FakeStorage();
    private Optional<Maps> maps = Optional.empty();

    @BeforeEach
    void register() {
        engines.add(storage);
        Devices devices = new Devices(engines, driver -> driver);
        NodeRpcs.Parts parts = new NodeRpcs.Parts(
                CONFIG,
                engines,
                devices,
                new FormatHandler(CONFIG, engines, () -> maps, scheduler),
                new Lights(devices, scheduler),
                new LogLevels(null),
                rank -> Optional.empty(),
                () -> Optional.of(() -> Instant.ofEpochSecond(1_900_000_000L)),
                "0.1.0");
        new NodeRpcs(parts, scheduler)
                .register(new Registrations(new FakeServer(), Endpoint.NODE, MessageLimits.of(64, 64)));
    }

    @AfterEach
    void stop() {
        scheduler.dispose();
    }

    @Test
    void shouldFormatStorageThatWaitsForIt() throws Exception {
        StorageFormatReply reply = StorageFormatReply.parseFrom(format(false));

        assertTrue(reply.getResults(0).getOk());
        assertEquals(StorageAdmin.State.READY, storage.state);
    }

    @Test
    void shouldWaitUntilTheDevicesAreFound() throws Exception {
        storage.state = StorageAdmin.State.STARTING;
        scheduler.schedule(
                () -> storage.state = StorageAdmin.State.AWAIT_FORMAT, 200, java.util.concurrent.TimeUnit.MILLISECONDS);

        assertTrue(StorageFormatReply.parseFrom(format(false)).getResults(0).getOk());
    }

    @Test
    void shouldRefuseFormattedStorageWithoutForce() throws Exception {
        storage.state = StorageAdmin.State.READY;

        FormatResultMessage result = StorageFormatReply.parseFrom(format(false)).getResults(0);

        assertEquals(-FaultCode.EXIST.number(), result.getStatus());
        assertTrue(result.getMessage().contains("--force"), result.getMessage());
        assertTrue(StorageFormatReply.parseFrom(format(true)).getResults(0).getOk());
    }

    @Test
    void shouldRefuseForceWhileTheSystemRuns() {
        storage.state = StorageAdmin.State.READY;
        storage.rank = Optional.of(0);
        maps = Optional.of(new FakeMaps(MemberState.JOINED));

        FaultException e = assertThrows(FaultException.class, () -> format(true));

        assertEquals(FaultCode.BUSY, e.code());
        assertTrue(e.fault().remedy().contains("dmg system stop"));
    }

    /** Else what was formatted to replace a rank that is none could never become another one. */
    @Test
    void shouldFormatStorageWithoutARankByForceWhileTheSystemRuns() throws Exception {
        storage.state = StorageAdmin.State.READY;
        maps = Optional.of(new FakeMaps(MemberState.JOINED));

        assertTrue(StorageFormatReply.parseFrom(format(true)).getResults(0).getOk());
    }

    @Test
    void shouldFormatToReplaceOnlyWhatIsNotFormatted() throws Exception {
        StorageFormatRequest.Builder replace = StorageFormatRequest.newBuilder().setReplace(true);

        StorageFormatReply done = StorageFormatReply.parseFrom(call(RpcMethod.STORAGE_FORMAT, replace.build()));
        assertTrue(done.getResults(0).getOk());
        assertTrue(storage.isReplacement());
        StorageFormatReply again = StorageFormatReply.parseFrom(call(RpcMethod.STORAGE_FORMAT, replace.build()));
        assertEquals(-FaultCode.EXIST.number(), again.getResults(0).getStatus());
        StorageFormatRequest both = replace.setForce(true).build();
        assertEquals(
                FaultCode.INVAL,
                assertThrows(FaultException.class, () -> call(RpcMethod.STORAGE_FORMAT, both))
                        .code());
    }

    @Test
    void shouldTakeInADeviceThatIsPluggedIn() throws Exception {
        storage.devices.add(DeviceInfoMessage.newBuilder()
                .setAddress("/new")
                .setState("NEW")
                .setUnlisted(true)
                .build());
        storage.rank = Optional.of(3);
        StorageScanReply scan =
                StorageScanReply.parseFrom(call(RpcMethod.STORAGE_SCAN, StorageScanRequest.getDefaultInstance()));
        assertEquals(2, scan.getNvmeCount());
        assertEquals(-1, scan.getNvme(1).getRank());
        assertEquals(1, devices(ListDevicesRequest.newBuilder()).getDevicesCount(), "of no engine");

        ListDevicesReply added = add("/new", 0, -1);

        assertEquals(3, added.getDevices(0).getRank());
        assertEquals(2, devices(ListDevicesRequest.newBuilder()).getDevicesCount());
        assertEquals(FaultCode.NONEXIST, refusedToAdd("/new", 1, -1));
        assertEquals(FaultCode.INVAL, refusedToAdd("/new", 0, 0));
        assertEquals(FaultCode.NONEXIST, refusedToAdd("/new", 0, 2));
        assertEquals(FaultCode.ALREADY, refusedToAdd("/new", 0, 1));
    }

    private ListDevicesReply add(String address, int engine, int tier) throws Exception {
        return ListDevicesReply.parseFrom(call(
                RpcMethod.STORAGE_ADD_DEVICE,
                AddDeviceRequest.newBuilder()
                        .setAddress(address)
                        .setEngineIndex(engine)
                        .setTierIndex(tier)
                        .build()));
    }

    private FaultCode refusedToAdd(String address, int engine, int tier) {
        return assertThrows(FaultException.class, () -> add(address, engine, tier))
                .code();
    }

    @Test
    void shouldRefuseTheStorageOfARankInService() throws Exception {
        engines.add(new RankIdentity(0, 5, DEVICE, "127.0.0.1:10001", "/node1", 2, 1));
        maps = Optional.of(new FakeMaps(MemberState.STOPPED));

        FormatResultMessage result = StorageFormatReply.parseFrom(format(true)).getResults(0);

        assertEquals(-FaultCode.BUSY.number(), result.getStatus());
    }

    @Test
    void shouldShowStatusScanDevicesAndDrivers() throws Exception {
        NodeStatusReply status = NodeStatusReply.parseFrom(call(RpcMethod.NODE_STATUS, Empty.getDefaultInstance()));
        StorageScanReply scan =
                StorageScanReply.parseFrom(call(RpcMethod.STORAGE_SCAN, StorageScanRequest.getDefaultInstance()));
        DriversReply drivers = DriversReply.parseFrom(call(RpcMethod.STORAGE_DRIVERS, Empty.getDefaultInstance()));

        assertEquals("AWAIT_FORMAT", status.getEngines(0).getStorageState());
        assertEquals(-1, status.getEngines(0).getRank());
        assertTrue(status.getMsReplica());
        assertEquals(1_900_000_000L, status.getCertificateExpiresS());
        assertEquals(1, scan.getNvmeCount());
        assertEquals(-1, scan.getNvme(0).getRank());
        assertEquals(1, drivers.getDriversCount());
    }

    @Test
    void shouldNotTellClientsOfTheProcess() throws Exception {
        Empty request = Empty.getDefaultInstance();

        NodeStatusReply seen = NodeStatusReply.parseFrom(call(Role.AGENT, RpcMethod.NODE_STATUS, request));
        NodeStatusReply all = NodeStatusReply.parseFrom(call(Role.ADMIN, RpcMethod.NODE_STATUS, request));

        assertEquals(0, seen.getPid());
        assertEquals(0, seen.getTelemetryPort());
        assertEquals("daos_server", seen.getSystem());
        assertEquals(9191, all.getTelemetryPort());
        assertTrue(all.getPid() > 0);
    }

    @Test
    void shouldFilterDevicesByRankAndUuid() throws Exception {
        storage.rank = Optional.of(3);

        assertEquals(1, devices(ListDevicesRequest.newBuilder().addRanks(3)).getDevicesCount());
        assertEquals(0, devices(ListDevicesRequest.newBuilder().addRanks(4)).getDevicesCount());
        assertEquals(
                1,
                devices(ListDevicesRequest.newBuilder().setUuid(DEVICE.toString()))
                        .getDevicesCount());
        assertThrows(
                FaultException.class,
                () -> devices(ListDevicesRequest.newBuilder().setUuid("7")));
    }

    @Test
    void shouldLetALightBlinkAndSetADeviceFaulty() throws Exception {
        LedRequest identify =
                LedRequest.newBuilder().setAction(1).addIds("/ssd").build();

        ListDevicesReply lit = ListDevicesReply.parseFrom(call(RpcMethod.STORAGE_LED, identify));
        ListDevicesReply faulty = ListDevicesReply.parseFrom(call(
                RpcMethod.STORAGE_SET_FAULTY,
                SetFaultyRequest.newBuilder().setUuid(DEVICE.toString()).build()));

        assertEquals("QUICK_BLINK", lit.getDevices(0).getLed());
        assertEquals("FAULTY", faulty.getDevices(0).getState());
        FaultException e = assertThrows(
                FaultException.class,
                () -> call(
                        RpcMethod.STORAGE_SET_FAULTY,
                        SetFaultyRequest.newBuilder()
                                .setUuid(new UUID(1, 1).toString())
                                .build()));
        assertEquals(FaultCode.NONEXIST, e.code());
    }

    @Test
    void shouldRefuseToRebindWhatNoPciDriverHas() {
        assertEquals(FaultCode.NOTSUPPORTED, rebind("/ssd"));
        assertEquals(FaultCode.INVAL, rebind("61:00.0"));
        assertEquals(FaultCode.NONEXIST, rebind("ffff:ff:1f.7"));
    }

    private FaultCode rebind(String address) {
        RebindRequest request = RebindRequest.newBuilder().setAddress(address).build();
        return assertThrows(FaultException.class, () -> call(RpcMethod.STORAGE_REBIND, request))
                .code();
    }

    private ListDevicesReply replace(String old, String next) throws Exception {
        return ListDevicesReply.parseFrom(call(
                RpcMethod.STORAGE_REPLACE,
                ReplaceDeviceRequest.newBuilder()
                        .setOldUuid(old)
                        .setNewUuid(next)
                        .build()));
    }

    @Test
    void shouldReplaceADevice() throws Exception {
        String device = DEVICE.toString();

        assertEquals("NORMAL", replace(device, device).getDevices(0).getState());

        FaultException unknown = assertThrows(FaultException.class, () -> replace(device, new UUID(1, 1).toString()));
        assertEquals(FaultCode.NONEXIST, unknown.code());
        FaultException wrong = assertThrows(FaultException.class, () -> replace("", device));
        assertEquals(FaultCode.INVAL, wrong.code());
    }

    private ByteBuffer format(boolean force) {
        return call(
                RpcMethod.STORAGE_FORMAT,
                StorageFormatRequest.newBuilder().setForce(force).build());
    }

    private ListDevicesReply devices(ListDevicesRequest.Builder request) throws Exception {
        return ListDevicesReply.parseFrom(call(RpcMethod.STORAGE_LIST_DEVICES, request.build()));
    }

    private ByteBuffer call(RpcMethod method, MessageLite request) {
        return call(Role.ADMIN, method, request);
    }

    private ByteBuffer call(Role role, RpcMethod method, MessageLite request) {
        RpcCall.Peer peer = new RpcCall.Peer(role, -1, 0, "", "0.1.0");
        ByteBuffer body = ByteBuffer.wrap(request.toByteArray());
        RpcMessage reply = handlers.get(method)
                .handle(new RpcCall(method, peer, -1, 0, body, RpcMessage.NO_DATA))
                .block(Duration.ofSeconds(15));
        return ByteBuffer.wrap(reply.body().toByteArray());
    }

    private final class FakeServer implements RpcServer {
        @Override
        public Registration register(int rank, RpcMethod method, Handler handler) {
            handlers.put(method, handler);
            return () -> handlers.remove(method);
        }

        @Override
        public Registration registerStream(int rank, RpcMethod method, StreamHandler handler) {
            return () -> {};
        }

        @Override
        public String address() {
            return CONFIG.address();
        }
    }

    private record FakeMaps(MemberState state) implements Maps {
        @Override
        public GroupMap groupMap() {
            return new GroupMap(
                    "daos_server", 1, List.of(new Member(0, DEVICE, "127.0.0.1:10002", "/n", state, 1, 2, 0, "", 0)));
        }

        @Override
        public boolean isMember(String address) {
            return groupMap().members().stream().anyMatch(m -> m.address().equals(address));
        }

        @Override
        public Optional<PoolMap> poolMap(UUID pool) {
            return Optional.empty();
        }

        @Override
        public List<UUID> pools() {
            return List.of();
        }

        @Override
        public Mono<PoolMap> poolMap(UUID pool, int minVersion) {
            return newestPoolMap(pool);
        }

        @Override
        public Mono<PoolMap> newestPoolMap(UUID pool) {
            return Mono.error(Fault.of(FaultCode.NONEXIST).asException());
        }

        @Override
        public AutoCloseable listen(Listener listener) {
            return () -> {};
        }
    }
}
