package io.daosmesh.cli.server;

import io.daosmesh.admin.machine.NetworkView;
import io.daosmesh.model.machine.Machine;
import io.daosmesh.model.wire.HardwareScanReply;
import io.daosmesh.transport.credential.LocalUser;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code daos_server network}. Owner: the main thread. */
@Command(name = "network", aliases = "net", description = "Network of this machine")
final class NetworkCommands extends Sub {
    @Command(name = "scan", description = "Interfaces by NUMA node")
    int scan(
            @Option(
                            names = {"-p", "--provider"},
                            paramLabel = "PROVIDER",
                            description = "tcp, or all")
                    @Nullable
                    String provider) {
        if (provider != null) NetworkView.check(provider);
        HardwareScanReply machine = Machine.scan(root().sys(), LocalUser.machine());
        String host = machine.getHost();
        String line = "-".repeat(host.length());
        return root().show(
                        () -> line + "\n" + host + "\n" + line + "\n" + NetworkView.text(machine),
                        () -> NetworkView.json(machine));
    }
}
