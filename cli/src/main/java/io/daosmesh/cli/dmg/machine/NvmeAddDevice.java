package io.daosmesh.cli.dmg.machine;

import io.daosmesh.admin.HostReplies;
import io.daosmesh.admin.view.DeviceView;
import io.daosmesh.cli.dmg.screen.Screen;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.wire.AddDeviceRequest;
import io.daosmesh.model.wire.ListDevicesReply;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code dmg storage nvme-add-device}. Owner: the main thread. */
@Command(
        name = "nvme-add-device",
        description = "Take a device that was plugged in into an engine: it may replace another one then")
public final class NvmeAddDevice implements Callable<Integer> {
    @Spec
    @Nullable
    CommandSpec spec;

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
        Screen root = Screen.of(Objects.requireNonNull(spec));
        List<String> hosts = root.hosts();
        if (hosts.size() != 1) {
            throw Fault.of(FaultCode.INVAL, "%d hosts are named: exactly one has the device", hosts.size())
                    .remedy("name it with -l")
                    .asException();
        }
        AddDeviceRequest request = AddDeviceRequest.newBuilder()
                .setAddress(address)
                .setEngineIndex(engine)
                .setTierIndex(tier)
                .build();
        HostReplies<ListDevicesReply> replies = root.calls().addDevice(hosts, request);
        return root.show(
                replies,
                () -> replies.replies().isEmpty() ? "" : "Command completed successfully\n",
                () -> DeviceView.listJson(replies));
    }
}
