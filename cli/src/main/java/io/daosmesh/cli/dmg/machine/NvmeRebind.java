package io.daosmesh.cli.dmg.machine;

import io.daosmesh.admin.HostReplies;
import io.daosmesh.admin.view.HostBlocks;
import io.daosmesh.cli.dmg.screen.Screen;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.wire.Empty;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code dmg storage nvme-rebind}. Owner: the main thread. */
@Command(name = "nvme-rebind", description = "Give an NVMe controller that was plugged in to a driver for user space")
public final class NvmeRebind implements Callable<Integer> {
    @Spec
    @Nullable
    CommandSpec spec;

    @Option(
            names = {"-a", "--pci-address"},
            required = true,
            paramLabel = "ADDRESS",
            description = "of the controller, as 0000:81:00.0")
    String address = "";

    @Override
    public Integer call() {
        Screen root = Screen.of(Objects.requireNonNull(spec));
        List<String> hosts = root.hosts();
        if (hosts.size() != 1) {
            throw Fault.of(FaultCode.INVAL, "%d hosts are named: exactly one has the controller", hosts.size())
                    .remedy("name it with -l")
                    .asException();
        }
        HostReplies<Empty> replies = root.calls().rebind(hosts, address);
        return root.show(
                replies,
                () -> replies.replies().isEmpty() ? "" : "Command completed successfully\n",
                () -> HostBlocks.json(replies, r -> Map.of()));
    }
}
