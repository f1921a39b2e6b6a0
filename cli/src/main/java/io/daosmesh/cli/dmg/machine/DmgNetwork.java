package io.daosmesh.cli.dmg.machine;

import io.daosmesh.admin.HostReplies;
import io.daosmesh.admin.machine.NetworkView;
import io.daosmesh.cli.dmg.screen.Screen;
import io.daosmesh.model.wire.HardwareScanReply;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code dmg network}. Owner: the main thread. */
@Command(name = "network", aliases = "net", description = "Network of the hosts")
public final class DmgNetwork {
    @ParentCommand
    @Nullable
    Screen parent;

    private Screen root() {
        return Objects.requireNonNull(parent);
    }

    @Command(name = "scan", description = "Interfaces of the hosts by NUMA node")
    int scan(
            @Option(
                            names = {"-p", "--provider"},
                            paramLabel = "PROVIDER",
                            description = "tcp, or all (the same: nodes have one transport)")
                    @Nullable
                    String provider) {
        if (provider != null) NetworkView.check(provider);
        HostReplies<HardwareScanReply> replies = root().calls().hardware(root().hosts());
        return root().show(replies, () -> NetworkView.text(replies), () -> NetworkView.json(replies));
    }
}
