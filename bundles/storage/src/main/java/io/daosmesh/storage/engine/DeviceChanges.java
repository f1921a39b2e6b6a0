package io.daosmesh.storage.engine;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.wire.DeviceInfoMessage;
import io.daosmesh.spi.BlockDevice;
import io.daosmesh.spi.BlockDriver;
import io.daosmesh.spi.DeviceResult;
import io.daosmesh.spi.DeviceSpec;
import io.daosmesh.storage.DeviceState;
import io.daosmesh.storage.slot.DeviceSlot;
import io.daosmesh.storage.slot.HeaderIo;
import io.daosmesh.storage.smd.DeviceHeader;
import io.daosmesh.storage.smd.Smd;
import io.daosmesh.storage.smd.Superblock;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What an administrator changes about the devices of an engine. Owner: the engine's owner loop. */
final class DeviceChanges {
    private static final Logger log = LoggerFactory.getLogger(DeviceChanges.class);
    private static final String WIPE =
            "if nobody needs what it holds, overwrite its first MiB with zeros: a blank device is taken in";

    private static final String NOT_TAKEN = "device {} is not taken in: {}; {}";

    private final DeviceViews views;
    private final Drivers drivers;
    private final DeviceEvents events;
    /** Places of devices that were not taken in, which was said. */
    private final Set<String> refused = new HashSet<>();

    DeviceChanges(DeviceViews views, Drivers drivers, DeviceEvents events) {
        this.views = views;
        this.drivers = drivers;
        this.events = events;
    }

    DeviceInfoMessage led(EngineStore open, UUID device, String led) {
        DeviceSlot slot = open.slots().known(device);
        if (!led.isBlank()) views.setLedOrThrow(slot.spec().address(), led);
        if (led.equals("OFF")) views.rest(open, device);
        return find(open, device);
    }

    private DeviceInfoMessage find(EngineStore open, UUID device) {
        return views.devices(open, false).stream()
                .filter(d -> d.getUuid().equals(Ids.bytes(device)))
                .findFirst()
                .orElseThrow();
    }

    void setFaulty(EngineStore open, UUID device) {
        DeviceSlot slot = open.slots().known(device);
        DeviceState now = slot.life().state();
        if (now == DeviceState.UNPLUGGED)
            throw Fault.of(FaultCode.NONEXIST, "device %s is unplugged", device).asException();
        if (now == DeviceState.NORMAL || now == DeviceState.NEW)
            slot.life().transition(DeviceState.FAULTY, "set by the administrator");
    }

    void replace(EngineStore open, UUID old, UUID next) {
        try {
            open.replace(old, next);
        } catch (FaultException e) {
            events.onReplaced(old, next, e.fault());
            throw e;
        }
        views.setLed(open.slots().known(old).spec().address(), "OFF");
        events.onReplaced(old, next, null);
    }

    /** One that is plugged in and of no engine gets an identity and is NEW; see {@code StorageAdmin.addDevice}. */
    DeviceInfoMessage add(EngineStore open, String address) {
        if (open.slots().isTaken(address))
            throw Fault.of(FaultCode.ALREADY, "engine %d has device %s already", open.engineIndex(), address)
                    .remedy("see dmg storage query list-devices")
                    .asException();
        boolean isPlace =
                open.slots().all().stream().anyMatch(s -> s.spec().address().equals(address));
        if (!isPlace && !views.isFree(open, address))
            throw Fault.of(FaultCode.NONEXIST, "no device %s is plugged in that no engine has", address)
                    .remedy("dmg storage scan --verbose shows the devices of the host")
                    .asException();
        return find(open, takeIn(open, views.spec(address, 0), true));
    }

    /** Devices that the configuration has named since the engine was formatted. One that is not blank is left alone. */
    void addConfigured(EngineStore open) {
        for (DeviceSpec spec : views.unused(open)) {
            try {
                takeIn(open, spec, false);
            } catch (FaultException e) {
                log.warn(NOT_TAKEN, spec.address(), e.getMessage(), e.fault().remedy());
            }
        }
    }

    /** A blank device in the place of one that was pulled out or is unusable becomes NEW beside it, as in DAOS. */
    void addInPlace(EngineStore open) {
        Set<String> found = open.slots().strangers();
        refused.retainAll(found);
        for (String address : found) {
            if (!refused.add(address)) continue;
            try {
                takeIn(open, views.spec(address, 0), true);
            } catch (FaultException e) {
                log.warn(NOT_TAKEN, address, e.getMessage(), e.fault().remedy());
            }
        }
    }

    private UUID takeIn(EngineStore open, DeviceSpec spec, boolean isAdded) {
        BlockDriver driver = drivers.block()
                .best(d -> d.deviceClasses().contains(spec.deviceClass()))
                .orElseThrow(() -> Fault.of(FaultCode.NOSYS, "no driver serves class %s", spec.deviceClass())
                        .remedy("install the driver bundle of this class")
                        .asException());
        DeviceResult<BlockDevice> opened = driver.open(spec, !isAdded);
        if (!opened.isOk())
            throw DeviceSlot.openFault(opened.status(), opened.detail()).asException();
        Smd.Device taken;
        try (BlockDevice device = opened.get()) {
            UUID uuid = identity(open, device);
            taken = new Smd.Device(uuid, spec.address(), device.sizeBytes(), false, isAdded, List.of());
        }
        open.add(taken);
        log.info("engine {} has one more device, {} ({})", open.engineIndex(), taken.uuid(), taken.address());
        events.onAdded(taken);
        return taken.uuid();
    }

    /** The header comes first: when the tables could not be written the device keeps the identity that it has by then. */
    private static UUID identity(EngineStore open, BlockDevice device) {
        String address = device.info().address();
        if (device.sizeBytes() <= DeviceHeader.RESERVED_BYTES)
            throw Fault.of(FaultCode.INVAL, "device %s has %d bytes: too small", address, device.sizeBytes())
                    .asException();
        Superblock engine = open.superblock();
        Optional<DeviceHeader> found = header(device);
        if (found.isPresent()) {
            DeviceHeader header = found.get();
            boolean isOurs = header.engine().equals(engine.engine())
                    && open.smd().device(header.device()).isEmpty();
            if (isOurs) return header.device();
            throw Fault.of(
                            FaultCode.EXIST,
                            "device %s is device %s of engine %s of system %s",
                            address,
                            header.device(),
                            header.engine(),
                            header.system())
                    .remedy(WIPE)
                    .asException();
        }
        UUID uuid = UUID.randomUUID();
        HeaderIo.write(device, new DeviceHeader(uuid, engine.engine(), engine.system(), device.sizeBytes()));
        return uuid;
    }

    private static Optional<DeviceHeader> header(BlockDevice device) {
        try {
            return HeaderIo.find(device);
        } catch (FaultException e) {
            if (e.code() != FaultCode.DF_INVAL) throw e;
            throw Fault.of(
                            FaultCode.INVAL,
                            "device %s is not blank",
                            device.info().address())
                    .remedy(WIPE)
                    .asException();
        }
    }
}
