package io.daosmesh.cli.dmg.machine;

import io.daosmesh.admin.view.HostBlocks;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code dmg storage nvme-rebind}. Owner: the main thread. */
@Command(name = "nvme-rebind", description = "Give an NVMe controller that was plugged in to a driver for user space")
public final class NvmeRebind extends OnOneHost {
    @Option(
            names = {"-a", "--pci-address"},
            required = true,
            paramLabel = "ADDRESS",
            description = "of the controller, as 0000:81:00.0")
    String address = "";

    @Override
    public Integer call() {
        return run(
                "controller",
                hosts -> screen().calls().rebind(hosts, address),
                replies -> HostBlocks.json(replies, r -> Map.of()));
    }
}
