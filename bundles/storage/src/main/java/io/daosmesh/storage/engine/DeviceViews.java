package io.daosmesh.storage.engine;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.wire.DeviceHealthMessage;
import io.daosmesh.model.wire.DeviceInfoMessage;
import io.daosmesh.model.wire.DriverMessage;
import io.daosmesh.model.wire.ScmInfoMessage;
import io.daosmesh.model.wire.SmdPoolMessage;
import io.daosmesh.spi.BlockDriver;
import io.daosmesh.spi.DeviceHealth;
import io.daosmesh.spi.DeviceInfo;
import io.daosmesh.spi.DeviceResult;
import io.daosmesh.spi.DeviceSpec;
import io.daosmesh.spi.LedDriver;
import io.daosmesh.spi.LedDriver.LedState;
import io.daosmesh.spi.ScmDriver;
import io.daosmesh.storage.DeviceState;
import io.daosmesh.storage.health.DeviceLife;
import io.daosmesh.storage.log.LogLimits;
import io.daosmesh.storage.room.RoomMarks;
import io.daosmesh.storage.scm.ScmFolder;
import io.daosmesh.storage.slot.DeviceSlot;
import io.daosmesh.storage.slot.Lease;
import io.daosmesh.storage.smd.Smd;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What the control plane is told about an engine's devices and drivers. Owner loop, except {@link #drivers}. */
public final class DeviceViews {
    private final NodeConfig.Engine config;
    private final Drivers drivers;

    private final long reserveBytes;
    private final Supplier<Set<String>> taken;

    /** @param taken addresses of devices that other engines of the node have */
    DeviceViews(NodeConfig.Engine config, Drivers drivers, long reserveBytes, Supplier<Set<String>> taken) {
        this.config = config;
        this.drivers = drivers;
        this.reserveBytes = reserveBytes;
        this.taken = taken;
    }

    RoomMarks marks(ScmFolder folder) {
        return RoomMarks.of(folder.totalBytes(), reserveBytes, config.targetCount());
    }

    DeviceSpec scmSpec() {
        return new DeviceSpec(config.scmClass(), config.scmMount().toString(), config.scmBytes(), Map.of());
    }

    List<DeviceSpec> deviceSpecs() {
        return config.bdevs().stream().map(a -> spec(a, config.bdevBytes())).toList();
    }

    DeviceSpec spec(String address, long sizeBytes) {
        return new DeviceSpec(config.bdevClass(), address, sizeBytes, Map.of());
    }

    /**
     * Where a device in use is now: the configured address of the same name, else of the same place in the list, for a mesh
     * whose folder was moved; one that was added later is where it was added. Its header has the last word.
     */
    DeviceSpec spec(Smd smd, Smd.Device device) {
        boolean isThere = device.isAdded() || config.bdevs().contains(device.address());
        if (isThere) return spec(device.address(), device.sizeBytes());
        int place = smd.devices().stream().filter(d -> !d.isAdded()).toList().indexOf(device);
        if (place >= config.bdevs().size())
            throw Fault.of(FaultCode.INVAL, "device %s is in use but not in bdev_list", device.address())
                    .remedy("put it back into the configuration")
                    .asException();
        return spec(config.bdevs().get(place), device.sizeBytes());
    }

    ScmInfoMessage scm(@Nullable ScmFolder folder, @Nullable EngineStore open, String state) {
        ScmInfoMessage.Builder b = ScmInfoMessage.newBuilder()
                .setScmClass(config.scmClass())
                .setMount(config.scmMount().toString())
                .setEngineIndex(config.index())
                .setRank(open == null ? -1 : open.superblock().knownRank())
                .setState(state);
        if (open != null)
            b.setTotalBytes(open.usage().scmTotalBytes())
                    .setFreeBytes(open.usage().scmFreeBytes());
        else if (folder != null)
            b.setTotalBytes(folder.totalBytes()).setFreeBytes(folder.poolBytes(LogLimits.usual(), marks(folder)));
        else scanScm().ifPresent(i -> b.setTotalBytes(i.sizeBytes()).setFreeBytes(i.sizeBytes()));
        return b.build();
    }

    private Optional<DeviceInfo> scanScm() {
        return drivers.scm()
                .best(d -> d.scmClasses().contains(config.scmClass()))
                .flatMap(d -> d.scan(List.of(scmSpec())).stream().findFirst());
    }

    List<DeviceInfoMessage> devices(@Nullable EngineStore open, boolean health) {
        List<DeviceInfoMessage> all = new ArrayList<>();
        if (open != null)
            for (Smd.Device device : open.smd().devices())
                all.add(inUse(open, device, open.slots().known(device.uuid()), health));
        all.addAll(unused(unused(open)));
        for (DeviceInfo info : free(open))
            all.add(base(info)
                    .setState(DeviceState.NEW.shown())
                    .setRank(-1)
                    .setUnlisted(true)
                    .build());
        return all;
    }

    /** Addresses that this engine has or would have. Any thread. */
    Set<String> addresses(@Nullable EngineStore open) {
        Set<String> all = new HashSet<>(config.bdevs());
        if (open != null)
            for (DeviceSlot slot : open.slots().all()) all.add(slot.spec().address());
        return all;
    }

    /** In use, though the configuration does not name them. */
    List<DeviceSpec> added(@Nullable EngineStore open) {
        if (open == null) return List.of();
        return open.smd().devices().stream()
                .filter(d -> d.isAdded() && !config.bdevs().contains(d.address()))
                .map(d -> spec(d.address(), d.sizeBytes()))
                .toList();
    }

    /** Configured and not in use. */
    List<DeviceSpec> unused(@Nullable EngineStore open) {
        if (open == null) return deviceSpecs();
        Set<String> inUse =
                open.slots().all().stream().map(s -> s.spec().address()).collect(Collectors.toSet());
        return deviceSpecs().stream().filter(s -> !inUse.contains(s.address())).toList();
    }

    /** Plugged in beside those of this engine, and of no engine. */
    private List<DeviceInfo> free(@Nullable EngineStore open) {
        Optional<BlockDriver> driver =
                drivers.block().best(d -> d.deviceClasses().contains(config.bdevClass()));
        if (driver.isEmpty()) return List.of();
        List<DeviceSpec> known = addresses(open).stream().map(a -> spec(a, 0)).toList();
        Set<String> others = taken.get();
        return driver.get().discover(known).stream()
                .filter(i -> !others.contains(i.address()))
                .toList();
    }

    boolean isFree(EngineStore open, String address) {
        return free(open).stream().anyMatch(i -> i.address().equals(address));
    }

    /** Configured devices that hold nothing of ours; an emulated one that is not made yet is as good as there. */
    private List<DeviceInfoMessage> unused(List<DeviceSpec> specs) {
        List<DeviceInfoMessage> all = new ArrayList<>();
        Optional<BlockDriver> driver =
                drivers.block().best(d -> d.deviceClasses().contains(config.bdevClass()));
        if (driver.isEmpty()) return all;
        for (DeviceSpec spec : specs) {
            DeviceInfo info = driver.get().scan(List.of(spec)).stream()
                    .findFirst()
                    .orElseGet(() -> new DeviceInfo(
                            spec.deviceClass(), spec.address(), "emulated", "", "", spec.sizeBytes(), 4096, -1));
            all.add(base(info)
                    .setState(DeviceState.NEW.shown())
                    .setRank(-1)
                    .setDriver(driver.get().name())
                    .setDriverVersion(driver.get().version())
                    .setFreeBytes(info.sizeBytes())
                    .build());
        }
        return all;
    }

    private DeviceInfoMessage.Builder base(DeviceInfo info) {
        return DeviceInfoMessage.newBuilder()
                .setDeviceClass(info.deviceClass())
                .setAddress(info.address())
                .setModel(info.model())
                .setSerial(info.serial())
                .setFirmware(info.firmware())
                .setSizeBytes(info.sizeBytes())
                .setNumaNode(info.numaNode())
                .setEngineIndex(config.index())
                .setLed(led(info));
    }

    private DeviceInfoMessage inUse(EngineStore open, Smd.Device device, DeviceSlot slot, boolean health) {
        Lease lease = slot.current();
        DeviceInfo info = lease == null ? absent(slot.spec()) : lease.device.info();
        DeviceInfoMessage.Builder b = base(info)
                .setUuid(Ids.bytes(device.uuid()))
                .setState(slot.life().state().shown())
                .addAllTargets(device.targets())
                .setRank(open.superblock().knownRank());
        // as in DAOS: of others nothing goes to a pool
        if (slot.life().state() == DeviceState.NORMAL) b.setFreeBytes(open.smd().freeBytes(device.uuid()));
        if (lease != null) b.setDriver(lease.driver.name()).setDriverVersion(lease.driver.version());
        if (health && lease != null)
            b.setHealth(health(lease.device.health(), slot.life().errors()));
        return b.build();
    }

    private static DeviceInfo absent(DeviceSpec spec) {
        return new DeviceInfo(spec.deviceClass(), spec.address(), "", "", "", spec.sizeBytes(), 4096, -1);
    }

    private static DeviceHealthMessage health(DeviceHealth h, DeviceLife.Errors errors) {
        return DeviceHealthMessage.newBuilder()
                .setTimestampMs(System.currentTimeMillis())
                .setTemperatureKelvin(h.temperatureKelvin())
                .setCriticalWarningBits(h.criticalWarningBits())
                .setControllerBusyMinutes(h.controllerBusyMinutes())
                .setPowerCycles(h.powerCycles())
                .setPowerOnHours(h.powerOnHours())
                .setUnsafeShutdowns(h.unsafeShutdowns())
                .setMediaErrors(h.mediaErrors())
                .setReadErrors(errors.reads())
                .setWriteErrors(errors.writes())
                .setUnmapErrors(errors.unmaps())
                .setChecksumErrors(errors.checksums())
                .setErrorLogEntries(h.errorLogEntries())
                .setDataUnitsRead(h.dataUnitsRead())
                .setDataUnitsWritten(h.dataUnitsWritten())
                .setHostReads(h.hostReadCommands())
                .setHostWrites(h.hostWriteCommands())
                .setSparePercent(h.availableSparePercent())
                .setSpareThresholdPercent(h.availableSpareThresholdPercent())
                .setPercentageUsed(h.percentageUsed())
                .setTempWarnMinutes(h.warningTemperatureMinutes())
                .setTempCritMinutes(h.criticalTemperatureMinutes())
                .build();
    }

    static List<SmdPoolMessage> pools(EngineStore open) {
        List<SmdPoolMessage> all = new ArrayList<>();
        int rank = Math.max(0, open.superblock().rank());
        for (Smd.Pool pool : open.smd().pools()) {
            SmdPoolMessage.Builder b =
                    SmdPoolMessage.newBuilder().setPool(Ids.bytes(pool.uuid())).setRank(rank);
            for (int t = 0; t < open.targetCount(); t++) b.addTargets(t);
            for (Smd.BlobSpace blob : pool.blobs()) b.addBlobs(blob.blobId());
            all.add(b.build());
        }
        return all;
    }

    private String led(DeviceInfo info) {
        Optional<LedDriver> driver = drivers.led().best(d -> d.covers(info));
        if (driver.isEmpty()) return "NA";
        DeviceResult<LedState> result = driver.get().led(info);
        return result.isOk() ? result.get().name() : "NA";
    }

    /** The light of an evicted device stays on until another one has its targets. */
    void rest(EngineStore open, UUID device) {
        DeviceSlot slot = open.slots().known(device);
        boolean hasTargets =
                open.smd().device(device).filter(d -> !d.targets().isEmpty()).isPresent();
        if (slot.life().state().isEvicted() && hasTargets) setLed(slot.spec().address(), "ON");
    }

    void rest(EngineStore open) {
        for (Smd.Device d : open.smd().devices()) rest(open, d.uuid());
    }

    /** Best effort: a slot without a light is none. */
    void setLed(String address, String state) {
        DeviceInfo info = absent(spec(address, 0));
        drivers.led().best(d -> d.covers(info)).ifPresent(d -> d.setLed(info, LedState.valueOf(state)));
    }

    void setLedOrThrow(String address, String state) {
        LedState wanted;
        try {
            wanted = LedState.valueOf(state);
        } catch (IllegalArgumentException e) {
            throw Fault.of(FaultCode.INVAL, "no LED state %s", state).asException();
        }
        DeviceInfo info = absent(spec(address, 0));
        Optional<LedDriver> driver = drivers.led().best(d -> d.covers(info));
        if (driver.isEmpty())
            throw Fault.of(FaultCode.NOSYS, "device %s has no VMD-managed light", address)
                    .asException();
        DeviceResult<LedState> result = driver.get().setLed(info, wanted);
        if (!result.isOk())
            throw Fault.of(FaultCode.NOSYS, "%s", result.detail()).asException();
    }

    /** Any thread. */
    List<DriverMessage> drivers(@Nullable EngineStore open) {
        List<DriverMessage> all = new ArrayList<>();
        for (BlockDriver d : drivers.block().all()) {
            DriverMessage.Builder b = driver(d.name(), d.version(), "block");
            if (open != null) {
                for (DeviceSlot slot : open.slots().all()) {
                    Lease lease = slot.current();
                    if (lease == null || lease.driver != d) continue;
                    b.addDevices(slot.spec().address());
                    b.setSwaps(b.getSwaps() + slot.swaps().count());
                    b.setLastPauseUs(Math.max(b.getLastPauseUs(), slot.swaps().lastPauseNs() / 1000));
                }
            }
            all.add(b.build());
        }
        for (ScmDriver d : drivers.scm().all()) {
            DriverMessage.Builder b = driver(d.name(), d.version(), "scm");
            if (d.scmClasses().contains(config.scmClass()))
                b.addDevices(config.scmMount().toString());
            all.add(b.build());
        }
        for (LedDriver d : drivers.led().all())
            all.add(driver(d.name(), d.version(), "led").build());
        return all;
    }

    private static DriverMessage.Builder driver(String name, String version, String kind) {
        return DriverMessage.newBuilder()
                .setBundle("io.daosmesh." + name)
                .setVersion(version)
                .setState("ACTIVE")
                .setKind(kind);
    }
}
