package io.daosmesh.control.node;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.machine.PciBinding;
import io.daosmesh.model.wire.DeviceInfoMessage;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.RebindRequest;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import reactor.core.publisher.Mono;

/** {@code dmg storage nvme-rebind}: a controller that was plugged in goes to a driver for user space. Any thread. */
final class Rebinding {
    private final Devices devices;
    private final PciBinding binding;

    Rebinding(Devices devices, PciBinding binding) {
        this.devices = devices;
        this.binding = binding;
    }

    Mono<Empty> handle(RebindRequest request) {
        String address = request.getAddress();
        return devices.all(false).map(all -> {
            all.stream().filter(d -> d.getAddress().equals(address)).forEach(Rebinding::refuse);
            rebind(address.toLowerCase(Locale.ROOT));
            return Empty.getDefaultInstance();
        });
    }

    private static void refuse(DeviceInfoMessage device) {
        boolean isPci = PciBinding.isAddress(device.getAddress());
        throw Fault.of(
                        isPci ? FaultCode.BUSY : FaultCode.NOTSUPPORTED,
                        isPci
                                ? "device %s is in use by engine %d"
                                : "device %s of engine %d is of class %s: no PCI driver has it",
                        device.getAddress(),
                        device.getEngineIndex(),
                        device.getDeviceClass())
                .remedy(isPci ? "it has its driver" : "nothing has to be bound for it")
                .asException();
    }

    private void rebind(String address) {
        if (!PciBinding.isAddress(address)) {
            throw Fault.of(FaultCode.INVAL, "'%s' is not a PCI address", address)
                    .remedy("write it like 0000:81:00.0")
                    .asException();
        }
        List<PciBinding.Result> results = binding.bind(Set.of(address), Set.of(), binding.driver(false));
        for (PciBinding.Result result : results) {
            if (result.error().isEmpty()) continue;
            throw Fault.of(
                            result.error().startsWith("in use") ? FaultCode.BUSY : FaultCode.NO_PERM,
                            "%s: %s",
                            address,
                            result.error())
                    .remedy("run daos_server nvme prepare " + address + " as root on that host")
                    .asException();
        }
    }
}
