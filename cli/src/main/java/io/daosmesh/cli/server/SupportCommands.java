package io.daosmesh.cli.server;

import io.daosmesh.cli.ToolVersion;
import io.daosmesh.cli.support.SupportFlags;
import io.daosmesh.cli.support.SupportStore;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.machine.Machine;
import io.daosmesh.model.support.SupportFiles;
import io.daosmesh.model.support.SupportItem;
import io.daosmesh.model.support.SupportReader;
import io.daosmesh.transport.credential.LocalUser;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code daos_server support}: for a node that does not run. Owner: the main thread. */
@Command(name = "support", aliases = "supp", description = "Help with problems")
final class SupportCommands extends Sub {
    @Command(
            name = "collect-log",
            description = "Put logs and configuration of this machine together; no keys and no passwords")
    int collect(
            @Mixin SupportFlags flags,
            @Option(
                            names = "--data",
                            paramLabel = "DIR",
                            description = "folder of the node (default: /var/lib/daos_server)")
                    @Nullable
                    Path data) {
        ServerFile file = root().file();
        String host = LocalUser.machine();
        List<SupportItem> items = new ArrayList<>();
        items.add(SupportItem.of("version.txt", () -> "daos_server " + ToolVersion.VERSION + "\n"));
        items.add(SupportItem.of(
                "state/machine.txt", () -> Machine.scan(root().sys(), host).toString()));
        if (file.isThere()) {
            items.add(SupportItem.of("config/daos_server.yml", () -> SupportFiles.config(file.path())));
        }
        int before = items.size();
        for (Path logs : logs(data)) items.addAll(SupportFiles.of(logs, "log"));
        if (flags.stopOnError && items.size() == before) {
            throw Fault.of(FaultCode.NONEXIST, "there are no logs in %s", logs(data))
                    .remedy("give the folder of the node with --data")
                    .asException();
        }
        if (!flags.extraFolder().isEmpty()) {
            Path extra = Path.of(flags.extraFolder());
            if (!Files.isDirectory(extra)) {
                throw Fault.of(FaultCode.NONEXIST, "there is no folder %s", extra)
                        .asException();
            }
            items.addAll(SupportFiles.of(extra, "extra"));
        }
        SupportStore store = flags.open();
        try (store;
                SupportReader reader = new SupportReader(items)) {
            store.write(host, reader);
        }
        return root().show(store::text, () -> store.json(List.of()));
    }

    /** As the service and as a start by hand have them. */
    private static List<Path> logs(@Nullable Path data) {
        String named = System.getenv("KARAF_LOG");
        if (data != null) return List.of(data.resolve("log"));
        if (named != null && !named.isEmpty()) return List.of(Path.of(named));
        Path service = Path.of("/var/log/daos_server");
        return List.of(Files.isDirectory(service) ? service : Path.of("/var/lib/daos_server/log"));
    }
}
