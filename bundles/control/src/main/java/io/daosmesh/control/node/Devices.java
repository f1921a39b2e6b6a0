package io.daosmesh.control.node;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.port.StorageAdmin;
import io.daosmesh.model.wire.AddDeviceRequest;
import io.daosmesh.model.wire.DeviceInfoMessage;
import io.daosmesh.model.wire.DriverMessage;
import io.daosmesh.model.wire.ListDevicesRequest;
import io.daosmesh.model.wire.ScmInfoMessage;
import io.daosmesh.model.wire.SmdPoolMessage;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** What the storage of all engines of this node knows, in one list. Any thread. */
final class Devices {
    private static final int UUID_BYTES = 16;
    /** The first tier of devices, whatever its number. */
    private static final int FIRST_TIER = -1;

    private final Engines engines;
    private final Bundles bundles;

    Devices(Engines engines, Bundles bundles) {
        this.engines = engines;
        this.bundles = bundles;
    }

    /** What the container says about a driver's bundle: storage knows only its name. */
    interface Bundles {
        DriverMessage complete(DriverMessage driver);
    }

    /** Devices of the engines. */
    Mono<List<DeviceInfoMessage>> all(boolean health) {
        return withUnlisted(health)
                .map(list -> list.stream().filter(d -> !d.getUnlisted()).toList());
    }

    /** And those that are plugged in and of no engine, each once. */
    Mono<List<DeviceInfoMessage>> withUnlisted(boolean health) {
        return listed(health).map(list -> {
            Set<String> seen = new HashSet<>();
            return list.stream()
                    .filter(d -> !d.getUnlisted() || seen.add(d.getAddress()))
                    .toList();
        });
    }

    private Mono<List<DeviceInfoMessage>> listed(boolean health) {
        return Flux.fromIterable(engines.storages())
                .flatMapSequential(s -> s.devices(health).map(list -> owned(s, list)))
                .collectList()
                .map(lists -> lists.stream().flatMap(List::stream).toList());
    }

    Mono<List<DeviceInfoMessage>> find(ListDevicesRequest wanted) {
        if (!wanted.getUuid().isEmpty()) uuid(wanted.getUuid());
        return all(wanted.getHealth())
                .map(list -> list.stream()
                        .filter(d -> wanted.getRanksCount() == 0
                                || wanted.getRanksList().contains(d.getRank()))
                        .filter(d -> wanted.getUuid().isEmpty() || isCalled(d, wanted.getUuid()))
                        .toList());
    }

    Mono<List<ScmInfoMessage>> scm() {
        return Flux.fromIterable(engines.storages())
                .flatMapSequential(s -> s.scm()
                        .map(info -> info.toBuilder()
                                .setEngineIndex(s.engineIndex())
                                .setRank(s.rank().orElse(-1))
                                .setState(info.getState().isEmpty() ? s.state().name() : info.getState())
                                .build()))
                .collectList();
    }

    List<SmdPoolMessage> pools() {
        return engines.storages().stream().flatMap(s -> s.pools().stream()).toList();
    }

    /** One row a driver bundle: engines that share it are added up. */
    List<DriverMessage> drivers() {
        Map<String, DriverMessage> rows = new LinkedHashMap<>();
        for (StorageAdmin storage : engines.storages()) {
            for (DriverMessage driver : storage.drivers()) {
                rows.merge(
                        driver.getKind() + "/" + driver.getBundle() + "/" + driver.getVersion(), driver, Devices::add);
            }
        }
        return rows.values().stream().map(bundles::complete).toList();
    }

    /** NONEXIST for an engine or a tier that is not there, INVAL for a tier that takes no such device. */
    Mono<DeviceInfoMessage> add(AddDeviceRequest r) {
        int index = r.getEngineIndex();
        StorageAdmin storage = engines.storages().stream()
                .filter(s -> s.engineIndex() == index)
                .findFirst()
                .orElseThrow(() -> Fault.of(
                                FaultCode.NONEXIST, "this node has no engine %s", Integer.toUnsignedString(index))
                        .remedy("engines are counted from 0, see dmg system query -v")
                        .asException());
        int tier = r.getTierIndex();
        if (tier == 0)
            throw Fault.of(FaultCode.INVAL, "tier 0 is the SCM, which takes no NVMe device")
                    .remedy("leave the tier away, or give 1")
                    .asException();
        if (tier != FIRST_TIER && tier != 1)
            throw Fault.of(FaultCode.NONEXIST, "engine %d has no tier %d", index, tier)
                    .remedy("leave the tier away, or give 1")
                    .asException();
        return storage.addDevice(r.getAddress())
                .map(d -> owned(storage, List.of(d)).get(0));
    }

    /** The engine that owns a device and the device itself; DER_NONEXIST. */
    record Owned(StorageAdmin storage, DeviceInfoMessage device) {
        UUID uuid() {
            return Ids.uuid(device.getUuid());
        }
    }

    /** @param id UUID or transport address */
    Mono<Owned> owner(String id) {
        return Flux.fromIterable(engines.storages())
                .concatMap(s -> s.devices(false)
                        .flatMapIterable(list -> owned(s, list))
                        .filter(d -> d.getUuid().size() == UUID_BYTES)
                        .filter(d -> isCalled(d, id) || d.getAddress().equals(id))
                        .map(d -> new Owned(s, d)))
                .next()
                .switchIfEmpty(Mono.error(() -> unknown(id)));
    }

    /** The first one; DER_INVAL when the other one belongs to another engine, whose targets it cannot take. */
    static Mono<Owned> ofOneEngine(Owned one, Owned other) {
        int index = one.storage.engineIndex();
        if (index == other.storage.engineIndex()) return Mono.just(one);
        return Mono.error(Fault.of(
                        FaultCode.INVAL,
                        "device %s is of engine %d, device %s of engine %d",
                        one.uuid(),
                        index,
                        other.uuid(),
                        other.storage.engineIndex())
                .remedy("give a NEW device of the same engine")
                .asException());
    }

    static FaultException unknown(String id) {
        return Fault.of(FaultCode.NONEXIST, "this node has no device %s", id)
                .remedy("see dmg storage query list-devices")
                .asException();
    }

    /** DER_INVAL for what is no UUID. */
    static UUID uuid(String text) {
        try {
            if (text.length() == 36) return UUID.fromString(text);
        } catch (IllegalArgumentException e) {
            // said below
        }
        throw Fault.of(FaultCode.INVAL, "'%s' is not a UUID", text).asException();
    }

    private static boolean isCalled(DeviceInfoMessage device, String id) {
        return device.getUuid().size() == UUID_BYTES
                && Ids.uuid(device.getUuid()).toString().equalsIgnoreCase(id);
    }

    private static List<DeviceInfoMessage> owned(StorageAdmin storage, List<DeviceInfoMessage> list) {
        return list.stream()
                .map(d -> d.toBuilder()
                        .setEngineIndex(storage.engineIndex())
                        .setRank(d.getUnlisted() ? -1 : storage.rank().orElse(-1))
                        .build())
                .toList();
    }

    private static DriverMessage add(DriverMessage a, DriverMessage b) {
        TreeSet<String> devices = new TreeSet<>(a.getDevicesList());
        devices.addAll(b.getDevicesList());
        return a.toBuilder()
                .clearDevices()
                .addAllDevices(devices)
                .setSwaps(Math.max(a.getSwaps(), b.getSwaps()))
                .setLastPauseUs(Math.max(a.getLastPauseUs(), b.getLastPauseUs()))
                .build();
    }
}
