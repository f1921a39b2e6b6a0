package io.daosmesh.cli.dmg.machine;

import io.daosmesh.admin.view.DeviceView;
import io.daosmesh.model.wire.AddDeviceRequest;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code dmg storage nvme-add-device}. Owner: the main thread. */
@Command(
        name = "nvme-add-device",
        description = "Take a device that was plugged in into an engine: it may replace another one then")
public final class NvmeAddDevice extends OnOneHost {
    @Option(
            names = {"-a", "--pci-address"},
            required = true,
            paramLabel = "ADDRESS",
            description = "of the device, as dmg storage scan --verbose shows it")
    String address = "";

    @Option(
            names = {"-e", "--engine-index"},
            required = true,
            paramLabel = "INDEX",
            description = "of the engine on its host, from 0")
    int engine;

    @Option(
            names = {"-t", "--tier-index"},
            paramLabel = "INDEX",
            defaultValue = "-1",
            description = "of the storage tier; -1 is the first one of devices")
    int tier = -1;

    @Override
    public Integer call() {
        AddDeviceRequest request = AddDeviceRequest.newBuilder()
                .setAddress(address)
                .setEngineIndex(engine)
                .setTierIndex(tier)
                .build();
        return run("device", hosts -> screen().calls().addDevice(hosts, request), DeviceView::listJson);
    }
}
