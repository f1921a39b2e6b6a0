package io.daosmesh.control.node;

import io.daosmesh.model.machine.Machine;
import io.daosmesh.model.machine.PciBinding;
import io.daosmesh.model.machine.Sysfs;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.port.StorageAdmin;
import io.daosmesh.model.rpc.OwnCertificate;
import io.daosmesh.model.rpc.Registrations;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.RpcCall;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.AddDeviceRequest;
import io.daosmesh.model.wire.DeviceInfoMessage;
import io.daosmesh.model.wire.DriversReply;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.EngineStatusMessage;
import io.daosmesh.model.wire.LedRequest;
import io.daosmesh.model.wire.ListDevicesReply;
import io.daosmesh.model.wire.ListDevicesRequest;
import io.daosmesh.model.wire.ListPoolsReply;
import io.daosmesh.model.wire.LogMasksRequest;
import io.daosmesh.model.wire.NodeStatusReply;
import io.daosmesh.model.wire.RebindRequest;
import io.daosmesh.model.wire.ReplaceDeviceRequest;
import io.daosmesh.model.wire.SetFaultyRequest;
import io.daosmesh.model.wire.StorageFormatRequest;
import io.daosmesh.model.wire.StorageScanReply;
import io.daosmesh.model.wire.StorageScanRequest;
import io.daosmesh.model.wire.StorageUsageReply;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;

/** Turns the node's admin RPCs into calls of its parts. Any thread; work runs on the control scheduler. */
final class NodeRpcs {
    /** What the handlers stand on. */
    record Parts(
            NodeConfig config,
            Engines engines,
            Devices devices,
            FormatHandler format,
            Lights lights,
            LogLevels levels,
            Members members,
            Supplier<Optional<OwnCertificate>> certificate,
            String release) {}

    /** The member a rank is to the system; absent while management is. */
    interface Members {
        Optional<Member> member(int rank);
    }

    private static final Logger LOG = LoggerFactory.getLogger(NodeRpcs.class);

    /** The word of DAOS for a device that has just been put out; in lists it is EVICTED. */
    private static final String SET_FAULTY = "FAULTY";

    private final Parts parts;
    private final Scheduler scheduler;

    NodeRpcs(Parts parts, Scheduler scheduler) {
        this.parts = parts;
        this.scheduler = scheduler;
    }

    void register(Registrations r) {
        r.onFrom(
                RpcMethod.NODE_STATUS,
                Empty.parser(),
                (q, peer) -> work(() -> Mono.fromCallable(() -> seenBy(peer, status()))));
        r.on(RpcMethod.STORAGE_SCAN, StorageScanRequest.parser(), q -> work(() -> scan(q)));
        r.on(
                RpcMethod.STORAGE_FORMAT,
                StorageFormatRequest.parser(),
                q -> work(() -> parts.format.format(q.getForce(), q.getReplace())));
        r.on(RpcMethod.STORAGE_USAGE, Empty.parser(), q -> work(() -> usage()));
        r.on(
                RpcMethod.STORAGE_LIST_DEVICES,
                ListDevicesRequest.parser(),
                q -> work(() -> parts.devices.find(q)).map(this::list));
        r.on(RpcMethod.STORAGE_LIST_POOLS, Empty.parser(), q -> work(() -> Mono.fromCallable(this::pools)));
        r.on(RpcMethod.STORAGE_DRIVERS, Empty.parser(), q -> work(() -> Mono.fromCallable(this::drivers)));
        r.on(
                RpcMethod.STORAGE_LED,
                LedRequest.parser(),
                q -> work(() -> parts.lights.handle(q)).map(this::list));
        r.on(RpcMethod.STORAGE_SET_FAULTY, SetFaultyRequest.parser(), q -> work(() -> setFaulty(q)));
        r.on(RpcMethod.STORAGE_REPLACE, ReplaceDeviceRequest.parser(), q -> work(() -> replace(q)));
        r.on(
                RpcMethod.STORAGE_ADD_DEVICE,
                AddDeviceRequest.parser(),
                q -> work(() -> parts.devices.add(q)).map(d -> list(List.of(d))));
        Rebinding rebinding = new Rebinding(parts.devices, new PciBinding(Sysfs.ofThisMachine(), PciBinding.FILES));
        r.on(RpcMethod.STORAGE_REBIND, RebindRequest.parser(), q -> work(() -> rebinding.handle(q)));
        r.on(
                RpcMethod.HARDWARE_SCAN,
                Empty.parser(),
                q -> work(() -> Mono.fromCallable(() -> Machine.scan(Sysfs.ofThisMachine(), parts.config.address()))));
        r.on(RpcMethod.LOG_MASKS, LogMasksRequest.parser(), q -> work(() -> Mono.fromCallable(() -> logMasks(q))));
    }

    private <T> Mono<T> work(Supplier<Mono<T>> answer) {
        return Mono.defer(answer).subscribeOn(scheduler);
    }

    /** Programs of users have no business with the process and its other ports. */
    private static NodeStatusReply seenBy(RpcCall.Peer peer, NodeStatusReply status) {
        return peer.role() == Role.AGENT
                ? status.toBuilder().clearPid().clearTelemetryPort().build()
                : status;
    }

    NodeStatusReply status() {
        NodeConfig config = parts.config;
        NodeStatusReply.Builder reply = NodeStatusReply.newBuilder()
                .setHost(config.address())
                .setRelease(parts.release)
                .setSystem(config.system())
                .setTelemetryPort(config.telemetryPort())
                .setPid(ProcessHandle.current().pid())
                .setMsReplica(config.isReplica());
        parts.certificate
                .get()
                .ifPresent(c -> reply.setCertificateExpiresS(c.expires().getEpochSecond()));
        for (NodeConfig.Engine engine : config.engines()) {
            EngineStatusMessage.Builder e =
                    EngineStatusMessage.newBuilder().setIndex(engine.index()).setRank(-1);
            parts.engines.storage(engine.index()).ifPresentOrElse(s -> fill(e, s), () -> e.setStorageState("ABSENT"));
            parts.engines
                    .running(engine.index())
                    .ifPresent(r -> e.setRank(r.rank()).setIncarnation(r.incarnation()));
            if (e.getRank() >= 0) {
                parts.members
                        .member(e.getRank())
                        .ifPresent(m -> e.setMemberState(m.state().label()));
            }
            reply.addEngines(e);
        }
        return reply.build();
    }

    private static void fill(EngineStatusMessage.Builder e, StorageAdmin storage) {
        e.setStorageState(storage.state().name()).setFault(storage.fault());
        storage.rank().ifPresent(e::setRank);
    }

    private Mono<StorageScanReply> scan(StorageScanRequest request) {
        return Mono.zip(parts.devices.scm(), parts.devices.withUnlisted(request.getNvmeHealth()))
                .map(both -> StorageScanReply.newBuilder()
                        .setHost(parts.config.address())
                        .addAllScm(both.getT1())
                        .addAllNvme(both.getT2())
                        .build());
    }

    private Mono<StorageUsageReply> usage() {
        return Mono.zip(parts.devices.scm(), parts.devices.all(false))
                .map(both -> StorageUsageReply.newBuilder()
                        .setHost(parts.config.address())
                        .addAllScm(both.getT1())
                        .addAllNvme(both.getT2())
                        .build());
    }

    private ListDevicesReply list(List<DeviceInfoMessage> devices) {
        return ListDevicesReply.newBuilder()
                .setHost(parts.config.address())
                .addAllDevices(devices)
                .build();
    }

    private ListPoolsReply pools() {
        return ListPoolsReply.newBuilder()
                .setHost(parts.config.address())
                .addAllPools(parts.devices.pools())
                .build();
    }

    private DriversReply drivers() {
        return DriversReply.newBuilder()
                .setHost(parts.config.address())
                .addAllDrivers(parts.devices.drivers())
                .build();
    }

    private Mono<ListDevicesReply> setFaulty(SetFaultyRequest request) {
        String uuid = Devices.uuid(request.getUuid()).toString();
        return parts.devices
                .owner(uuid)
                .flatMap(o -> o.storage().setFaulty(o.uuid()))
                .then(Mono.defer(() -> parts.devices.owner(uuid)))
                .map(o ->
                        list(List.of(o.device().toBuilder().setState(SET_FAULTY).build())));
    }

    private Mono<ListDevicesReply> replace(ReplaceDeviceRequest request) {
        String old = Devices.uuid(request.getOldUuid()).toString();
        String next = Devices.uuid(request.getNewUuid()).toString();
        return Mono.zip(parts.devices.owner(old), parts.devices.owner(next))
                .flatMap(both -> Devices.ofOneEngine(both.getT1(), both.getT2()))
                .flatMap(o -> o.storage().replace(o.uuid(), Devices.uuid(next)))
                .then(Mono.defer(() -> parts.devices.owner(next)))
                .map(o -> list(List.of(o.device())));
    }

    /** What is not given goes back to the configuration, as in DAOS. */
    private Empty logMasks(LogMasksRequest request) {
        String masks = request.getReset() || request.getMasks().isBlank()
                ? LogLevels.configured(parts.config)
                : LogLevels.configured(parts.config) + "," + request.getMasks();
        Map<String, String> levels = LogMasks.parse(masks, request.getStreams(), request.getSubsystems());
        parts.levels.set(levels);
        LOG.debug("log levels are {}", levels);
        return Empty.getDefaultInstance();
    }
}
