package io.daosmesh.storage.engine;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.wire.FormatResultMessage;
import io.daosmesh.spi.BlockDevice;
import io.daosmesh.spi.BlockDriver;
import io.daosmesh.spi.DeviceResult;
import io.daosmesh.spi.DeviceSpec;
import io.daosmesh.storage.index.EngineIndexes;
import io.daosmesh.storage.log.LogLimits;
import io.daosmesh.storage.room.RoomMarks;
import io.daosmesh.storage.scm.ScmFolder;
import io.daosmesh.storage.slot.DriverSet;
import io.daosmesh.storage.slot.HeaderIo;
import io.daosmesh.storage.smd.DeviceHeader;
import io.daosmesh.storage.smd.Smd;
import io.daosmesh.storage.smd.Superblock;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes an engine's storage new. The superblock comes last: a crash before leaves it unformatted. Owner loop. */
public final class Formatter {
    private static final Logger log = LoggerFactory.getLogger(Formatter.class);

    private final ScmFolder scm;
    private final DriverSet<BlockDriver> drivers;
    private final Superblock superblock;
    private final RoomMarks marks;

    Formatter(ScmFolder scm, DriverSet<BlockDriver> drivers, Superblock superblock, RoomMarks marks) {
        this.scm = scm;
        this.drivers = drivers;
        this.superblock = superblock;
        this.marks = marks;
    }

    /** @param added devices that came in later; one that is not there any more is left out */
    List<FormatResultMessage> format(List<DeviceSpec> specs, List<DeviceSpec> added) {
        List<FormatResultMessage> results = new ArrayList<>();
        List<Smd.Device> devices = new ArrayList<>();
        scm.erase();
        for (DeviceSpec spec : specs) {
            try {
                devices.add(formatDevice(spec, false));
                results.add(result("nvme", spec.address(), null));
            } catch (FaultException e) {
                results.add(result("nvme", spec.address(), e.fault()));
            }
        }
        Fault fault = null;
        if (devices.size() < specs.size())
            fault = Fault.of(FaultCode.CANCELED, "not formatted because a device could not be");
        else {
            for (DeviceSpec spec : added) formatAdded(spec, devices, results);
            try {
                scm.write(Smd.first(devices, superblock.targetCount()));
                EngineIndexes.format(scm, superblock.engine(), superblock.targetCount(), LogLimits.usual());
                makeReserve();
                scm.write(superblock);
            } catch (FaultException e) {
                fault = e.fault();
            }
        }
        results.add(0, result("scm", scm.root().toString(), fault));
        return results;
    }

    private void formatAdded(DeviceSpec spec, List<Smd.Device> devices, List<FormatResultMessage> results) {
        try {
            devices.add(formatDevice(spec, true));
            results.add(result("nvme", spec.address(), null));
        } catch (FaultException e) {
            log.warn("device {} is left out: {}", spec.address(), e.getMessage());
        }
    }

    private void makeReserve() {
        if (!scm.reserve().make(marks.reserveBytes()))
            throw Fault.of(
                            FaultCode.NOSPACE,
                            "no room for a reserve of %d bytes in %s",
                            marks.reserveBytes(),
                            scm.root())
                    .remedy("free space in " + scm.root())
                    .asException();
    }

    private Smd.Device formatDevice(DeviceSpec spec, boolean isAdded) {
        BlockDriver driver = drivers.best(d -> d.deviceClasses().contains(spec.deviceClass()))
                .orElseThrow(() -> Fault.of(FaultCode.NOSYS, "no driver serves class %s", spec.deviceClass())
                        .remedy("install the driver bundle of this class")
                        .asException());
        DeviceResult<BlockDevice> opened = driver.open(spec, !isAdded);
        if (!opened.isOk())
            throw Fault.of(FaultCode.NVME_IO, "%s", opened.detail()).asException();
        try (BlockDevice device = opened.get()) {
            UUID uuid = UUID.randomUUID();
            long size = device.sizeBytes();
            HeaderIo.write(device, new DeviceHeader(uuid, superblock.engine(), superblock.system(), size));
            return new Smd.Device(uuid, spec.address(), size, false, isAdded, List.of());
        }
    }

    private FormatResultMessage result(String kind, String address, @org.jspecify.annotations.Nullable Fault fault) {
        FormatResultMessage.Builder b = FormatResultMessage.newBuilder()
                .setEngineIndex(superblock.engineIndex())
                .setKind(kind)
                .setAddress(address)
                .setOk(fault == null);
        if (fault != null) b.setMessage(fault.message()).setStatus(-fault.code().number());
        return b.build();
    }
}
